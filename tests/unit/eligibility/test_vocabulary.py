"""Every operation at its boundary: the day before, the day itself, the day after; the last code, the first number."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.eligibility.criteria.domain import Criterion, Kind, Outcome
from services.eligibility.criteria.vocabulary import OPERATIONS, MisfitError
from services.eligibility.facts.catalogue import CATALOGUE
from services.eligibility.facts.domain import read
from tests.unit.eligibility.people import criterion

MET, NOT_MET, UNKNOWN = Outcome.MET, Outcome.NOT_MET, Outcome.UNKNOWN
ANY_DAY = date(2026, 9, 1)


def outcome(asked: Criterion, answer: Any, as_of: date = ANY_DAY) -> Outcome:
    value = read(asked.fact, answer)
    return asked.outcome({} if value is None else {asked.fact.name: value}, as_of)


@pytest.mark.parametrize(
    ("operation", "fact", "operands", "answer", "expected"),
    [
        ("equals", "minor_children", {"value": 2}, 2, MET),
        ("equals", "minor_children", {"value": 2}, 1, NOT_MET),
        ("equals", "minor_children", {"value": 2}, 3, NOT_MET),
        ("equals", "savings_eur", {"value": "615"}, "615.00", MET),
        ("equals", "savings_eur", {"value": "615"}, "615.01", NOT_MET),
        ("equals", "sex", {"value": "female"}, "female", MET),
        ("equals", "sex", {"value": "female"}, "other", NOT_MET),
        ("one_of", "education_level", {"values": ["none", "primary"]}, "primary", MET),
        ("one_of", "education_level", {"values": ["none", "primary"]}, "secondary", NOT_MET),
        ("any_of", "skills", {"values": ["retail", "care"]}, ["office", "care"], MET),
        ("any_of", "skills", {"values": ["retail", "care"]}, ["office"], NOT_MET),
        ("any_of", "skills", {"values": ["retail", "care"]}, [], NOT_MET),
        ("none_of", "skills", {"values": ["retail", "care"]}, ["office"], MET),
        ("none_of", "skills", {"values": ["retail", "care"]}, [], MET),
        ("none_of", "skills", {"values": ["retail", "care"]}, ["office", "care"], NOT_MET),
        ("none_of", "return_type", {"values": ["forced"]}, "voluntary", MET),
        ("none_of", "return_type", {"values": ["forced"]}, "forced", NOT_MET),
        ("range", "minor_children", {"minimum": 1, "maximum": 3}, 0, NOT_MET),
        ("range", "minor_children", {"minimum": 1, "maximum": 3}, 1, MET),
        ("range", "minor_children", {"minimum": 1, "maximum": 3}, 3, MET),
        ("range", "minor_children", {"minimum": 1, "maximum": 3}, 4, NOT_MET),
        ("range", "minor_children", {"minimum": 1}, 50, MET),
        ("range", "savings_eur", {"maximum": "1000.00"}, "1000.00", MET),
        ("range", "savings_eur", {"maximum": "1000.00"}, "1000.01", NOT_MET),
        ("range", "savings_eur", {"maximum": "1000.00"}, 0, MET),
        ("is_true", "has_valid_id", {}, True, MET),
        ("is_true", "has_valid_id", {}, False, NOT_MET),
        ("is_false", "assisted_before", {}, False, MET),
        ("is_false", "assisted_before", {}, True, NOT_MET),
        ("date_between", "left_on", {"from_on": "2020-01-01", "until_on": "2024-12-31"}, "2019-12-31", NOT_MET),
        ("date_between", "left_on", {"from_on": "2020-01-01", "until_on": "2024-12-31"}, "2020-01-01", MET),
        ("date_between", "left_on", {"from_on": "2020-01-01", "until_on": "2024-12-31"}, "2024-12-31", MET),
        ("date_between", "left_on", {"from_on": "2020-01-01", "until_on": "2024-12-31"}, "2025-01-01", NOT_MET),
        ("date_between", "left_on", {"from_on": "2020-01-01"}, "2199-12-31", MET),
        ("date_between", "left_on", {"until_on": "2020-01-01"}, "1900-01-01", MET),
    ],
)
def test_an_answer_at_the_boundary(
    operation: str, fact: str, operands: dict[str, Any], answer: Any, expected: Outcome
) -> None:
    opposite = NOT_MET if expected is MET else MET
    assert outcome(criterion(operation, fact, **operands), answer) is expected
    assert outcome(criterion(operation, fact, kind="exclusion", **operands), answer) is opposite


@pytest.mark.parametrize(
    ("born_on", "as_of", "expected"),
    [
        ("2008-09-02", date(2026, 9, 1), NOT_MET),  # the day before she is 18
        ("2008-09-01", date(2026, 9, 1), MET),  # the birthday itself
        ("2008-08-31", date(2026, 9, 1), MET),
        ("1990-09-02", date(2026, 9, 1), MET),  # the last day on which she is 35
        ("1990-09-01", date(2026, 9, 1), NOT_MET),  # 36 today
        ("2008-02-29", date(2026, 2, 28), NOT_MET),
        ("2008-02-29", date(2026, 3, 1), MET),
        ("1992-02-29", date(2028, 2, 28), MET),
        ("1992-02-29", date(2028, 2, 29), NOT_MET),
        ("2027-01-01", date(2026, 9, 1), NOT_MET),  # not born yet
    ],
)
def test_an_age_between_18_and_35_on_the_day_asked_about(born_on: str, as_of: date, expected: Outcome) -> None:
    assert outcome(criterion("age_between", "born_on", minimum=18, maximum=35), born_on, as_of) is expected


def test_an_age_has_open_ends() -> None:
    assert outcome(criterion("age_between", "born_on", minimum=18), "1900-01-01") is MET
    assert outcome(criterion("age_between", "born_on", maximum=17), "2026-09-01") is MET
    assert outcome(criterion("age_between", "born_on", maximum=17), "2026-09-02") is NOT_MET


@pytest.mark.parametrize(
    ("operands", "as_of", "expected"),
    [
        ({"maximum": 12}, date(2026, 3, 14), NOT_MET),  # the day before the return
        ({"maximum": 12}, date(2026, 3, 15), MET),
        ({"maximum": 12}, date(2027, 3, 15), MET),  # the last day of the window
        ({"maximum": 12}, date(2027, 3, 16), NOT_MET),
        ({"minimum": 6}, date(2026, 9, 14), NOT_MET),
        ({"minimum": 6}, date(2026, 9, 15), MET),
        ({"minimum": 6}, date(2199, 1, 1), MET),
        ({"minimum": 0, "maximum": 0}, date(2026, 3, 15), MET),
        ({"minimum": 0, "maximum": 0}, date(2026, 3, 16), NOT_MET),
    ],
)
def test_a_window_in_months_since_the_return_on_15_march(
    operands: dict[str, int], as_of: date, expected: Outcome
) -> None:
    assert outcome(criterion("months_since", "returned_on", **operands), "2026-03-15", as_of) is expected


@pytest.mark.parametrize(
    ("returned_on", "as_of", "expected"),
    [
        ("2025-08-31", date(2026, 2, 28), MET),  # six months after 31 August is the end of February
        ("2025-08-31", date(2026, 3, 1), NOT_MET),
        ("2027-08-31", date(2028, 2, 29), MET),
        ("2027-08-31", date(2028, 3, 1), NOT_MET),
    ],
)
def test_a_window_that_ends_in_a_shorter_month_ends_on_its_last_day(
    returned_on: str, as_of: date, expected: Outcome
) -> None:
    assert outcome(criterion("months_since", "returned_on", maximum=6), returned_on, as_of) is expected


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize(
    ("operation", "fact", "operands"),
    [
        ("equals", "sex", {"value": "female"}),
        ("one_of", "education_level", {"values": ["primary"]}),
        ("any_of", "skills", {"values": ["care"]}),
        ("none_of", "vulnerabilities", {"values": ["other"]}),
        ("range", "minor_children", {"minimum": 0}),
        ("is_true", "has_valid_id", {}),
        ("is_false", "assisted_before", {}),
        ("age_between", "born_on", {"minimum": 0}),
        ("months_since", "returned_on", {"maximum": 12}),
        ("date_between", "left_on", {"until_on": "2199-12-31"}),
    ],
)
def test_an_answer_that_nobody_has_is_unknown_and_never_no(
    operation: str, fact: str, operands: dict[str, Any], kind: Kind
) -> None:
    assert criterion(operation, fact, kind=kind, **operands).outcome({}, ANY_DAY) is UNKNOWN


DAYS = st.dates(date(1950, 1, 1), date(2100, 1, 1))
TIMED = st.one_of(
    st.builds(
        lambda low, more, kind: criterion("age_between", "born_on", minimum=low, maximum=low + more, kind=kind),
        st.integers(0, 80),
        st.integers(0, 20),
        st.sampled_from(list(Kind)),
    ),
    st.builds(
        lambda low, more, kind: criterion("months_since", "returned_on", minimum=low, maximum=low + more, kind=kind),
        st.integers(0, 200),
        st.integers(0, 60),
        st.sampled_from(list(Kind)),
    ),
)


@given(TIMED, DAYS, DAYS)
def test_the_day_on_which_it_becomes_true_is_the_first_one(asked: Criterion, answer: date, as_of: date) -> None:
    facts = {asked.fact.name: answer}
    if asked.outcome(facts, as_of) is MET:
        return
    turn = asked.turns_on(facts, as_of)
    if turn is None:  # an inclusion whose time is over
        assert all(asked.outcome(facts, as_of + timedelta(days=days)) is NOT_MET for days in (1, 400, 40_000))
    else:
        assert turn > as_of
        assert asked.outcome(facts, turn) is MET
        assert asked.outcome(facts, turn - timedelta(days=1)) is NOT_MET


@pytest.mark.parametrize(
    ("operation", "fact", "operands", "pointer", "code"),
    [
        ("equals", "shoe_size", {"value": 42}, "/fact", "unknown_fact"),
        ("equals", "has_valid_id", {"value": True}, "/operation", "operation_does_not_fit"),
        ("range", "born_on", {"minimum": 1}, "/operation", "operation_does_not_fit"),
        ("is_true", "sex", {}, "/operation", "operation_does_not_fit"),
        ("any_of", "sex", {"values": ["female"]}, "/operation", "operation_does_not_fit"),
        ("one_of", "skills", {"values": ["care"]}, "/operation", "operation_does_not_fit"),
        ("age_between", "returned_on", {"minimum": 18}, "/operation", "operation_does_not_fit"),
        ("months_since", "months_abroad", {"maximum": 1}, "/operation", "operation_does_not_fit"),
        ("equals", "sex", {"value": "f"}, "/value", "code_not_allowed"),
        ("equals", "sex", {"value": "unknown"}, "/value", "value_expected"),
        ("equals", "minor_children", {"value": "two"}, "/value", "integer_expected"),
        ("one_of", "education_level", {"values": []}, "/values", "values_expected"),
        ("one_of", "education_level", {"values": ["none", "phd"]}, "/values/1", "code_not_allowed"),
        ("none_of", "skills", {"values": ["care", "magic"]}, "/values/1", "code_not_allowed"),
        ("range", "minor_children", {}, "/minimum", "bound_expected"),
        ("range", "minor_children", {"minimum": 3, "maximum": 2}, "/maximum", "bounds_out_of_order"),
        ("range", "minor_children", {"minimum": -1}, "/minimum", "out_of_range"),
        ("age_between", "born_on", {}, "/minimum", "bound_expected"),
        ("age_between", "born_on", {"minimum": 36, "maximum": 35}, "/maximum", "bounds_out_of_order"),
        ("age_between", "born_on", {"minimum": 151}, "/minimum", "out_of_range"),
        ("months_since", "returned_on", {"maximum": 1801}, "/maximum", "out_of_range"),
        ("date_between", "left_on", {}, "/from_on", "bound_expected"),
        ("date_between", "left_on", {"from_on": "2026-02-30"}, "/from_on", "impossible_date"),
        ("is_true", "has_valid_id", {"level": "community"}, "/level", "level_does_not_fit"),
        ("is_true", "has_valid_id", {"criterion_id": "area"}, "/criterion_id", "reserved"),
    ],
)
def test_a_criterion_that_could_not_be_evaluated_is_refused_where_it_is_wrong(
    operation: str, fact: str, operands: dict[str, Any], pointer: str, code: str
) -> None:
    with pytest.raises(MisfitError) as refused:
        criterion(operation, fact, **operands)
    assert (refused.value.pointer, refused.value.code) == (pointer, code)


def test_every_fact_can_be_asked_about() -> None:
    asked = {fact_type for operation in OPERATIONS.values() for fact_type in operation.FITS}
    assert {fact.type for fact in CATALOGUE.values()} <= asked
