"""Configuration of one service, from the environment: `RELINK_…` for all, `RELINK_<SERVICE>_…` for one."""

import ipaddress
import os
from pathlib import Path
from typing import Literal

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class BadSettings(Exception):
    """A variable holds what it cannot hold; the text names it and never repeats it."""


class Settings(BaseSettings):
    """What one service needs to know. `database_url` and its kind are `postgresql://role:password@host:port/database`."""

    model_config = SettingsConfigDict(env_prefix="RELINK_", env_ignore_empty=True, extra="ignore")

    service: str
    origin: str = "http://127.0.0.1:8000"
    """The one address of the deployment: the audience that tokens must name."""
    issuers: Path | None = None
    """The file that names whom to trust (`shared.http.auth.Trust`)."""
    host: str = "127.0.0.1"
    """The address on which an API process listens."""
    metrics_port: int | None = None
    """The port on which a worker answers `/livez`, `/health` and `/metrics`; None: on none."""
    otlp_endpoint: str = ""
    """The OpenTelemetry collector (OTLP over HTTP) that spans go to, `http://host:4318`; empty: nothing is traced."""
    port: int | None = None
    """The port on which an API process listens, if not the one that the service declares."""
    url: str | None = None
    """Where the gateway finds the service, `http://host:port`, if not on this machine."""
    local_clock: Path | None = None
    """Local mode, on loopback only: the file that says how far business time is from the machine's (`shared.clock`)."""
    bus: Literal["postgresql", "kafka"] = "postgresql"
    bus_url: SecretStr = SecretStr("")
    """The database of the PostgreSQL bus."""
    kafka: str = ""
    """The Kafka bus: bootstrap servers, `host:port,host:port`."""
    kafka_prefix: str = ""
    """Goes before the names of topics and groups, where several deployments share a cluster: `test-`."""
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_ca: Path | None = None
    """PEM file of the authority that signed the brokers' certificates; without one, the system's."""
    kafka_certificate: Path | None = None
    kafka_key: Path | None = None
    """PEM files with which a client shows who it is (mutual TLS)."""
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_username: str = ""
    kafka_password: SecretStr = SecretStr("")
    kafka_partitions: int = 6
    kafka_replication: int = 3
    kafka_min_insync: int = 2
    kafka_retention_days: int = 400
    database_url: SecretStr = SecretStr("")
    keys_url: SecretStr | None = None
    """The database that holds the keys of cases, for a service that keeps any."""
    key_encryption_key: SecretStr | None = None
    """32 bytes, base64: wraps every case key in that database."""
    pool_size: int = 5
    small_cell: int = 5
    """Counts below this are not shown in disaggregated figures (project default)."""

    @classmethod
    def read(cls, service: str) -> "Settings":
        """Settings of `service`: its own variables win over those for all; an empty one is as good as none.

        Raises BadSettings.
        """
        own = f"RELINK_{service.upper()}_"
        given = {name.removeprefix(own).lower(): value for name, value in os.environ.items() if name.startswith(own)}
        values = {name: value for name, value in given.items() if value}
        try:
            return cls(service=service, **values)  # type: ignore[arg-type]  # pydantic converts the strings
        except ValidationError as error:
            names = {name: f"{own if name in values else 'RELINK_'}{name.upper()}" for name in cls.model_fields}
            wrong = [f"{names[str(each['loc'][0])]}: {each['msg']}" for each in error.errors()]
            raise BadSettings("\n".join(wrong)) from None

    @property
    def on_loopback(self) -> bool:
        """Nobody outside this machine reaches what listens on `host`."""
        return is_loopback(self.host)

    def environment(self) -> dict[str, str]:
        """The variables of which `read` makes these settings again."""
        given = {name: getattr(self, name) for name in self.model_fields_set - {"service"}}
        return {
            f"RELINK_{self.service.upper()}_{name.upper()}": _as_text(value)
            for name, value in given.items()
            if value is not None
        }


def is_loopback(host: str) -> bool:
    """`host` is an address that only this machine reaches; a name other than `localhost` might be anybody's."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _as_text(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
