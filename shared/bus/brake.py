"""The brake: many keys parked in a short time are a bad deploy, not bad events, so the listener stops.

It is read from `parked_events`, not kept in a process: whoever a supervisor starts in place of the one that stopped
finds it on and parks nothing more. It is off when time has passed, or when what set it was redriven or discarded.
"""

from dataclasses import dataclass

from sqlalchemy import Text, cast, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db import parked_events as table


@dataclass(frozen=True)
class Limit:
    """As many keys parked by one listener within so many seconds, by the machine's time, stop it."""

    keys: int
    seconds: int


LIMITS = (Limit(20, 60), Limit(60, 3600))
"""The first stops a bad deploy. The second bounds what one parks that a supervisor starts again all night."""


async def reached(session: AsyncSession, listener: str) -> Limit | None:
    """The limit that the listener has reached; None while it may go on."""
    for limit in LIMITS:
        if await keys_parked(session, listener, limit.seconds) >= limit.keys:
            return limit
    return None


async def keys_parked(session: AsyncSession, listener: str, seconds: int) -> int:
    """How many keys the listener parked within the last `seconds`, those that wait behind another not counted."""
    since = func.clock_timestamp() - text(f"interval '{seconds:d} seconds'")
    keys = func.coalesce(table.c.key, cast(table.c.parked_id, Text))
    query = select(func.count(keys.distinct())).where(
        table.c.listener == listener, table.c.attempts > 0, table.c.parked_at > since
    )
    return await session.scalar(query) or 0
