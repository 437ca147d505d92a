"""Health: `/livez` (the process), `/readyz` (it can serve), `/health` (`application/health+json`, for operators)."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.actor import Actor
from shared.bus import brake, parking
from shared.bus.weather import BUS_FAULTS
from shared.db import outbox, timers
from shared.http.auth import needs
from shared.http.route import Router, Transaction
from shared.migrations import State, state_in
from shared.runtime import Runtime

HEALTH_JSON = "application/health+json"
OUTBOX_WARN_SECONDS = 30
LAG_WARN = 1000
READY_SECONDS = 2.0
READY_LAG = 500
"""A service is ready when its projections are at most this many events behind; one that has heard nothing yet, when
there is nothing to hear."""
HEARD_ANYTHING = text("SELECT EXISTS (SELECT FROM inbox WHERE listener = 'projections')")
OpsReader = Annotated[Actor, needs("ops:health")]

Check = dict[str, Any]


def _check(value: float, unit: str, warn_above: float) -> list[Check]:
    status = "warn" if value > warn_above else "pass"
    return [{"componentType": "component", "observedValue": value, "observedUnit": unit, "status": status}]


async def _brake(session: AsyncSession, listener: str) -> list[Check]:
    """The keys that the listener parked lately; `fail` when they are so many that it stops."""
    parked = await brake.keys_parked(session, listener, brake.LIMITS[0].seconds)
    status = "pass" if await brake.reached(session, listener) is None else "fail"
    return [{"componentType": "component", "observedValue": parked, "observedUnit": "keys", "status": status}]


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
    """Add the three health addresses to `app`."""
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

    @guarded.get("/health", response_class=JSONResponse)
    async def health(session: Transaction, actor: OpsReader) -> JSONResponse:
        """Outbox age, listener lag, parked events and brakes, in the form of draft-inadarei-api-health-check."""
        age = await session.scalar(
            select(func.extract("epoch", func.clock_timestamp() - func.min(outbox.c.written_at))).where(
                outbox.c.published_at.is_(None)
            )
        )
        checks = {"outbox:oldestUnpublished": _check(round(float(age or 0), 3), "s", OUTBOX_WARN_SECONDS)}
        try:
            async with asyncio.timeout(READY_SECONDS):
                for listener, topics in runtime.hears.items():
                    lag = await runtime.bus.lag(f"{service}.{listener}", topics)
                    checks[f"{listener}:lag"] = _check(lag, "events", LAG_WARN)
        except BUS_FAULTS:  # no reason to say nothing of the rest
            checks["bus:connection"] = [{"componentType": "datastore", "status": "fail"}]
        failing = await session.scalar(select(func.count()).select_from(timers).where(timers.c.attempts > 0))
        checks["timers:failing"] = _check(failing or 0, "timers", 0)
        for listener in runtime.hears:
            checks[f"{listener}:brake"] = await _brake(session, listener)
        checks["parked:events"] = _check(await parking.count(session), "events", 0)
        found = {each["status"] for listed in checks.values() for each in listed}
        worst = next(status for status in ("fail", "warn", "pass") if status in found)
        body = {"status": worst, "version": "1", "serviceId": service, "checks": checks}
        return JSONResponse(body, 503 if worst == "fail" else 200, media_type=HEALTH_JSON)

    for router in (plain, guarded):
        app.include_router(router, prefix=f"/{service}")
