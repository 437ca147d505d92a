"""Deadlines at weekends, on holidays, before a departure, by the clock, and while a clock stands still."""

from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referral.places.domain import PlaceState
from services.referral.referrals import deadlines
from services.referral.referrals.deadlines import Deadline, Standing, Terms, running, terms
from services.referral.referrals.domain import Role, Status
from services.referral.referrals.workdays import working_days_of

BE, NG, BD = working_days_of("BE"), working_days_of("NG"), working_days_of("BD")
FRIDAY = datetime(2026, 5, 22, 15, 30, tzinfo=UTC)
"""Before the Belgian Whit Monday, 25 May 2026."""


def due(
    deadline: Deadline, since: datetime = FRIDAY, priority: str = "normal", agreed: Terms | None = None
) -> datetime:
    return deadlines.due(deadline, since, priority, agreed or Terms(), NG)


@pytest.mark.parametrize(
    ("deadline", "days"),
    [
        (Deadline.ACKNOWLEDGEMENT, 1),
        (Deadline.DECISION, 3),
        (Deadline.INFORMATION, 5),
        (Deadline.OFFER, 3),
        (Deadline.FIRST_CONTACT, 10),
        (Deadline.START, 20),
        (Deadline.REVIEW, 30),
        (Deadline.OUTCOME_ACKNOWLEDGEMENT, 10),
    ],
)
def test_the_defaults_are_those_of_the_contract(deadline: Deadline, days: int) -> None:
    assert deadlines.DAYS[deadline] == days
    weekdays_only = working_days_of(None)
    end = deadlines.due(deadline, datetime(2026, 6, 1, 8, tzinfo=UTC), "normal", Terms(), weekdays_only)
    assert (
        sum(weekdays_only(date(2026, 6, 2) + timedelta(n)) for n in range((end.date() - date(2026, 6, 1)).days)) == days
    )


def test_a_weekend_does_not_count() -> None:
    assert due(Deadline.ACKNOWLEDGEMENT) == datetime(2026, 5, 25, 23, 59, 59, tzinfo=UTC)


def test_a_holiday_of_the_country_that_must_act_does_not_count() -> None:
    assert deadlines.after_working_days(FRIDAY, 1, BE).date() == date(2026, 5, 26)
    assert deadlines.after_working_days(FRIDAY, 1, NG).date() == date(2026, 5, 25)


def test_a_weekend_is_that_of_the_country() -> None:
    thursday = datetime(2026, 6, 4, 9, tzinfo=UTC)
    assert deadlines.after_working_days(thursday, 1, BD).date() == date(2026, 6, 7)  # Sunday
    assert deadlines.after_working_days(thursday, 1, NG).date() == date(2026, 6, 5)


def test_a_country_without_a_calendar_has_saturdays_and_sundays_off_and_no_holiday() -> None:
    nowhere = working_days_of("ZZ")
    assert [nowhere(date(2027, 1, day)) for day in (1, 2, 3, 4)] == [True, False, False, True]


@pytest.mark.parametrize(("priority", "hours"), [("urgent", 72), ("emergency", 24)])
def test_urgent_decisions_run_by_the_clock(priority: str, hours: int) -> None:
    assert due(Deadline.DECISION, priority=priority) == FRIDAY + timedelta(hours=hours)


def test_an_agreement_overrides_and_what_it_leaves_out_stays() -> None:
    agreed = terms({"decision": 7, "decision_urgent_hours": 48, "decision_emergency_hours": None, "offer": None})
    assert agreed.days[Deadline.DECISION] == 7
    assert agreed.days[Deadline.OFFER] == 3
    assert agreed.decision_hours == {"urgent": 48, "emergency": 24}


def test_a_decision_is_never_due_later_than_two_days_before_departure() -> None:
    end = due(Deadline.DECISION)
    now = FRIDAY
    assert deadlines.before_departure(end, now, date(2026, 5, 28)) == datetime(2026, 5, 26, tzinfo=UTC)
    assert deadlines.before_departure(end, now, date(2026, 6, 30)) == end
    assert deadlines.before_departure(end, now, None) == end


def test_a_limit_before_departure_that_is_still_ahead_holds_however_near_it_is() -> None:
    end = due(Deadline.DECISION)
    assert deadlines.before_departure(end, FRIDAY, date(2026, 5, 25)) == datetime(2026, 5, 23, tzinfo=UTC)


def test_the_shortest_clock_is_not_wound_up_again() -> None:
    end, until = due(Deadline.DECISION), FRIDAY + timedelta(hours=24)
    later = FRIDAY + timedelta(hours=5)
    near = FRIDAY.date() + timedelta(days=1)
    assert deadlines.before_departure(end, later, near, until) == until
    assert deadlines.before_departure(end, later, date(2026, 6, 30), until) == end
    assert deadlines.before_departure(end, later, near, end) == later + timedelta(hours=24)


def test_a_departure_that_is_near_leaves_the_shortest_clock_and_one_that_is_past_nothing() -> None:
    end = due(Deadline.DECISION)
    assert deadlines.before_departure(end, FRIDAY, FRIDAY.date()) == FRIDAY + timedelta(hours=24)
    assert deadlines.before_departure(end, FRIDAY, date(2026, 5, 21)) == end


