"""Health: `/livez` (the process), `/readyz` (it can serve), `/health` (`application/health+json`) and `/metrics`."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy import text
from starlette.responses import Response

from shared.actor import Actor
from shared.condition import Condition, look
from shared.http.auth import needs
from shared.http.exposition import metrics_of
from shared.http.route import Router
from shared.migrations import State, state_in
from shared.runtime import Runtime

HEALTH_JSON = "application/health+json"
OUTBOX_WARN_SECONDS = 30
LAG_WARN = 1000
DUE_WARN = 100
READY_SECONDS = 2.0
READY_LAG = 500
"""A service is ready when its projections are at most this many events behind; one that has heard nothing yet, when
there is nothing to hear."""
HEARD_ANYTHING = text("SELECT EXISTS (SELECT FROM inbox WHERE listener = 'projections')")
OpsReader = Annotated[Actor, needs("ops:health")]

Checks = dict[str, list[dict[str, Any]]]
AWAY = [{"componentType": "datastore", "status": "fail"}]


def _check(value: float, unit: str, status: str = "pass") -> list[dict[str, Any]]:
    return [{"componentType": "component", "observedValue": value, "observedUnit": unit, "status": status}]


def _at_most(most: float, value: float, unit: str) -> list[dict[str, Any]]:
    return _check(value, unit, "warn" if value > most else "pass")


def _checks(condition: Condition) -> Checks:
    checks: Checks = {}
    if (stored := condition.stored) is None:
        checks["database:connection"] = AWAY
    else:
        checks["outbox:oldestUnpublished"] = _at_most(OUTBOX_WARN_SECONDS, stored.oldest_unsent, "s")
        checks["relay:lag"] = _at_most(LAG_WARN, stored.unsent, "events")
        checks["timers:due"] = _at_most(DUE_WARN, stored.timers_due, "timers")
        checks["timers:failing"] = _at_most(0, stored.timers_failing, "timers")
        checks["parked:keys"] = _at_most(0, sum(parked.keys for parked in stored.parked.values()), "keys")
        checks["parked:events"] = _at_most(0, sum(parked.events for parked in stored.parked.values()), "events")
        for listener, parked in stored.parked.items():
            checks[f"{listener}:brake"] = _check(parked.lately, "keys", "fail" if parked.braked else "pass")
    if condition.lags is None:
        checks["bus:connection"] = AWAY
    else:
        for listener, topics in condition.lags.items():
            checks[f"{listener}:lag"] = _at_most(LAG_WARN, sum(topics.values()), "events")
    for part, times in condition.failing.items():
        checks[f"{part}:retries"] = _at_most(0, times, "times")
    return checks


def health_of(service: str, condition: Condition) -> JSONResponse:
    """The condition in the form of draft-inadarei-api-health-check; 503 when the worst of it is `fail`."""
    checks = _checks(condition)
    found = {each["status"] for listed in checks.values() for each in listed}
    worst = next(status for status in ("fail", "warn", "pass") if status in found)
    body = {"status": worst, "version": "1", "serviceId": service, "checks": checks}
    return JSONResponse(body, 503 if worst == "fail" else 200, media_type=HEALTH_JSON)


async def readiness(runtime: Runtime) -> dict[str, bool]:
    """Which of the things that a request needs are there: database, migrations at head, bus, caught up."""
    found = {"database": False, "migrations": False, "bus": False, "caught_up": False}
    try:
        async with asyncio.timeout(READY_SECONDS):
            async with runtime.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
                found["database"] = True
                found["migrations"] = await state_in(connection, runtime.settings.service) is State.AT_HEAD
                begun = found["migrations"] and await connection.scalar(HEARD_ANYTHING)
            lags = [
                await runtime.bus.lag(f"{runtime.settings.service}.{listener}", topics)
                for listener, topics in runtime.hears.items()
                if listener == "projections"
            ]
            found["bus"] = True
            found["caught_up"] = max(lags, default=0) <= (READY_LAG if begun else 0)
    except Exception:  # noqa: BLE001  # whatever is wrong, the answer to "are you ready" is no, and which part it is
        return found
    return found


def offer_health(app: FastAPI, service: str, runtime: Runtime) -> None:
    """Add the health addresses and `/metrics` to `app`."""
    plain = APIRouter(tags=["health"])
    guarded = Router(tags=["health"])

    @plain.get("/livez")
    async def livez() -> dict[str, str]:
        """The process runs. Touches neither database nor bus."""
        return {"status": "pass"}

    @plain.get("/readyz")
    async def readyz() -> JSONResponse:
        """200 when this process can serve requests, else 503 with what is missing."""
        found = await readiness(runtime)
        return JSONResponse(
            {"status": "pass" if all(found.values()) else "fail", "checks": found}, 200 if all(found.values()) else 503
        )

    @plain.get("/metrics", include_in_schema=False)  # not for partners: the public gateway does not lead here
    async def metrics(request: Request) -> Response:
        return await metrics_of(runtime, request)

    @guarded.get("/health", response_class=JSONResponse)
    async def health(actor: OpsReader) -> JSONResponse:
        """Outbox age, listener lag, parked events and brakes, in the form of draft-inadarei-api-health-check."""
        return health_of(service, await look(runtime))

    for router in (plain, guarded):
        app.include_router(router, prefix=f"/{service}")
