"""Each service as processes of its own, with its own database and role: they meet on the bus only."""

import json
import signal
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from relink.data_folder import Keyring
from relink.databases import prepare
from relink.demo_issuer import CLIENTS, DemoIssuer
from relink.embedded import EmbeddedPostgres
from relink.services import SERVICES
from shared.settings import Settings
from tests.support.processes import Process, running

ORIGIN = "https://relink.example"


def _environment(settings: dict[str, Settings], trust: Path) -> dict[str, str]:
    environment = {"RELINK_ORIGIN": ORIGIN, "RELINK_ISSUERS": str(trust)}
    for name, each in settings.items():
        prefix = f"RELINK_{name.upper()}_"
        environment |= {
            f"{prefix}DATABASE_URL": each.database_url.get_secret_value(),
            f"{prefix}BUS_URL": each.bus_url.get_secret_value(),
        }
        if each.keys_url is not None and each.key_encryption_key is not None:
            environment[f"{prefix}KEYS_URL"] = each.keys_url.get_secret_value()
            environment[f"{prefix}KEY_ENCRYPTION_KEY"] = each.key_encryption_key.get_secret_value()
    return environment


@pytest.fixture
async def settings(tmp_path: Path) -> AsyncIterator[dict[str, Settings]]:
    """Databases and roles as `relink run` makes them, on a server of their own."""
    tmp_path.chmod(0o755)  # noqa: ASYNC240  # PostgreSQL runs as somebody else
    with EmbeddedPostgres(tmp_path / "server", "of no use elsewhere") as server:
        yield await prepare(server, Keyring(tmp_path / "keyring.json"), ORIGIN)


async def test_four_apis_and_four_workers_are_one_system(settings: dict[str, Settings], tmp_path: Path) -> None:
    issuer = DemoIssuer(ORIGIN)
    trust = tmp_path / "issuers.json"
    trust.write_text(json.dumps([issuer.trust()]))
    environment = _environment(settings, trust)
    log = tmp_path / "output"
    with ExitStack() as stack:
        for service in SERVICES:
            migrate = Process("-m", f"services.{service.name}", "migrate", log=log, **environment)
            assert migrate.wait() == 0, migrate.output
        processes = {
            (service.name, kind): stack.enter_context(
                running("-m", f"services.{service.name}", kind, log=tmp_path / f"{service.name}-{kind}", **environment)
            )
            for service in SERVICES
            for kind in ("api", "worker")
        }
        for service in SERVICES:
            address = f"http://127.0.0.1:{service.port}/{service.name}/readyz"
            processes[service.name, "api"].wait_for(address)
        headers = {"Authorization": f"Bearer {issuer.token('bootstrap')}"}
        body = {"id": str(CLIENTS["bootstrap"].org_id), "name": "Operator", "kind": "ngo", "country": "BE"}
        async with httpx.AsyncClient() as http:
            made = await http.post("http://127.0.0.1:8001/registry/v1/organizations", json=body, headers=headers)
            assert made.status_code == 201, made.text
            reader = {
                "Authorization": f"Bearer {issuer.token('be-return')}",
                "Relink-After": made.headers["Relink-Event"],
            }
            for address in ("8002/eligibility/v1/facts", "8003/referral/v1/referrals", "8004/monitoring/v1/referrals"):
                heard = await http.get(f"http://127.0.0.1:{address}", headers=reader)
                assert heard.status_code == 200, heard.text
        log_lines = processes["registry", "api"].output.splitlines()
        request = next(json.loads(line) for line in log_lines if "POST /organizations" in line)
        assert request["request_id"]
        assert request["trace_id"]
        for process in processes.values():
            assert process.stop() in (0, -signal.SIGTERM)  # uvicorn ends by the signal, once it has finished
            assert "Traceback" not in process.output
