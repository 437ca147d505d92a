from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.freshness import actions
from services.registry.intervals.domain import GOES_STALE, HIDES
from shared.timers import Timer, Timers

timers = Timers()


@timers.on(GOES_STALE)
async def go_stale(session: AsyncSession, timer: Timer) -> None:
    """Nobody confirmed the service by the day on which its review was due."""
    await actions.go_stale(session, timer.aggregate_id)


@timers.on(HIDES)
async def hide(session: AsyncSession, timer: Timer) -> None:
    """Nobody has confirmed the service for so long that it is shown no more."""
    await actions.hide(session, timer.aggregate_id)
