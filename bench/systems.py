"""The running systems that are measured, always in other processes than the measuring one.

`python -m bench.systems one FOLDER` runs everything in one process; `python -m bench.systems relay` the relay of the
service that the environment describes, and nothing else of it.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from pydantic import SecretStr

from bench import floor_pipeline
from bench.floor_pipeline import Floor
from relink import databases
from relink.data_folder import DataFolder
from relink.embedded import SUPERUSER, EmbeddedPostgres
from relink.embedded_kafka import EmbeddedKafka
from relink.services import SERVICES
from relink.system import running_system
from shared.bus.relay import Relay
from shared.events import TOPICS
from shared.ids import new_id
from shared.runtime import open_bus
from shared.settings import Settings

ORIGIN = "http://127.0.0.1:8000"
STOP_SECONDS = 20
REPLICATION = {1: {"kafka_replication": 1, "kafka_min_insync": 1}, 3: {"kafka_replication": 3, "kafka_min_insync": 2}}
"""By the number of brokers."""


def url(settings: Settings) -> str:
    return settings.database_url.get_secret_value()


@dataclass(frozen=True)
class Databases:
    """Where the two ends of the measured way are."""

    referral: str
    monitoring: str


@dataclass(frozen=True)
class Stage:
    """The databases and the bus of all services, migrated and empty, and a floor beside them; nothing runs on them."""

    settings: dict[str, Settings]
    floor: Floor
    broker: EmbeddedKafka | None

    @property
    def databases(self) -> Databases:
        return Databases(url(self.settings["referral"]), url(self.settings["monitoring"]))

    @asynccontextmanager
    async def running(self, *names: str) -> AsyncIterator[None]:
        """Processes: `relay` and `project` of the floor, `relay` of the referral service, `readiness` (monitoring's
        API), or a service's worker."""
        async with contextlib.AsyncExitStack() as stack:
            for name in names:
                await stack.enter_async_context(self._process(name))
            yield

    def _process(self, name: str) -> contextlib.AbstractAsyncContextManager[Process]:
        if name.startswith("floor "):
            return running("bench.floor_pipeline", name.removeprefix("floor "), environment=self.floor.environment())
        if name == "readiness":
            return running("services.monitoring", "api", environment=environment(self.settings["monitoring"]))
        if name == "relay":
            return running("bench.systems", "relay", environment=environment(self.settings["referral"]))
        return running(f"services.{name}", "worker", environment=environment(self.settings[name]))


@asynccontextmanager
async def running(module: str, *words: str, environment: Mapping[str, str]) -> AsyncIterator[Process]:
    """A Python process as an operator starts it; it must still run when it is stopped."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *words, env=os.environ | environment, stdout=PIPE
    )
    try:
        yield child
    finally:
        await stop(child)


@asynccontextmanager
async def stage(bus: str, nodes: int = 1) -> AsyncIterator[Stage]:
    """A PostgreSQL of its own, and for the bus `kafka` brokers too; all goes with it."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relink-bench-")))
        data = stack.enter_context(DataFolder(folder / "data").hold())
        keyring = data.keyring
        postgres = stack.enter_context(EmbeddedPostgres(data.path, keyring.password(SUPERUSER)))
        broker = stack.enter_context(EmbeddedKafka(folder / "kafka", nodes)) if bus == "kafka" else None
        kafka = broker.bootstrap if broker else ""
        prepared = await databases.prepare(postgres, keyring, ORIGIN)
        prefix = f"{new_id().hex}-"
        more = {"bus": bus, "kafka": kafka, "kafka_prefix": prefix, **REPLICATION[nodes]}
        settings = {name: each.model_copy(update=more) for name, each in prepared.items()}
        if kafka:
            prepared_bus = open_bus(settings["referral"])
            await prepared_bus.make_topics(TOPICS)
            await prepared_bus.close()
        for service in SERVICES:
            await service.migrate(settings[service.name])
        yield Stage(settings, await _floor(postgres, kafka, settings["referral"].kafka_partitions), broker)


async def _floor(postgres: EmbeddedPostgres, kafka: str, partitions: int) -> Floor:
    connection = await asyncpg.connect(postgres.url())
    try:
        await connection.execute("CREATE DATABASE floor")
    finally:
        await connection.close()
    floor = Floor(postgres.url("floor"), kafka)
    await floor_pipeline.prepare(floor, partitions)
    return floor


@asynccontextmanager
async def one_process() -> AsyncIterator[Databases]:
    """Everything in one process and one event loop, as `relink run` does it, on data that go with it."""
    with tempfile.TemporaryDirectory(prefix="relink-bench-") as folder:
        async with running("bench.systems", "one", folder, environment={}) as child:
            assert child.stdout is not None
            yield Databases(**json.loads(await child.stdout.readline()))


def environment(settings: Settings) -> dict[str, str]:
    """The variables that describe the settings to a process."""
    told = {name: value for name, value in settings if value is not None}
    return {
        f"RELINK_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in told.items()
    }


async def stop(child: Process) -> None:
    if child.returncode is not None:
        raise RuntimeError(f"a process that was measured ended by itself with {child.returncode}")
    child.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()


async def _run_until_told_to_stop(folder: Path) -> None:
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    async with running_system(folder, port=0) as system:
        urls = {name: url(system.runtimes[name].settings) for name in ("referral", "monitoring")}
        sys.stdout.write(json.dumps(urls) + "\n")
        sys.stdout.flush()
        failing = asyncio.create_task(system.until_it_fails())
        await asyncio.wait([asyncio.create_task(told.wait()), failing], return_when=asyncio.FIRST_COMPLETED)
        if failing.done():
            await failing
        failing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await failing


async def _relay_alone(settings: Settings) -> None:
    runtime = next(each for each in SERVICES if each.name == settings.service).runtime(settings)
    await Relay(url(settings), runtime.bus, runtime.metrics, runtime.traces).run()


if __name__ == "__main__":
    import uvloop

    if sys.argv[1] == "one":
        uvloop.run(_run_until_told_to_stop(Path(sys.argv[2])))
    else:
        uvloop.run(_relay_alone(Settings()))
