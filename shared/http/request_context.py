"""The outermost layer of every service: a request id and a trace for the logs, and headers every answer has."""

import logging
import time
from uuid import UUID

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import telemetry
from shared.http.problems import internal
from shared.ids import new_id
from shared.metrics import Metrics
from shared.traces import SILENT, Tell, Traces

log = logging.getLogger("relink.requests")


class RequestContext:
    """Pure ASGI, so that it adds no task and no buffering of its own."""

    def __init__(self, app: ASGIApp, metrics: Metrics | None = None, traces: Traces = SILENT) -> None:
        self._app = app
        self._metrics = metrics
        self._traces = traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        current = telemetry.request_id.set(_request_id(headers.get("x-request-id")))
        try:
            with self._traces.span("server", scope["method"], headers.get("traceparent")) as tell:
                await self._answer(scope, receive, send, tell)
        finally:
            telemetry.request_id.reset(current)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, tell: Tell) -> None:
        began, status = time.perf_counter(), 500

        async def with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                added = MutableHeaders(scope=message)
                added["X-Request-Id"] = telemetry.request_id.get() or ""
                added["X-Content-Type-Options"] = "nosniff"
                added.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, with_headers)
        except Exception as error:  # noqa: BLE001  # here it ends: uvicorn would log its text, which may hold data
            await internal(Request(scope), error)(scope, receive, with_headers)
        finally:
            route = getattr(scope.get("route"), "path", "nowhere")  # as declared: an address may hold what is private
            method, seconds = scope["method"], time.perf_counter() - began
            log.info("%s %s %s %.1f ms", method, route, status, seconds * 1000)
            if self._metrics is not None:
                self._metrics.answered(method, route, status, seconds)
            about = {"http.request.method": method, "http.route": route, "http.response.status_code": status}
            tell(f"{method} {route}", about | ({"error.type": str(status)} if status >= 500 else {}))


def _request_id(sent: str | None) -> str:
    """The caller's id if it is a UUID (anything else could be a name), else one of ours."""
    try:
        return str(UUID(sent)) if sent else str(new_id())
    except ValueError:
        return str(new_id())
