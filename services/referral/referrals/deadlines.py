"""Deadlines: who must act until when. The defaults are the project's own; agreements override them.

Days are working days of the organisation that must act and end with the day (UTC); hours run by the clock.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from services.referral.places.domain import PlaceState
from services.referral.referrals.domain import FINAL, TAKEN_ON, Role, Status

IsWorkingDay = Callable[[date], bool]


class Deadline(StrEnum):
    ACKNOWLEDGEMENT = "acknowledgement"
    DECISION = "decision"
    INFORMATION = "information"
    OFFER = "offer"
    FIRST_CONTACT = "first_contact"
    START = "start"
    REVIEW = "review"
    OUTCOME_ACKNOWLEDGEMENT = "outcome_acknowledgement"
    EXPIRY = "expiry"
    """The last day after a missed decision or answer; then it expires."""


DAYS: Mapping[Deadline, int] = {
    Deadline.ACKNOWLEDGEMENT: 1,
    Deadline.DECISION: 3,
    Deadline.INFORMATION: 5,
    Deadline.OFFER: 3,
    Deadline.FIRST_CONTACT: 10,
    Deadline.START: 20,
    Deadline.REVIEW: 30,
    Deadline.OUTCOME_ACKNOWLEDGEMENT: 10,
}
DECISION_HOURS: Mapping[str, int] = {"urgent": 72, "emergency": 24}
EXPIRY_DAYS, EXPIRY_HOURS = 1, 12
BEFORE_DEPARTURE = timedelta(days=2)
SHORTEST = timedelta(hours=DECISION_HOURS["emergency"])

OWNERS = frozenset({Deadline.INFORMATION, Deadline.OUTCOME_ACKNOWLEDGEMENT})
LEADS_TO_EXPIRY = frozenset({Deadline.DECISION, Deadline.INFORMATION})
"""Without these there is no answer; the other deadlines are only told when missed."""
FROM_ARRIVAL = frozenset({Deadline.FIRST_CONTACT, Deadline.START})


@dataclass(frozen=True)
class Terms:
    """What is agreed for one leg."""

    days: Mapping[Deadline, int] = field(default_factory=lambda: DAYS)
    decision_hours: Mapping[str, int] = field(default_factory=lambda: DECISION_HOURS)


def terms(agreed: Mapping[str, int | None]) -> Terms:
    """The defaults with what an agreement overrides (`acknowledgement` …, `decision_urgent_hours` …)."""
    given = {name: value for name, value in agreed.items() if value is not None}
    return Terms(
        days={deadline: given.get(deadline, days) for deadline, days in DAYS.items()},
        decision_hours={
            priority: given.get(f"decision_{priority}_hours", hours) for priority, hours in DECISION_HOURS.items()
        },
    )


@dataclass(frozen=True)
class Standing:
    """All that decides which clocks run."""

    status: Status
    place: PlaceState
    counted: bool
    answered: bool
    """The organisation whose task it is has done something about it."""
    escalated: bool
    """A deadline that leads to expiry was missed and told."""
    arrived: bool
    contacted: bool
    closed: bool


def running(standing: Standing) -> frozenset[Deadline]:
    """The deadlines whose clock runs now."""
    status = standing.status
    unanswered = status is Status.SUBMITTED or (status is Status.WAITLISTED and not standing.answered)
    judged = status in {Status.SUBMITTED, Status.RECEIVED}
    clocks = {
        Deadline.ACKNOWLEDGEMENT: unanswered,
        Deadline.DECISION: judged,
        Deadline.INFORMATION: status is Status.AWAITING_INFORMATION,
        Deadline.OFFER: status is Status.WAITLISTED and standing.place is PlaceState.OFFERED,
        Deadline.REVIEW: status is Status.ON_HOLD
        or (status is Status.WAITLISTED and standing.place is not PlaceState.OFFERED),
        Deadline.FIRST_CONTACT: status in TAKEN_ON and standing.arrived and not standing.contacted,
        Deadline.START: status is Status.ACCEPTED and standing.arrived,
        Deadline.OUTCOME_ACKNOWLEDGEMENT: status in FINAL and not standing.closed,
        Deadline.EXPIRY: standing.escalated and (judged or status is Status.AWAITING_INFORMATION),
    }
    return frozenset(deadline for deadline, runs in clocks.items() if runs)


def who_must_act(deadline: Deadline) -> Role:
    return Role.OWNER if deadline in OWNERS else Role.RECEIVER


def read(due: Mapping[str, str], deadline: Deadline) -> datetime | None:
    """One of the deadlines as they are stored with a referral."""
    return datetime.fromisoformat(due[deadline]) if deadline in due else None


def end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), UTC)


def after_working_days(since: datetime, days: int, is_working_day: IsWorkingDay) -> datetime:
    """The end of the last of so many working days after the day of `since`."""
    day = since.date()
    while days > 0:
        day += timedelta(days=1)
        days -= is_working_day(day)
    return end_of(day)


def due(deadline: Deadline, since: datetime, priority: str, agreed: Terms, is_working_day: IsWorkingDay) -> datetime:
    """When it is due that began at `since`. Expiry is asked of `expiry`."""
    if deadline is Deadline.DECISION and (hours := agreed.decision_hours.get(priority)) is not None:
        return since + timedelta(hours=hours)
    return after_working_days(since, agreed.days[deadline], is_working_day)


def before_departure(
    due_at: datetime, now: datetime, planned_departure_on: date | None, runs_until: datetime | None = None
) -> datetime:
    """Never later than two days before a departure that lies ahead.

    Where those two days have begun already, the shortest clock there is runs instead: a deadline in the past would
    leave nobody time to answer. One that runs already, until `runs_until`, is not wound up again.
    """
    if planned_departure_on is None or planned_departure_on < now.date():
        return due_at
    latest = datetime.combine(planned_departure_on, time(), UTC) - BEFORE_DEPARTURE
    if latest > now:
        return min(due_at, latest)
    return min(due_at, now + SHORTEST, runs_until or due_at)


def acknowledged_before(acknowledgement_at: datetime, decision_at: datetime | None) -> datetime:
    """Nobody has longer to acknowledge than to decide."""
    return acknowledgement_at if decision_at is None else min(acknowledgement_at, decision_at)


def expiry(missed_at: datetime, by_the_clock: bool, is_working_day: IsWorkingDay) -> datetime:
    """One working day after the missed deadline; twelve hours where that ran by the clock."""
    if by_the_clock:
        return missed_at + timedelta(hours=EXPIRY_HOURS)
    return after_working_days(missed_at, EXPIRY_DAYS, is_working_day)


def runs_by_the_clock(deadline: Deadline, priority: str) -> bool:
    return deadline is Deadline.DECISION and priority in DECISION_HOURS


def resumed(
    due_at: datetime, stood_still_at: datetime, now: datetime, by_the_clock: bool, is_working_day: IsWorkingDay
) -> datetime:
    """The deadline moved by the time its clock stood still."""
    if by_the_clock:
        return due_at + (now - stood_still_at)
    day, last = stood_still_at.date(), now.date()
    missed = 0
    while day < last:
        day += timedelta(days=1)
        missed += is_working_day(day)
    return after_working_days(due_at, missed, is_working_day)
