"""The condition of one service, gathered in one place: `/health` and `/metrics` tell the same facts."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import QueuePool

from shared import clock
from shared.bus import brake
from shared.db import outbox, parked_events, timers
from shared.runtime import Runtime

T = TypeVar("T")
LOOK_SECONDS = 1.5
"""What database and bus are given to answer, both at once; whoever asks how it stands hears within two seconds."""


@dataclass(frozen=True)
class Parked:
    """What is parked for one listener."""

    keys: int
    events: int
    lately: int
    """Keys parked within the time of the brake's first limit."""
    braked: bool


@dataclass(frozen=True)
class Stored:
    """What the service's own database says."""

    unsent: int
    """Events in the outbox that the relay has not sent."""
    oldest_unsent: float
    """Seconds since the oldest of them was written."""
    timers_due: int
    timers_failing: int
    parked: dict[str, Parked]
    """By listener."""


@dataclass(frozen=True)
class Condition:
    """None: whoever knows did not answer."""

    stored: Stored | None
    lags: dict[str, dict[str, int]] | None
    """Listener → topic → events that it has not applied yet."""
    failing: dict[str, int] = field(default_factory=dict)
    """Part that runs in this process → how often it has failed in a row."""
    connections: dict[str, int] = field(default_factory=dict)
    """State → connections of this process to the database."""


async def look(runtime: Runtime) -> Condition:
    """How the service stands now; what cannot be found out in time is missing and the rest is said."""
    stored, lags = await asyncio.gather(_in_time(_stored(runtime)), _in_time(_lags(runtime)))
    return Condition(stored, lags, dict(runtime.metrics.failing), _connections(runtime))


async def _in_time(question: Coroutine[Any, Any, T]) -> T | None:
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            return await question
    except Exception:  # noqa: BLE001  # whatever is wrong with one of them is no reason to say nothing of the rest
        return None


async def _stored(runtime: Runtime) -> Stored:
    age = func.extract("epoch", func.clock_timestamp() - func.min(outbox.c.written_at))
    unsent = select(func.count(), age).where(outbox.c.published_at.is_(None))
    failing = func.count().filter(timers.c.attempts > 0)
    due = select(func.count().filter(timers.c.due_at <= clock.now()), failing)
    async with runtime.sessions() as session:
        count, oldest = (await session.execute(unsent)).one()
        timers_due, timers_failing = (await session.execute(due)).one()
        parked = {listener: await _parked(session, listener) for listener in runtime.hears}
    return Stored(count, round(float(oldest or 0), 3), timers_due, timers_failing, parked)


async def _parked(session: AsyncSession, listener: str) -> Parked:
    # A message without a readable key is parked alone.
    keys = func.count(func.coalesce(parked_events.c.key, cast(parked_events.c.parked_id, Text)).distinct())
    query = select(keys, func.count()).where(parked_events.c.listener == listener)
    found, events = (await session.execute(query)).one()
    lately = await brake.keys_parked(session, listener, brake.LIMITS[0].seconds)
    return Parked(found, events, lately, await brake.reached(session, listener) is not None)


async def _lags(runtime: Runtime) -> dict[str, dict[str, int]]:
    service = runtime.settings.service
    return {
        listener: {topic: await runtime.bus.lag(f"{service}.{listener}", [topic]) for topic in topics}
        for listener, topics in runtime.hears.items()
    }


def _connections(runtime: Runtime) -> dict[str, int]:
    pool = runtime.engine.pool
    if not isinstance(pool, QueuePool):
        return {}
    return {"in use": pool.checkedout(), "idle": pool.checkedin()}
