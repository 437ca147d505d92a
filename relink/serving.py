"""One HTTP server inside a process that does other things too."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
"""What the Host header may say on one machine: a page that points its own name at it (DNS rebinding) gets nothing."""


@asynccontextmanager
async def serving(
    app: ASGIApp, listener: socket.socket, names: Sequence[str] = NAMES
) -> AsyncIterator[asyncio.Task[None]]:
    """Inside, `app` answers on `listener`; the task ends only if the server does. Requests are finished at the end."""
    server = _Server(TrustedHostMiddleware(app, list(names)))
    task = asyncio.create_task(server.serve([listener]), name="http")
    try:
        await server.listening.wait()
        yield task
    finally:
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    """Signals are not its business, and it says when it listens."""

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
