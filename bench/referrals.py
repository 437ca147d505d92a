"""`POST /referral/v1/referrals` against its floor (`bench.floor`), side by side in one run.

The service runs as an operator starts it, in one API process and in two; its floor in a process of its own; the client
in this one, with a fixed number of connections on each of which one request follows another. All share the machine and
one PostgreSQL. Every request refers another case, by way of a hub, to one of many services with counted places; nothing
is asked twice. `python -m bench.referrals` prints it.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import httpx
import uvloop
from pydantic import SecretStr

from bench.referral_world import CLIENT, Order, World, build
from bench.round_trips import Wire
from bench.systems import environment, stop
from relink import databases
from relink.data_folder import DataFolder
from relink.demo_issuer import DemoIssuer
from relink.embedded import SUPERUSER, EmbeddedPostgres
from relink.ports import free_port
from services.referral.app import service
from shared.http.auth import Trust
from shared.settings import Settings

ORIGIN = "http://127.0.0.1:8000"
PATH = "/referral/v1/referrals"
CONNECTIONS = 8
RUNS = 5
REFERRALS = {"one": 600, "floor": 3000, "two": 600}
"""In each run, and before the first: enough for every connection to have prepared its statements."""
CASES = (RUNS + 1) * sum(REFERRALS.values()) + 2
PATIENCE = 240.0
RATIO_LIMIT, CPU_LIMIT = 0.15, 1.1
TICKS = os.sysconf("SC_CLK_TCK")
API = "import sys; from services.referral.app import service; service.port = int(sys.argv[1]); service.main(['api'])"
"""`python -m services.referral api` on a port of one's choice."""


@dataclass(frozen=True)
class Run:
    """What one run of one side came to."""

    per_second: float
    cpu_ms: float
    """Of the API processes, for each referral."""


@dataclass(frozen=True)
class Figures:
    """The medians of the runs."""

    ours: float
    floor: float
    ratio: float
    """The median of the ratios of the runs side by side."""
    two: float
    """With two API processes."""
    cpu_one: float
    cpu_two: float
    cpu_ratio: float
    cpu_floor: float
    round_trips: int


