from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.imports import actions
from shared.timers import Timer, Timers

timers = Timers()


@timers.on(actions.RUN)
async def run(session: AsyncSession, timer: Timer) -> None:
    """A file was handed in: read it."""
    await actions.run(session, timer.aggregate_id)
