"""`/dev/token`, `/dev/jwks`, `/dev/clock`: what a system on loopback offers so that it can be used by itself."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime

from relink.demo_issuer import DemoIssuer, TokenRefused
from shared.http.problems import speak_problems
from shared.http.request_context import RequestContext
from shared.http.schema import In, Out
from shared.settings import is_loopback

FORM = "application/x-www-form-urlencoded"

MoveClock = Callable[[datetime], Awaitable[int]]


class NotLoopback(RuntimeError):
    """Local mode gives tokens to whoever asks, so it refuses to exist where others could ask."""


class Moment(In):
    """The business time to go on from."""

    now: AwareDatetime


class Moved(Out):
    """`timers_run` deadlines and reminders had fallen due; what they brought about has happened."""

    now: datetime
    timers_run: int


def local_mode(host: str, issuer: DemoIssuer, move_clock: MoveClock) -> FastAPI:
    """The application behind `/dev`. Raises NotLoopback unless `host` is the machine's own address."""
    if not is_loopback(host):
        raise NotLoopback(f"local mode is for loopback only, not for {host}")
    app = FastAPI(
        title="Relink local mode", version="1", openapi_url="/dev/openapi.json", docs_url="/dev/docs", redoc_url=None
    )
    speak_problems(app)
    app.add_middleware(RequestContext)

    @app.post("/dev/token")
    async def token(request: Request) -> JSONResponse:
        """An access token for a demo client: form fields `grant_type=client_credentials` and `client_id`."""
        return JSONResponse(issuer.answer(await _form(request)))

    @app.get("/dev/jwks")
    async def jwks() -> dict[str, Any]:
        """The keys of this start (RFC 7517), with which services check its tokens."""
        return issuer.jwks()

    @app.post("/dev/clock")
    async def move_the_clock(moment: Moment) -> Moved:
        """Business time goes on from `now` in every service; answered when every timer then due has run."""
        return Moved(now=moment.now, timers_run=await move_clock(moment.now))

    @app.exception_handler(TokenRefused)
    async def _(_: Request, error: TokenRefused) -> JSONResponse:
        headers = {"WWW-Authenticate": 'Bearer realm="relink"'} if error.status == 401 else {}
        return JSONResponse({"error": error.code}, error.status, headers)

    return app


async def _form(request: Request) -> dict[str, Any]:
    """The fields of a token request; none may be there twice (RFC 6749, 3.2)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise TokenRefused("invalid_request")
    fields = parse_qsl((await request.body()).decode("latin-1"))
    if len(fields) != len(dict(fields)):
        raise TokenRefused("invalid_request")
    return dict(fields)
