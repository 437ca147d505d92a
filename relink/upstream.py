"""One service behind the gateway, at an address of its own: requests and answers stream through unchanged."""

import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import Problem
from shared.http.problems import as_response
from shared.http.request_context import RequestContext

log = logging.getLogger(__name__)

HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
     b"trailer", b"transfer-encoding", b"upgrade")
)  # fmt: skip
"""Headers about one connection, not about the message (RFC 9110, 7.6.1); so are those that `Connection` names."""
KEPT_SECONDS = 2.0
"""How long an idle connection is kept: less than the five seconds of uvicorn, which must not close it under us."""
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
MAYBE = "whether the request was carried out is not known: repeat it with the same Idempotency-Key"
TIMEOUT = httpx.Timeout(connect=5.0, read=60.0, write=60.0, pool=10.0)

RawHeaders = list[tuple[bytes, bytes]]


class ServiceAway(Problem):
    """This service does not answer just now"""

    status = 503


@asynccontextmanager
async def behind(addresses: Mapping[str, str]) -> AsyncIterator[dict[str, ASGIApp]]:
    """By name, the services at these addresses (`http://host:port`). No proxy of the environment stands in between."""
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=KEPT_SECONDS)
    async with httpx.AsyncClient(timeout=TIMEOUT, limits=limits, trust_env=False) as http:
        yield {name: Upstream(http, address) for name, address in addresses.items()}


class Upstream:
    """The ASGI application that is the service at `address`."""

    def __init__(self, http: httpx.AsyncClient, address: str) -> None:
        self._http = http
        self._address = address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._http.send(self._request(Request(scope, receive)), stream=True)
        except ClientDisconnect:
            return
        except httpx.TransportError as error:
            log.warning("%s does not answer: %s", self._address, type(error).__name__)
            await RequestContext(_refusal(ServiceAway(None if isinstance(error, NOT_SENT) else MAYBE)))(
                scope, receive, send
            )
            return
        try:
            headers = _end_to_end(answer.headers.raw)
            await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
            async for part in answer.aiter_raw():
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body"})
        except httpx.TransportError as error:
            # An answer without its end: the server closes the connection, so that nobody takes it for a whole one.
            log.warning("%s broke off its answer: %s", self._address, type(error).__name__)
        finally:
            await answer.aclose()

    def _request(self, incoming: Request) -> httpx.Request:
        query = incoming.scope["query_string"]
        # As it came: a path that is resolved anew could lead elsewhere than where the gateway looked.
        target = incoming.scope["raw_path"] + (b"?" + query if query else b"")
        return httpx.Request(
            incoming.method,
            self._address,
            headers=_end_to_end(incoming.headers.raw),
            content=_body(incoming) if _has_body(incoming) else None,
            extensions={"target": target, "timeout": TIMEOUT.as_dict()},
        )


def _end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
    listed = [(name.lower(), value) for name, value in headers]
    named = {word.strip().lower() for name, value in listed if name == b"connection" for word in value.split(b",")}
    return [(name, value) for name, value in listed if name not in HOP_BY_HOP and name not in named]


def _has_body(request: Request) -> bool:
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


async def _body(request: Request) -> AsyncIterator[bytes]:
    async for part in request.stream():
        yield part


def _refusal(problem: Problem) -> ASGIApp:
    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        await as_response(Request(scope), problem)(scope, receive, send)

    return refuse
