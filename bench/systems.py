"""The running systems that are measured: all in one process, and a process for each worker.

Always in other processes than the measuring one, so that the measuring does not stand in its way.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from relink import databases
from relink.data_folder import DataFolder
from relink.embedded import SUPERUSER, EmbeddedPostgres
from relink.services import SERVICES
from relink.system import running_system
from shared.settings import Settings

ORIGIN = "http://127.0.0.1:8000"
STOP_SECONDS = 20


@dataclass(frozen=True)
class Databases:
    """Where the two ends of the measured way are."""

    referral: str
    monitoring: str


def _url(settings: Settings) -> str:
    return settings.database_url.get_secret_value()


@asynccontextmanager
async def one_process() -> AsyncIterator[Databases]:
    """Everything in one process and one event loop, as `relink run` does it, on data that go with it."""
    with tempfile.TemporaryDirectory(prefix="relink-bench-") as folder:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.systems", folder, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert child.stdout is not None
            yield Databases(**json.loads(await child.stdout.readline()))
        finally:
            await stop(child)


@asynccontextmanager
async def separate_processes() -> AsyncIterator[Databases]:
    """A worker process for each service, started as an operator starts them, on data that go with them."""
    with tempfile.TemporaryDirectory(prefix="relink-bench-") as folder, DataFolder(Path(folder)).hold() as data:
        keyring = data.keyring
        with EmbeddedPostgres(data.path, keyring.password(SUPERUSER)) as postgres:
            settings = await databases.prepare(postgres, keyring, ORIGIN)
            children = []
            try:
                for service in SERVICES:
                    await service.migrate(settings[service.name])
                    children.append(await _worker(settings[service.name]))
                yield Databases(_url(settings["referral"]), _url(settings["monitoring"]))
            finally:
                for child in children:
                    await stop(child)


def environment(settings: Settings) -> dict[str, str]:
    """The variables by which a process of the service is told these settings."""
    told = {name: value for name, value in settings if value is not None and name != "service"}
    return {
        f"RELINK_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in told.items()
    }


async def _worker(settings: Settings) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"services.{settings.service}",
        "worker",
        env=os.environ | environment(settings),
        stdout=asyncio.subprocess.DEVNULL,
    )


async def stop(child: asyncio.subprocess.Process) -> None:
    if child.returncode is not None:
        raise RuntimeError(f"a process that was measured ended by itself with {child.returncode}")
    child.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(child.wait(), STOP_SECONDS)
    except TimeoutError:
        child.kill()
        await child.wait()


async def _run_until_told_to_stop(folder: Path) -> None:
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    async with running_system(folder, port=0) as system:
        urls = {name: _url(system.runtimes[name].settings) for name in ("referral", "monitoring")}
        sys.stdout.write(json.dumps(urls) + "\n")
        sys.stdout.flush()
        failing = asyncio.create_task(system.until_it_fails())
        await asyncio.wait([asyncio.create_task(told.wait()), failing], return_when=asyncio.FIRST_COMPLETED)
        if failing.done():
            await failing
        failing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await failing


if __name__ == "__main__":
    import uvloop

    uvloop.run(_run_until_told_to_stop(Path(sys.argv[1])))
