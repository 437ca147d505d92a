"""The rules of cases, without a database: every cell of the phase table, ages at birthdays, dates of travel."""

from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referral.cases import domain
from services.referral.cases.domain import CaseAction, Phase, ReferralsOpen
from shared.errors import TransitionNotAllowed, Unprocessable

TODAY = date(2026, 5, 1)

EXPECTED: dict[CaseAction, dict[Phase, Phase]] = {
    CaseAction.DEPART: {Phase.PRE_DEPARTURE: Phase.IN_TRANSIT},
    CaseAction.ARRIVE: {Phase.PRE_DEPARTURE: Phase.ARRIVED, Phase.IN_TRANSIT: Phase.ARRIVED},
    CaseAction.CANCEL_RETURN: {Phase.PRE_DEPARTURE: Phase.CLOSED, Phase.IN_TRANSIT: Phase.CLOSED},
    CaseAction.CLOSE: {phase: Phase.CLOSED for phase in Phase if phase is not Phase.CLOSED},
    CaseAction.ERASE: dict.fromkeys(Phase, Phase.CLOSED),
}


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("action", CaseAction)
def test_an_action_leads_where_the_table_says_and_is_refused_elsewhere(action: CaseAction, phase: Phase) -> None:
    if phase in EXPECTED[action]:
        assert domain.decide(action, phase) is EXPECTED[action][phase]
        return
    with pytest.raises(TransitionNotAllowed) as refused:
        domain.decide(action, phase)
    assert refused.value.extensions["current"] == phase
    assert refused.value.extensions["allowed"] == [each for each in CaseAction if phase in EXPECTED[each]]


@pytest.mark.parametrize("action", CaseAction)
def test_nothing_may_be_done_with_an_erased_case(action: CaseAction) -> None:
    with pytest.raises(TransitionNotAllowed) as refused:
        domain.decide(action, Phase.CLOSED, erased=True)
    assert refused.value.extensions == {"current": "erased", "allowed": []}


@pytest.mark.parametrize("action", [CaseAction.CLOSE, CaseAction.ERASE])
def test_a_case_with_an_open_referral_is_neither_closed_nor_erased(action: CaseAction) -> None:
    with pytest.raises(ReferralsOpen):
        domain.decide(action, Phase.POST_ARRIVAL, open_referrals=1)


def test_a_return_can_be_cancelled_while_referrals_are_open() -> None:
    assert domain.decide(CaseAction.CANCEL_RETURN, Phase.PRE_DEPARTURE, open_referrals=2) is Phase.CLOSED


@pytest.mark.parametrize("phase", Phase)
def test_a_first_contact_matters_only_after_arrival(phase: Phase) -> None:
    after = domain.after_first_contact(phase)
    assert after is (Phase.POST_ARRIVAL if phase is Phase.ARRIVED else phase)


@pytest.mark.parametrize(
    ("birthday", "before", "on_it"),
    [
        (6, "0-5", "6-11"),
        (12, "6-11", "12-17"),
        (18, "12-17", "18-24"),
        (25, "18-24", "25-34"),
        (35, "25-34", "35-49"),
        (50, "35-49", "50-64"),
        (65, "50-64", "65+"),
    ],
)
def test_the_age_band_changes_on_the_birthday(birthday: int, before: str, on_it: str) -> None:
    born_on = date(TODAY.year - birthday, TODAY.month, TODAY.day)
    assert domain.age_band(born_on, TODAY - timedelta(days=1)) == before
    assert domain.age_band(born_on, TODAY) == on_it


def test_who_was_born_on_29_february_is_a_year_older_on_1_march_of_other_years() -> None:
    born_on = date(2008, 2, 29)
    assert domain.age(born_on, date(2026, 2, 28)) == 17
    assert domain.age(born_on, date(2026, 3, 1)) == 18
    assert domain.age(born_on, date(2028, 2, 29)) == 20


@given(st.dates(date(1900, 1, 1), TODAY), st.integers(0, 40_000))
def test_nobody_gets_younger(born_on: date, days: int) -> None:
    later = min(TODAY + timedelta(days=days), date(2100, 1, 1))
    assert 0 <= domain.age(born_on, TODAY) <= domain.age(born_on, later)


def test_an_arrival_that_is_fixed_needs_a_date_but_not_from_somebody_who_walked_in() -> None:
    with pytest.raises(Unprocessable) as refused:
        domain.check_travel(None, None, "fixed", walked_in=False)
    assert refused.value.extensions["errors"][0]["code"] == "date_missing"
    domain.check_travel(None, None, "fixed", walked_in=True)
    domain.check_travel(None, None, "unknown", walked_in=False)


def test_nobody_plans_to_arrive_before_she_leaves() -> None:
    with pytest.raises(Unprocessable):
        domain.check_travel(TODAY, TODAY - timedelta(days=1), "expected", walked_in=False)
    domain.check_travel(TODAY, TODAY, "expected", walked_in=False)


@pytest.mark.parametrize(
    ("arrived_on", "left_on", "code"),
    [
        (TODAY, None, None),
        (TODAY, TODAY, None),
        (TODAY + timedelta(days=1), None, "in_future"),
        (TODAY - timedelta(days=1), TODAY, "before_departure"),
    ],
)
def test_an_arrival_is_neither_in_the_future_nor_before_the_departure(
    arrived_on: date, left_on: date | None, code: str | None
) -> None:
    if code is None:
        domain.check_arrival(arrived_on, left_on, TODAY)
        return
    with pytest.raises(Unprocessable) as refused:
        domain.check_arrival(arrived_on, left_on, TODAY)
    assert [each["code"] for each in refused.value.extensions["errors"]] == [code]


@pytest.mark.parametrize(
    ("kind", "results"),
    [
        ("vulnerability", {"vulnerable", "not_vulnerable"}),
        ("risk", {"risk_found", "no_risk_found"}),
        ("family", {"completed"}),
        ("skills", {"completed"}),
        ("needs", {"completed"}),
    ],
)
def test_an_assessment_has_a_result_of_its_kind(kind: domain.AssessmentKind, results: set[str]) -> None:
    for result in (*get_args(domain.AssessmentResult), "asylum_refused"):
        if result in results:
            domain.check_assessment(kind, result, TODAY, TODAY)
            continue
        with pytest.raises(Unprocessable) as refused:
            domain.check_assessment(kind, result, TODAY, TODAY)
        assert [each["code"] for each in refused.value.extensions["errors"]] == ["result"]


def test_nobody_is_assessed_in_the_future() -> None:
    with pytest.raises(Unprocessable):
        domain.check_assessment("skills", "completed", TODAY + timedelta(days=1), TODAY)


@pytest.mark.parametrize(
    "written",
    [
        "Adaézé O'Brien-Okoro",
        "  OKORO, Adaeze  OBRIEN ",
        "okoro adaeze o\u2019brien",
        "Adae\u0301ze\u0301 O`Brien Okoro",
    ],
)
def test_one_name_is_compared_however_it_is_written(written: str) -> None:
    assert domain.comparable_name(written) == "adaeze obrien okoro"


def test_names_in_any_script_are_compared_and_no_name_at_all_is_none() -> None:
    assert domain.comparable_name("\u0645\u062d\u0645\u062f \u0639\u0644\u064a") != domain.comparable_name(
        "\u0639\u0644\u064a"
    )
    assert domain.comparable_name(" - ") == ""
