"""The port of a worker, which serves nothing else: `/livez`, `/health` and `/metrics`, for those inside only."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.condition import look
from shared.http.exposition import metrics_of
from shared.http.health import health_of
from shared.runtime import Runtime


def application(runtime: Runtime) -> Starlette:
    """Without tokens: it tells numbers only, and the port is not for the public."""

    async def livez(_: Request) -> Response:
        return JSONResponse({"status": "pass"})

    async def health(_: Request) -> Response:
        return health_of(runtime.settings.service, await look(runtime))

    async def metrics(request: Request) -> Response:
        return await metrics_of(runtime, request)

    return Starlette(routes=[Route(f"/{each.__name__}", each) for each in (livez, health, metrics)])


class _Server(uvicorn.Server):
    """Signals are the worker's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def seen_from_outside(runtime: Runtime) -> AsyncIterator[int | None]:
    """While inside, the worker answers on its `metrics_port`, if it has one. A port that is taken ends the process."""
    settings = runtime.settings
    if settings.metrics_port is None:
        yield None
        return
    config = uvicorn.Config(
        application(runtime), host=settings.host, port=settings.metrics_port, log_config=None, access_log=False,
        server_header=False, lifespan="off", timeout_graceful_shutdown=1,
    )  # fmt: skip
    listener = config.bind_socket()
    server = _Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await serving