@given(
    departure=st.dates(date(2026, 5, 22), date(2026, 8, 1)),
    hours=st.integers(1, 24 * 40),
)
def test_before_departure_only_ever_shortens_and_leaves_time_to_answer(departure: date, hours: int) -> None:
    end = FRIDAY + timedelta(hours=hours)
    capped = deadlines.before_departure(end, FRIDAY, departure)
    assert capped <= end
    assert capped > FRIDAY
    two_days_before = datetime.combine(departure, datetime.min.time(), UTC) - timedelta(days=2)
    if two_days_before > FRIDAY:
        assert capped == min(end, two_days_before)
    else:
        assert capped == min(end, FRIDAY + deadlines.SHORTEST)


def test_nobody_has_longer_to_acknowledge_than_to_decide() -> None:
    decision = due(Deadline.DECISION, priority="emergency")
    assert deadlines.acknowledged_before(due(Deadline.ACKNOWLEDGEMENT), decision) == decision


def test_what_is_not_answered_expires_a_working_day_later_or_twelve_hours_by_the_clock() -> None:
    assert deadlines.expiry(FRIDAY, False, BE).date() == date(2026, 5, 26)
    assert deadlines.expiry(FRIDAY, True, BE) == FRIDAY + timedelta(hours=12)
    assert deadlines.runs_by_the_clock(Deadline.DECISION, "urgent")
    assert not deadlines.runs_by_the_clock(Deadline.INFORMATION, "urgent")
    assert not deadlines.runs_by_the_clock(Deadline.DECISION, "normal")


def test_a_clock_that_stood_still_goes_on_where_it_stood() -> None:
    end = datetime(2026, 5, 27, 23, 59, 59, tzinfo=UTC)  # Wednesday
    asked, answered = FRIDAY + timedelta(hours=1), datetime(2026, 5, 26, 9, tzinfo=UTC)  # Tuesday: two working days
    assert deadlines.resumed(end, asked, answered, False, working_days_of(None)).date() == date(2026, 5, 29)
    urgent = due(Deadline.DECISION, priority="urgent")
    assert deadlines.resumed(urgent, asked, answered, True, NG) == urgent + (answered - asked)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)), st.integers(1, 40))  # noqa: DTZ001 - made aware below
def test_a_deadline_ends_on_a_working_day_after_exactly_so_many(naive: datetime, days: int) -> None:
    since = naive.replace(tzinfo=UTC)
    end = deadlines.after_working_days(since, days, NG)
    assert NG(end.date())
    between = [since.date() + timedelta(n) for n in range(1, (end.date() - since.date()).days + 1)]
    assert sum(map(NG, between)) == days


def standing(status: Status, place: PlaceState = PlaceState.HELD, **other: bool) -> Standing:
    facts = {"counted": True, "answered": False, "escalated": False, "arrived": False, "contacted": False}
    return Standing(status=status, place=place, **(facts | {"closed": False} | other))


@pytest.mark.parametrize(
    ("now", "clocks"),
    [
        (standing(Status.SUBMITTED), "acknowledgement decision"),
        (standing(Status.RECEIVED, answered=True), "decision"),
        (standing(Status.RECEIVED, answered=True, escalated=True), "decision expiry"),
        (standing(Status.AWAITING_INFORMATION, answered=True), "information"),
        (standing(Status.AWAITING_INFORMATION, PlaceState.OFFERED, answered=True), "information"),
        (standing(Status.WAITLISTED, PlaceState.QUEUED), "acknowledgement review"),
        (standing(Status.WAITLISTED, PlaceState.QUEUED, answered=True), "review"),
        (standing(Status.WAITLISTED, PlaceState.OFFERED, answered=True), "offer"),
        (standing(Status.ACCEPTED), ""),
        (standing(Status.ACCEPTED, arrived=True), "first_contact start"),
        (standing(Status.ACCEPTED, arrived=True, contacted=True), "start"),
        (standing(Status.IN_PROGRESS, arrived=True, contacted=True), ""),
        (standing(Status.ON_HOLD, arrived=True, contacted=True), "review"),
        (standing(Status.EXPIRED, escalated=True), "outcome_acknowledgement"),
        (standing(Status.CANCELLED, closed=True), ""),
    ],
)
def test_which_clocks_run(now: Standing, clocks: str) -> None:
    assert running(now) == set(clocks.split())


def test_the_owner_answers_and_acknowledges_all_else_is_the_receivers() -> None:
    owners = {deadline for deadline in Deadline if deadlines.who_must_act(deadline) is Role.OWNER}
    assert owners == {Deadline.INFORMATION, Deadline.OUTCOME_ACKNOWLEDGEMENT}


@pytest.mark.parametrize(("status", "place"), list(product(Status, PlaceState)))
def test_no_open_referral_is_without_a_clock_but_one_whose_service_may_not_start_yet_or_runs(
    status: Status, place: PlaceState
) -> None:
    clocks = running(standing(status, place))
    assert clocks or status in {Status.DRAFT, Status.ACCEPTED, Status.IN_PROGRESS}
