"""All of Relink in one process and one event loop, on an embedded PostgreSQL: for development, demos and tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from starlette.types import ASGIApp

from relink import databases
from relink.data_folder import DataFolder
from relink.demo_issuer import DemoIssuer
from relink.embedded import SUPERUSER, EmbeddedPostgres, PostgresFailed
from relink.failures import PartFailed
from relink.gateway import Gateway
from relink.local_mode import local_mode
from relink.ports import bound
from relink.running import Running
from relink.services import SERVICES
from relink.serving import HOST, serving
from shared import clock
from shared.http.auth import Trust, issuer_of
from shared.runtime import Runtime
from shared.worker import Worker


def _innermost(error: BaseException | None) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) if isinstance(error, PostgresFailed) else type(error).__name__


@dataclass
class System(Running):
    """A running Relink in this process."""

    runtimes: dict[str, Runtime] = field(default_factory=dict)
    workers: dict[str, Worker] = field(default_factory=dict)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def move_clock(self, now: datetime) -> int:
        clock.move_to(now)
        ran = 0
        while more := sum([await worker.run_due_timers() for worker in self.workers.values()]):
            ran += more
        return ran

    async def until_it_fails(self) -> None:
        done, _ = await asyncio.wait(self.tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            failed = task.exception()
            raise PartFailed(f"{task.get_name()} has ended ({_innermost(failed)}): see the log") from failed


@asynccontextmanager
async def running_system(folder: Path, port: int = 8000, host: str = HOST) -> AsyncIterator[System]:
    """Inside, everything runs and answers on `host`; afterwards nothing of it is left but the data.

    Port 0 takes any free one. Raises PortInUse, FolderInUse, NotLoopback or PostgresFailed.
    """
    async with AsyncExitStack() as at_the_end:
        data = at_the_end.enter_context(DataFolder(folder).hold())
        listener = at_the_end.enter_context(bound(host, port))
        keyring = data.keyring
        postgres = at_the_end.enter_context(EmbeddedPostgres(data.path, keyring.password(SUPERUSER)))

        origin = f"http://{host}:{listener.getsockname()[1]}"
        system = System(origin, DemoIssuer(origin))
        applications: dict[str, ASGIApp] = {"dev": local_mode(host, system.issuer, system.move_clock)}
        trust = Trust(origin, [issuer_of(system.issuer.trust())])
        settings = await databases.prepare(postgres, keyring, origin)
        for service in SERVICES:
            await service.migrate(settings[service.name])
        at_the_end.callback(clock.reset)
        for service in SERVICES:
            runtime = service.runtime(settings[service.name], trust)
            at_the_end.push_async_callback(runtime.close)
            system.runtimes[service.name] = runtime
            system.workers[service.name] = service.worker(runtime)
            applications[service.name] = service.api(runtime)
        system.tasks.append(asyncio.create_task(postgres.until_it_ends(), name="PostgreSQL"))
        for name, worker in system.workers.items():
            system.tasks.append(asyncio.create_task(worker.run(), name=f"{name} worker"))
        at_the_end.push_async_callback(_cancel, list(system.tasks))
        system.tasks.append(await at_the_end.enter_async_context(serving(Gateway(applications), listener)))
        yield system


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)  # what made one of them fail was told already