@dataclass
class Api:
    process: asyncio.subprocess.Process
    port: int

    def cpu_seconds(self) -> float:
        """User and system time so far (proc(5))."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


@asynccontextmanager
async def _api(*words: str, **told: str) -> AsyncIterator[Api]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        str(port),
        env=os.environ | told,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + PATIENCE
        while not await _listens(port):
            assert process.returncode is None, "a process that is to be measured ended by itself"
            assert time.monotonic() < until, "a process that is to be measured does not listen"
            await asyncio.sleep(0.1)
        yield Api(process, port)
    finally:
        await stop(process)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


class Load:
    """A client that costs little: bytes made beforehand, written and read on connections that stay open."""

    def __init__(self, orders: Iterator[Order], token: str) -> None:
        self._orders = orders
        self._head = (
            f"POST {PATH} HTTP/1.1\r\nHost: relink\r\nAuthorization: Bearer {token}\r\n"
            "Content-Type: application/json\r\nIdempotency-Key: "
        )

    async def run(self, apis: Sequence[Api], how_many: int) -> Run:
        """One request after another on each connection; every answer must be 201."""
        orders = islice(self._orders, how_many)
        cpu = sum(api.cpu_seconds() for api in apis)
        began = time.perf_counter()
        ports = [apis[number % len(apis)].port for number in range(CONNECTIONS)]
        await asyncio.gather(*(self._connection(port, orders) for port in ports))
        took = time.perf_counter() - began
        cpu = sum(api.cpu_seconds() for api in apis) - cpu
        return Run(how_many / took, cpu / how_many * 1000)

    async def _connection(self, port: int, orders: Iterator[Order]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for order in orders:
            head = f"{self._head}{order.key}\r\nContent-Length: {len(order.body)}\r\n\r\n"
            writer.write(head.encode() + order.body)
            answer = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(int(answer.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]))
            assert answer.startswith(b"HTTP/1.1 201 "), body.decode()
        writer.close()


async def _round_trips(settings: Settings, trust: Trust, world: World) -> int:
    """Of one request on a connection that has served before; the service runs in this process for it."""
    headers = {"Authorization": f"Bearer {world.token}", "Content-Type": "application/json"}
    async with Wire(settings.database_url.get_secret_value()).open() as wire:
        detour = settings.model_copy(update={"database_url": SecretStr(wire.url), "pool_size": 1})
        runtime = service.runtime(detour, trust)
        try:
            transport = httpx.ASGITransport(service.api(runtime))
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as client:
                for _ in range(2):
                    order, before = next(world.orders), wire.count
                    answer = await client.post(PATH, content=order.body, headers={"Idempotency-Key": order.key})
                    assert answer.status_code == 201, answer.text
                return wire.count - before
        finally:
            await runtime.close()


async def measure() -> Figures:
    """RUNS times ours, the floor and ours in two processes, in turn, after a warm-up of each."""
    with tempfile.TemporaryDirectory(prefix="relink-bench-") as folder, DataFolder(Path(folder)).hold() as data:
        keyring = data.keyring
        with EmbeddedPostgres(data.path, keyring.password(SUPERUSER)) as postgres:
            settings = (await databases.prepare(postgres, keyring, ORIGIN))[service.name]
            await service.migrate(settings)
            issuer = DemoIssuer(ORIGIN)
            trusted = data.path / "issuers.json"
            trusted.write_text(json.dumps([issuer.trust()]))
            settings = settings.model_copy(update={"issuers": trusted})
            world = await build(settings, issuer.token(CLIENT), CASES)
            told = environment(settings)
            floor_url = settings.database_url.get_secret_value()
            async with (
                _api("-c", API, **told) as first,
                _api("-c", API, **told) as second,
                _api("-m", "bench.floor", FLOOR_DATABASE_URL=floor_url) as floor,
            ):
                load = Load(world.orders, world.token)
                sides = {"one": [first], "floor": [floor], "two": [first, second]}
                for name, apis in sides.items():
                    await load.run(apis, REFERRALS[name])
                runs = [
                    {name: await load.run(apis, REFERRALS[name]) for name, apis in sides.items()} for _ in range(RUNS)
                ]
            return _summed_up(runs, await _round_trips(settings, Trust.from_file(trusted, ORIGIN), world))


def _summed_up(runs: list[dict[str, Run]], round_trips: int) -> Figures:
    def middle(name: str, what: str) -> float:
        values: list[float] = [getattr(run[name], what) for run in runs]
        return statistics.median(values)

    return Figures(
        ours=middle("one", "per_second"),
        floor=middle("floor", "per_second"),
        ratio=statistics.median(run["one"].per_second / run["floor"].per_second for run in runs),
        two=middle("two", "per_second"),
        cpu_one=middle("one", "cpu_ms"),
        cpu_two=middle("two", "cpu_ms"),
        cpu_ratio=statistics.median(run["two"].cpu_ms / run["one"].cpu_ms for run in runs),
        cpu_floor=middle("floor", "cpu_ms"),
        round_trips=round_trips,
    )


def rows(figures: Figures) -> list[str]:
    """The lines of a table: measured, limit, measured / limit."""
    return [
        f"| one API process | {figures.ours:.0f} /s | | |",
        f"| the floor | {figures.floor:.0f} /s | | |",
        f"| one API process / floor | {figures.ratio:.3f} | ≥ {RATIO_LIMIT} | {figures.ratio / RATIO_LIMIT:.2f} |",
        f"| round trips to the database, of which the floor needs 1 | {figures.round_trips} | | |",
        f"| CPU of the API for each referral: one process | {figures.cpu_one:.2f} ms | | |",
        f"| CPU of the API for each referral: two processes, {figures.two:.0f} /s | {figures.cpu_two:.2f} ms | | |",
        f"| two processes / one | {figures.cpu_ratio:.2f} | ≤ {CPU_LIMIT} | {figures.cpu_ratio / CPU_LIMIT:.2f} |",
        f"| CPU of the floor for each referral | {figures.cpu_floor:.2f} ms | | |",
    ]


if __name__ == "__main__":
    print("\n".join(rows(uvloop.run(measure()))))
