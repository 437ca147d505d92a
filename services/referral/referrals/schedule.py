"""Keeps the clocks of a referral: which deadlines run, until when, and the timers that go off with them."""

from collections.abc import Collection
from datetime import UTC, datetime, time

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.cases.domain import Phase
from services.referral.known import queries as known
from services.referral.referrals import deadlines
from services.referral.referrals.deadlines import Deadline, IsWorkingDay, Terms
from services.referral.referrals.domain import Role, Status
from services.referral.referrals.journey import Journey
from services.referral.referrals.workdays import working_days_of
from shared import clock, timers

NEW_LEG = frozenset({Deadline.ACKNOWLEDGEMENT, Deadline.DECISION})
"""A new task starts these anew."""


async def settle(
    session: AsyncSession,
    journey: Journey,
    *,
    anew: Collection[Deadline] = (),
    fired: Deadline | None = None,
) -> None:
    """Let exactly those clocks run that the referral's standing asks for.

    A clock that runs already goes on unless it starts `anew`. The timer that has just `fired` is left to its runner.
    """
    referral = journey.referral
    wanted = deadlines.running(journey.standing())
    kept = {name: at for name, at in referral.due.items() if name in wanted and name not in anew}
    _stand_still(journey, wanted)
    begun: dict[str, datetime] = {}
    for deadline in Deadline:  # the decision comes after the acknowledgement, which must not be later than it
        if deadline in wanted and deadline not in kept and deadline is not Deadline.EXPIRY:
            begun[deadline] = await begin(session, journey, deadline)
    if Deadline.ACKNOWLEDGEMENT in begun:
        decision_at = begun.get(Deadline.DECISION)
        begun[Deadline.ACKNOWLEDGEMENT] = deadlines.acknowledged_before(begun[Deadline.ACKNOWLEDGEMENT], decision_at)
    ended = [name for name in referral.due if name not in kept and name not in begun and name != fired]
    if ended:
        await timers.clear(session, referral.referral_id, *ended)
    for name, due_at in begun.items():
        await timers.set(session, name, referral.referral_id, due_at)
    due = kept | {name: due_at.isoformat() for name, due_at in begun.items()}
    if due != referral.due:
        referral.due = due


def _stand_still(journey: Journey, wanted: Collection[Deadline]) -> None:
    """The clock of the decision stands still while the case owner is asked, and is forgotten once it is answered."""
    referral = journey.referral
    if Deadline.DECISION in wanted:
        return
    if referral.state is Status.AWAITING_INFORMATION:
        if Deadline.DECISION in referral.due:
            referral.stood_still_at = clock.now()
    else:
        referral.decision_due_at = referral.stood_still_at = None


async def begin(session: AsyncSession, journey: Journey, deadline: Deadline) -> datetime:
    """When the deadline is due if its clock begins to run now, or goes on after it stood still."""
    referral, now = journey.referral, clock.now()
    agreed = _terms(journey)
    is_working_day = await _working_days(session, journey, deadline)
    if deadline is Deadline.DECISION:
        if referral.stood_still_at is not None and referral.decision_due_at is not None:
            by_the_clock = deadlines.runs_by_the_clock(deadline, referral.priority)
            due_at = deadlines.resumed(
                referral.decision_due_at, referral.stood_still_at, now, by_the_clock, is_working_day
            )
        else:
            due_at = deadlines.due(deadline, now, referral.priority, agreed, is_working_day)
        referral.decision_due_at, referral.stood_still_at = due_at, None
        return _before_departure(journey, due_at)
    since = _since_arrival(journey, now) if deadline in deadlines.FROM_ARRIVAL else now
    return deadlines.due(deadline, since, referral.priority, agreed, is_working_day)


def _since_arrival(journey: Journey, now: datetime) -> datetime:
    """The later of acceptance and arrival."""
    accepted_at = journey.referral.accepted_at or now
    arrived_on = journey.case.arrived_on
    return accepted_at if arrived_on is None else max(accepted_at, datetime.combine(arrived_on, time(), UTC))


def _terms(journey: Journey) -> Terms:
    return deadlines.terms(journey.current().deadlines)


def _before_departure(journey: Journey, due_at: datetime, runs_until: datetime | None = None) -> datetime:
    case = journey.case
    ahead = case.planned_departure_on if case.phase == Phase.PRE_DEPARTURE else None
    return deadlines.before_departure(due_at, clock.now(), ahead, runs_until)


async def _working_days(session: AsyncSession, journey: Journey, deadline: Deadline) -> IsWorkingDay:
    """Of the organisation that must act."""
    owner_acts = deadlines.who_must_act(deadline) is Role.OWNER
    organization_id = journey.referral.owner_id if owner_acts else journey.current().organization_id
    if journey.brief is not None:
        return working_days_of(journey.brief.ground.party(organization_id).country)
    organization = await known.get_organization(session, organization_id)
    return working_days_of(None if organization is None else organization.country)


async def escalate(session: AsyncSession, journey: Journey, missed: Deadline, due_at: datetime) -> None:
    """A deadline that leads to expiry was missed: the last clock begins to run, from the moment it was due."""
    referral = journey.referral
    by_the_clock = deadlines.runs_by_the_clock(missed, referral.priority)
    is_working_day = await _working_days(session, journey, missed)
    expires_at = deadlines.expiry(due_at, by_the_clock, is_working_day)
    referral.escalated = True
    referral.due = referral.due | {Deadline.EXPIRY.value: expires_at.isoformat()}
    await timers.set(session, Deadline.EXPIRY, referral.referral_id, expires_at)


async def departure_moved(session: AsyncSession, journey: Journey) -> bool:
    """The decision moves with the departure that it must come before; True if it did."""
    referral = journey.referral
    if Deadline.DECISION not in referral.due or referral.decision_due_at is None or referral.escalated:
        return False
    present = deadlines.read(referral.due, Deadline.DECISION)
    due_at = _before_departure(journey, referral.decision_due_at, present)
    if due_at == present:
        return False
    referral.due = referral.due | {Deadline.DECISION.value: due_at.isoformat()}
    await timers.set(session, Deadline.DECISION, referral.referral_id, due_at)
    return True
