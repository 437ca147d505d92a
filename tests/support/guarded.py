"""A real Kafka that lets in only whom it knows: TLS in both directions, SASL, and access control lists."""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Int8, Int16, Int32, Schema, String
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from relink.embedded_kafka import EmbeddedKafka
from shared.bus.kafka.connection import options
from shared.settings import Settings
from tests.support.brokers import kafka_settings

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook.md"
PASSWORD = "of no use elsewhere"
USERS = ("admin", "topics", "referral", "registry")
GUARDS = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:admin;User:ANONYMOUS",  # the nodes among themselves, on this machine
    "sasl.enabled.mechanisms": "SCRAM-SHA-512",
    "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
        "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    ),
    "ssl.client.auth": "required",
    "ssl.keystore.type": "PEM",
    "ssl.truststore.type": "PEM",
}


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Authority:
    """Signs certificates for 127.0.0.1, which hold for a day."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        own = self._builder(self._name, self._key).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        own = own.add_extension(
            x509.KeyUsage(
                digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
                key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
            ),
            True,
        )  # fmt: skip
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._signed(own))

    def issue(self, name: str) -> tuple[Path, Path]:
        """The files with a certificate and with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        certificate, key_file = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        certificate.write_bytes(self._signed(self._builder(subject, key).add_extension(here, False)))
        key_file.write_bytes(_pem(key))
        return certificate, key_file

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)  # noqa: TID251  # certificates know only the machine's time
        return x509.CertificateBuilder(
            issuer_name=self._name,
            subject_name=subject,
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - timedelta(minutes=5),
            not_valid_after=now + timedelta(days=1),
        ).add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False)

    def _signed(self, builder: x509.CertificateBuilder) -> bytes:
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@dataclass
class Guarded:
    """The broker, and what a client needs to be let in."""

    broker: EmbeddedKafka
    authority: Authority
    certificate: Path
    key: Path

    def up(self) -> "Guarded":
        """It is there, also if a test has killed it."""
        if not self.broker.alive(1):
            self.broker.start(1)
        return self

    def settings(self, user: str, **more: object) -> Settings:
        secrets = {"kafka_ca": self.authority.file, "kafka_certificate": self.certificate, "kafka_key": self.key}
        login = {"kafka_security": "SASL_SSL", "kafka_username": user, "kafka_password": PASSWORD}
        return kafka_settings(self.broker.bootstrap, **secrets, **login, **more)

    async def grant(self, user: str, rights: "list[Right]") -> None:
        """The user has these rights besides what it had."""
        admin = AIOKafkaAdminClient(**options(self.settings("admin")))
        await admin.start()
        try:
            answer = await admin._send_request(_CreateAcls([right.entry(user) for right in rights]))
        finally:
            await admin.close()
        assert [code for code, _ in answer.results] == [0] * len(rights)


@pytest.fixture
def guarded(one_guarded: Guarded) -> Guarded:
    """The guarded broker, which is there."""
    return one_guarded.up()


@pytest.fixture(scope="session")
def one_guarded() -> Iterator[Guarded]:
    """One node for the session; nobody but `admin` has any right yet."""
    with tempfile.TemporaryDirectory(prefix="relink-test-") as name:
        folder = Path(name)
        authority = Authority(folder, "authority")
        certificate, key = authority.issue("broker")
        keystore = folder / "keystore.pem"
        keystore.write_bytes(key.read_bytes() + certificate.read_bytes())
        stores = {"ssl.keystore.location": str(keystore), "ssl.truststore.location": str(authority.file)}
        users = dict.fromkeys(USERS, PASSWORD)
        with EmbeddedKafka(folder / "kafka", 1, GUARDS | stores, users, "SASL_SSL") as broker:
            yield Guarded(broker, authority, *authority.issue("client"))


KINDS = {"topics": 2, "groups": 3, "cluster": 4}
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
LITERAL, PREFIXED, ALLOW = 3, 4, 3


@dataclass(frozen=True)
class Right:
    """One operation on what begins with `name`; on the cluster when that is empty."""

    operation: str
    kind: str
    name: str = ""

    def entry(self, user: str) -> tuple[int, str, int, str, str, int, int]:
        """As the protocol wants it."""
        pattern = PREFIXED if self.name else LITERAL
        name = self.name or "kafka-cluster"
        return (KINDS[self.kind], name, pattern, f"User:{user}", "*", OPERATIONS[self.operation], ALLOW)


def rights_of(user: str, service: str = "", prefix: str = "") -> list[Right]:
    """What the table in the runbook grants to the user of `a service` or of `` `relink topics` ``."""
    rows = re.findall(rf"^\| {re.escape(user)} \| (.+?) \| (.+?) \|$", RUNBOOK.read_text(), re.MULTILINE)
    rights = []
    for operations, where in rows:
        begins = re.fullmatch(r"(topics|groups) that begin with `(.+)`", where)
        kind, name = begins.groups() if begins else ("cluster", "")
        name = name and prefix + name.replace("<service>", service)
        rights += [Right(operation, kind, name) for operation in re.findall(r"`(\w+)`", operations)]
    assert rights, f"the runbook has no rights of {user}"
    return rights


class _CreateAclsResponse(Response):  # type: ignore[misc]  # aiokafka is not typed
    """The protocol of Kafka, which aiokafka does not speak this part of."""

    API_KEY = 30
    API_VERSION = 1
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("results", Array(("error_code", Int16), ("error_message", String("utf-8")))),
    )


class _CreateAclsStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 30
    API_VERSION = 1
    RESPONSE_TYPE = _CreateAclsResponse
    SCHEMA = Schema(
        (
            "creations",
            Array(
                ("resource_type", Int8),
                ("resource_name", String("utf-8")),
                ("resource_pattern_type", Int8),
                ("principal", String("utf-8")),
                ("host", String("utf-8")),
                ("operation", Int8),
                ("permission_type", Int8),
            ),
        )
    )


class _CreateAcls(Request[_CreateAclsStruct]):  # type: ignore[misc]
    API_KEY = 30

    def __init__(self, entries: list[tuple[int, str, int, str, str, int, int]]) -> None:
        self._entries = entries

    def build(self, request_struct_class: type[_CreateAclsStruct]) -> _CreateAclsStruct:
        return request_struct_class(self._entries)
