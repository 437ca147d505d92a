"""One way for every request: who asks, whether they may, once or again, then the endpoint in one transaction.

Refusals come in one order: 401, 403, missing key, then everything else. The transaction commits before the
first byte of the answer leaves: a client that reads 201 can rely on it.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.dependencies.models import Dependant
from fastapi.params import Form
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic_core import from_json
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from shared.db import Versioned
from shared.errors import Malformed, PreconditionFailed, PreconditionRequired, TooLarge, Unprocessable, invalid
from shared.http import idempotency, read_after
from shared.http.auth import authenticate, permit
from shared.outbox import last_event
from shared.runtime import Runtime

BODY_LIMIT = 1_000_000
"""Bytes a request may have, where its route says nothing else."""


def body_limit(most: int) -> dict[str, Any]:
    """`openapi_extra` of a route that takes larger bodies."""
    return {"x-body-limit": most}


UNKNOWN = "unknown_field"
_SAFE = ("GET", "HEAD", "OPTIONS")


def scopes_of(dependant: Dependant) -> list[str]:
    """The scopes that an endpoint's argument types name."""
    return [
        *(dependant.own_oauth_scopes or []),
        *(scope for each in dependant.dependencies for scope in scopes_of(each)),
    ]


def _names_of(dependant: Dependant) -> set[str] | None:
    """The query parameters an endpoint knows; None where a schema of its own takes them and refuses others itself."""
    named = {field.alias for field in dependant.query_params}
    if any(isinstance(field.field_info.annotation, type) and issubclass(field.field_info.annotation, BaseModel)
           for field in dependant.query_params):  # fmt: skip
        return None
    for each in dependant.dependencies:
        below = _names_of(each)
        if below is None:
            return None
        named |= below
    return named


class Route(APIRoute):
    """A route of a service's API."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = super().get_route_handler()
        scopes = scopes_of(self.dependant)
        if not scopes:
            raise TypeError(f"{self.path}: the endpoint names no scope; nobody may be let in by oversight")
        extra = self.openapi_extra or {}
        known = _names_of(self.dependant)
        fields = {field.alias for field in self.dependant.body_params if isinstance(field.field_info, Form)}
        key_required = extra.get("x-idempotency-key") == "required"
        most = extra.get("x-body-limit", BODY_LIMIT)

        async def handle(request: Request) -> Response:
            runtime: Runtime = request.app.state.runtime
            actor = request.state.actor = await authenticate(request, runtime.trust)
            permit(actor, scopes)
            key = idempotency.key_of(request, key_required) if request.method == "POST" else None
            if (after := request.headers.get("relink-after")) is not None:
                await read_after.wait_until_past(runtime, after)
            if request.method not in _SAFE:
                await _read_body(request, most)
            if known is not None and not known.issuperset(request.query_params):
                raise Unprocessable(errors=[invalid("/query", "holds a parameter that is not known here", UNKNOWN)])
            if fields and not fields.issuperset(await request.form()):
                raise Unprocessable(errors=[invalid("", "holds a field that is not known here", UNKNOWN)])
            async with runtime.sessions() as session:
                request.state.session = session
                claim = await idempotency.claim(request, self.path, actor, key) if key is not None else None
                if claim is not None and (kept := await idempotency.kept_answer(session, claim)) is not None:
                    return kept
                response = await endpoint(request)
                _add_etag(response)
                if (event := last_event(session)) is not None:
                    response.headers["Relink-Event"] = event
                if claim is not None:
                    await idempotency.keep_answer(session, claim, response)
                with idempotency.first_use():
                    await session.commit()
            return response

        return handle


async def _read_body(request: Request, most: int) -> None:
    """Read the body here, so that one that is too large is refused in its turn, and as a problem."""
    if int(request.headers.get("content-length", "0")) > most:
        raise TooLarge
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise TooLarge
    request._body = bytes(body)  # where Starlette keeps a body that was read
    if b"\\u0000" in body and "json" in request.headers.get("content-type", ""):
        raise Malformed("a text holds the character U+0000, which cannot be stored")


def _add_etag(response: Response) -> None:
    """A resource that has a `version` has an ETag."""
    body = getattr(response, "body", b"")
    if not body.startswith(b"{") or body.startswith(b'{"items":') or b'"version":' not in body:
        return
    version = from_json(body).get("version")
    if isinstance(version, int):
        response.headers.setdefault("ETag", f'"{version}"')


class Router(APIRouter):
    """The router of one module; its paths are relative to `/<service>/v1`."""

    def __init__(self, tags: list[str]) -> None:
        super().__init__(tags=list(tags), route_class=Route)


# Dependencies are coroutines, for FastAPI runs plain functions in a thread, and waits for it.
async def _session(request: Request) -> AsyncSession:
    session: AsyncSession = request.state.session
    return session


Transaction = Annotated[AsyncSession, Depends(_session)]
"""The request's one transaction; nobody but the route commits it."""


async def _expected(if_match: Annotated[str | None, Header(description="The ETag that was read")] = None) -> int:
    if if_match is None:
        raise PreconditionRequired
    tag = if_match.strip().removeprefix("W/").strip('"')
    if not tag.isascii() or not tag.isdigit() or len(tag) > 9:
        raise PreconditionFailed
    return int(tag)


Expected = Annotated[int, Depends(_expected)]
"""The version the client believes current (If-Match): 428 without, 412 when stale."""


def expect(row: Versioned, expected: int) -> None:
    """Refuse to change what the client has not seen. Call it with the row locked."""
    if row.version != expected:
        raise PreconditionFailed
