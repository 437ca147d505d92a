"""What happens when a deadline passes: both sides are told, what nobody answers expires, nothing is closed silently."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.referrals import actions, deadlines, queries, reasons, schedule
from services.referral.referrals.deadlines import LEADS_TO_EXPIRY, Deadline
from services.referral.referrals.domain import Action
from services.referral.referrals.journey import Journey
from services.referral.referrals.steps import Step
from shared.timers import Timer, Timers

MISSED = "deadline_missed"

timers = Timers()


async def _journey(session: AsyncSession, timer: Timer) -> Journey | None:
    """The referral under lock; None if the deadline no longer runs, or not until this moment."""
    locked = await queries.lock(session, [timer.aggregate_id])
    if not locked or deadlines.read(locked[0].referral.due, Deadline(timer.kind)) != timer.due_at:
        return None
    return locked[0]


async def _miss(session: AsyncSession, journey: Journey, timer: Timer) -> None:
    """DeadlineMissed is said. It stays among what is due, so that everybody sees since when it is overdue."""
    deadline = Deadline(timer.kind)
    if deadline in LEADS_TO_EXPIRY:
        await schedule.escalate(session, journey, deadline, timer.due_at)
    step = Step(session, journey, MISSED, by=None, fired=deadline)
    step.says |= {"deadline": deadline.value, "due_at": timer.due_at}
    step.details |= {"deadline": deadline.value, "due_at": timer.due_at.isoformat()}
    await step.finish("DeadlineMissed")


@timers.on(Deadline.ACKNOWLEDGEMENT)
@timers.on(Deadline.DECISION)
@timers.on(Deadline.INFORMATION)
@timers.on(Deadline.FIRST_CONTACT)
@timers.on(Deadline.START)
@timers.on(Deadline.REVIEW)
@timers.on(Deadline.OUTCOME_ACKNOWLEDGEMENT)
async def tell(session: AsyncSession, timer: Timer) -> None:
    """Somebody did not act in time; both sides are told."""
    if (journey := await _journey(session, timer)) is not None:
        await _miss(session, journey, timer)


@timers.on(Deadline.OFFER)
async def take_the_offer_back(session: AsyncSession, timer: Timer) -> None:
    """Nobody took the place that was offered: both sides are told and it goes to the next."""
    if (journey := await _journey(session, timer)) is not None:
        await _miss(session, journey, timer)
        await actions.act_for_system(
            session, journey, Action.DECLINE_PLACE, reasons.NO_ANSWER, fired=Deadline(timer.kind)
        )


@timers.on(Deadline.EXPIRY)
async def expire(session: AsyncSession, timer: Timer) -> None:
    """Told, and still not answered: it goes back to whoever passed it on, and expires if nobody did."""
    if (journey := await _journey(session, timer)) is not None:
        await actions.act_for_system(session, journey, Action.EXPIRE, fired=Deadline(timer.kind))
