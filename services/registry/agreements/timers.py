from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.agreements import actions
from shared.timers import Timer, Timers

timers = Timers()


@timers.on(actions.RUNS_OUT)
async def run_out(session: AsyncSession, timer: Timer) -> None:
    """The agreement has run out: say so, if it is still in force."""
    await actions.run_out(session, timer.aggregate_id)


async def announce_end(session: AsyncSession, timer: Timer) -> None:
    """The agreement ends soon: say so, if it is still in force."""
    await actions.announce_end(session, timer.aggregate_id, actions.ENDING[timer.kind])


for kind in actions.ENDING:
    timers.on(kind)(announce_end)
