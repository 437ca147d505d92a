"""What docker-compose.yml would run in containers, run outside of them: the same files, commands and variables.

Only addresses differ: where PostgreSQL and Kafka are, on which ports we listen, where the issuers' file lies.
"""

import asyncio
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from relink import databases
from relink.data_folder import Keyring
from relink.demo_issuer import DemoIssuer
from relink.embedded import EmbeddedPostgres, binaries
from relink.partner import Partner
from relink.ports import free_ports
from relink.services import SERVICES
from shared.ids import new_id
from tests.support import compose
from tests.support.compose import ROOT, Elsewhere
from tests.support.databases import HASTY
from tests.support.processes import Process, running

ORIGIN = "https://relink.example"
SUPERUSER_PASSWORD = "of no use elsewhere"
STARTED = compose.CONTAINERS - {"migrate"}
OWNERS = "SELECT datname, pg_get_userbyid(datdba), datacl::text FROM pg_database WHERE NOT datistemplate ORDER BY 1"
ROLES = "SELECT rolname, rolcanlogin, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname LIKE 'relink%'"


@dataclass
class Outside:
    """The compose file's world outside of containers."""

    image: Path
    """The files that the image holds."""
    elsewhere: Elsewhere
    more: dict[str, str]
    issuer: DemoIssuer
    gateway: str

    def words(self, name: str) -> list[str]:
        """The container's command; the interpreter is ours."""
        return [sys.executable if word == "python" else word for word in compose.SERVICES[name]["command"]]

    def environment(self, name: str) -> dict[str, str]:
        return self.elsewhere.environment(name) | self.more

    def as_client(self, client_id: str) -> dict[str, Any]:
        """What makes an HTTP client speak for a demo client."""
        return {"base_url": self.gateway, "headers": {"Authorization": f"Bearer {self.issuer.token(client_id)}"}}

    def probe(self, name: str) -> list[str]:
        words = [self.elsewhere.text(word) for word in compose.SERVICES[name]["healthcheck"]["test"]]
        assert words.pop(0) == "CMD"
        return [sys.executable if word == "python" else word for word in words]


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A server that knows nothing of us yet."""
    with (
        tempfile.TemporaryDirectory(prefix="relink-test-") as folder,
        EmbeddedPostgres(Path(folder), SUPERUSER_PASSWORD, settings=HASTY) as started,
    ):
        yield started


@pytest.fixture(scope="module")
def outside(server: EmbeddedPostgres, kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Outside:
    folder = tmp_path_factory.mktemp("compose")
    gateway, *ports = free_ports(1 + 2 * len(SERVICES))
    issuer = DemoIssuer(ORIGIN)
    (folder / "issuers.json").write_text(json.dumps([issuer.trust()]))
    places = {
        "postgres:5432": f"127.0.0.1:{server.port}",
        "kafka:9092": kafka,
        "/etc/relink/issuers.json": str(folder / "issuers.json"),
        "127.0.0.1:8000": f"127.0.0.1:{gateway}",
    }
    more = {"RELINK_KAFKA_PREFIX": f"{new_id().hex}-", "RELINK_GATEWAY_PORT": str(gateway)}
    more["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # as in the image, `python` has what we need
    for service, port, told in zip(SERVICES, ports[::2], ports[1::2], strict=True):
        named = f"RELINK_{service.name.upper()}"
        more |= {f"{named}_PORT": str(port), f"{named}_METRICS_PORT": str(told)}
        metrics = compose.SERVICES[f"{service.name}-worker"]["environment"][f"{named}_METRICS_PORT"]
        places[f"127.0.0.1:{metrics}"] = f"127.0.0.1:{told}"
        places |= {f"{host}:{service.port}": f"127.0.0.1:{port}" for host in ("127.0.0.1", f"{service.name}-api")}
    values = {name: value or base64.b64encode(os.urandom(32)).decode() for name, value in compose.example().items()}
    values |= {name: new_id().hex for name in values if name.endswith("PASSWORD")}
    values |= {"POSTGRES_PASSWORD": SUPERUSER_PASSWORD, "RELINK_ORIGIN": ORIGIN}
    return Outside(_image(folder / "app"), Elsewhere(values, places), more, issuer, f"http://127.0.0.1:{gateway}")


def _image(folder: Path) -> Path:
    """What the Dockerfile copies from here, and nothing else, compiled as it says."""
    for words in compose.instructions("COPY"):
        source, target = words[-2:]
        if words[0].startswith("--from") or Path(target).is_absolute():
            continue
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, folder / target)
    _run([sys.executable, *compose.instructions("RUN")[-1][1:]], cwd=folder)
    return folder


def _run(words: list[str], **options: Any) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
async def roles(server: EmbeddedPostgres, outside: Outside) -> None:
    """The script that PostgreSQL's container runs on an empty volume has run, twice."""
    mounted = compose.SERVICES["postgres"]["volumes"][1].partition(":")[0]
    environment = outside.elsewhere.environment("postgres")
    environment |= {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGPASSWORD": SUPERUSER_PASSWORD}
    environment["PATH"] = f"{binaries()}:{os.environ['PATH']}"
    for _ in range(2):
        await asyncio.to_thread(_run, [str(ROOT / mounted)], env=environment)


async def _asked(server: EmbeddedPostgres, query: str) -> set[tuple[Any, ...]]:
    connection = await asyncpg.connect(server.url())
    try:
        return {tuple(row) for row in await connection.fetch(query)}
    finally:
        await connection.close()


async def test_the_script_makes_the_databases_that_relink_makes_itself(
    server: EmbeddedPostgres, roles: None, outside: Outside, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)  # noqa: ASYNC240  # PostgreSQL runs as somebody else
    with EmbeddedPostgres(tmp_path / "server", "x", settings=HASTY) as other:
        await databases.prepare(other, Keyring(tmp_path / "keyring.json"), ORIGIN)
        for query in (OWNERS, ROLES):
            made = {row for row in await _asked(other, query) if row[0] != databases.BUS}
            assert await _asked(server, query) == made
    for service in SERVICES:
        password = outside.elsewhere.values[f"RELINK_{service.name.upper()}_PASSWORD"]
        role = databases.role_of(service)
        await (await asyncpg.connect(server.url(role, role, password))).close()


@pytest.fixture(scope="module")
async def started(outside: Outside, roles: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outside]:
    """Everything runs that the compose file would run after `migrate`."""
    logs = tmp_path_factory.mktemp("logs")
    migrate = outside.environment("migrate")
    await asyncio.to_thread(_run, outside.words("migrate"), cwd=outside.image, env=os.environ | migrate)
    with ExitStack() as stack:
        processes = {name: stack.enter_context(_running(outside, name, logs)) for name in STARTED}
        for service in SERVICES:
            processes["gateway"].wait_for(f"{outside.gateway}/{service.name}/readyz")
        yield outside
        assert all(process.runs for process in processes.values())


def _running(outside: Outside, name: str, logs: Path) -> AbstractContextManager[Process]:
    words, environment = outside.words(name), outside.environment(name)
    return running(*words[1:], log=logs / name, folder=str(outside.image), **environment)


async def test_it_works_behind_the_gateway(started: Outside) -> None:
    events: list[str] = []
    async with AsyncExitStack() as stack:
        operator, reader = [
            Partner(name, await stack.enter_async_context(httpx.AsyncClient(**started.as_client(name))), events)
            for name in ("bootstrap", "be-return")
        ]
        await operator.post("/registry/v1/organizations", {"name": "Operator", "kind": "ngo", "country": "BE"})
        for path in ("/eligibility/v1/facts", "/referral/v1/referrals", "/monitoring/v1/referrals"):
            await reader.get(path)  # answered once that service has heard of the organisation


async def test_the_public_gateway_gives_no_tokens_and_shows_no_metrics(started: Outside) -> None:
    async with httpx.AsyncClient(base_url=started.gateway) as http:
        form = {"grant_type": "client_credentials", "client_id": "bootstrap"}
        for response in (
            await http.post("/dev/token", data=form),
            await http.post("/dev/clock", json={"now": "2027-01-01T00:00:00Z"}),
            await http.get("/referral/metrics"),
        ):
            assert response.status_code == 404
        named = await http.get("/registry/livez", headers={"Host": "relink.example"})
        assert named.status_code == 200
        assert (await http.get("/registry/livez", headers={"Host": "other.example"})).status_code == 400


async def test_every_probe_finds_its_process_well(started: Outside) -> None:
    for name in STARTED:
        await asyncio.to_thread(_run, started.probe(name))


async def test_a_worker_tells_how_it_does(started: Outside) -> None:
    async with httpx.AsyncClient() as http:
        told = await http.get(f"http://127.0.0.1:{started.more['RELINK_MONITORING_METRICS_PORT']}/metrics")
    assert 'relink_bus_up{service="monitoring"} 1.0' in told.text
    assert 'relink_listener_lag{listener="projections",service="monitoring",topic="relink.referral"}' in told.text
