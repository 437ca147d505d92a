"""All of Relink in one process and one event loop, on an embedded PostgreSQL: for development, demos and tests."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx
import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp

from relink import databases
from relink.data_folder import DataFolder
from relink.demo_issuer import DemoIssuer
from relink.embedded import SUPERUSER, EmbeddedPostgres, PostgresFailed
from relink.failures import PartFailed
from relink.gateway import Gateway
from relink.local_mode import local_mode
from relink.ports import bound
from relink.services import SERVICES
from shared import clock
from shared.http.auth import Trust, issuer_of
from shared.runtime import Runtime
from shared.worker import Worker

HOST = "127.0.0.1"
WATCH_SECONDS = 1.0
NAMES = [HOST, "localhost"]
"""What the Host header may say: a page that points its own name at this machine (DNS rebinding) gets nothing."""


def _innermost(error: BaseException | None) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) if isinstance(error, PostgresFailed) else type(error).__name__


@dataclass
class System:
    """A running Relink. `clients` are closed with it."""

    origin: str
    issuer: DemoIssuer
    runtimes: dict[str, Runtime] = field(default_factory=dict)
    workers: dict[str, Worker] = field(default_factory=dict)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    """The last events that the demo's partners wrote: each of their requests waits for them."""

    def client(self, client_id: str) -> httpx.AsyncClient:
        """An HTTP client that speaks for a demo client, with a fresh token on every request. The caller closes it."""
        return httpx.AsyncClient(base_url=self.origin, auth=_DemoAuth(self.issuer, client_id), timeout=30)

    async def move_clock(self, now: datetime) -> int:
        """Business time goes on from `now`; says how many timers had fallen due, all of which have run."""
        clock.move_to(now)
        ran = 0
        while more := sum([await worker.run_due_timers() for worker in self.workers.values()]):
            ran += more
        return ran

    async def until_it_fails(self) -> None:
        """Returns never; raises when a part of the system has died."""
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
        system.tasks.append(asyncio.create_task(_watch(postgres), name="PostgreSQL"))
        for name, worker in system.workers.items():
            system.tasks.append(asyncio.create_task(worker.run(), name=f"{name} worker"))
        at_the_end.push_async_callback(_cancel, list(system.tasks))
        server = _Server(TrustedHostMiddleware(Gateway(applications), NAMES))
        serving = asyncio.create_task(server.serve([listener]), name="http")
        system.tasks.append(serving)
        at_the_end.push_async_callback(server.finish, serving)
        await server.listening.wait()
        yield system


class _Server(uvicorn.Server):
    """Uvicorn inside a process of ours: signals are not its business, and it says when it listens."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app, log_config=None, access_log=False, server_header=False, lifespan="off", ws="none",
                timeout_graceful_shutdown=5,
            )
        )  # fmt: skip
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def finish(self, serving: asyncio.Task[None]) -> None:
        self.should_exit = True
        await serving


async def _watch(postgres: EmbeddedPostgres) -> None:
    """Ends only when the server has: nothing works without it, and it does not come back by itself."""
    while postgres.alive:  # noqa: ASYNC110  # a process has no event to wait for
        await asyncio.sleep(WATCH_SECONDS)
    raise PostgresFailed("PostgreSQL ended by itself: see postgres.log in the data folder")


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)  # what made one of them fail was told already


class _DemoAuth(httpx.Auth):
    def __init__(self, issuer: DemoIssuer, client_id: str) -> None:
        self._issuer = issuer
        self._client_id = client_id

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        request.headers["Authorization"] = f"Bearer {self._issuer.token(self._client_id)}"
        yield request
