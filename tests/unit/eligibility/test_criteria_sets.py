"""A set is read whole, and at most one set of a service binds on any day."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.eligibility.criteria.domain import Validity, read_set, windows

JAN, FEB, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


def _raw(criterion_id: str, fact: str = "has_valid_id", operation: str = "is_true") -> dict[str, object]:
    return {"criterion_id": criterion_id, "operation": operation, "fact": fact, "text": {"eng": "x"}}


def validated(version: int, valid_from: date, retired_on: date | None = None) -> Validity:
    return Validity(criteria_version=version, valid_from=valid_from, retired_on=retired_on)


def until(*sets: Validity) -> dict[int, date | None]:
    return {version: window.valid_until for version, window in windows(sets).items()}


def test_every_misfit_of_a_set_is_told_at_once_with_its_place() -> None:
    raws = [_raw("a"), _raw("b", fact="shoe_size"), _raw("a"), _raw("c", operation="range")]
    criteria, misfits = read_set(raws)
    assert [criterion.criterion_id for criterion in criteria] == ["a"]
    assert [(misfit.pointer, misfit.code) for misfit in misfits] == [
        ("/criteria/1/fact", "unknown_fact"),
        ("/criteria/2/criterion_id", "not_unique"),
        ("/criteria/3/operation", "operation_does_not_fit"),
    ]


def test_an_empty_set_is_a_set() -> None:
    assert read_set([]) == ([], [])


def test_the_first_set_has_no_end() -> None:
    assert until(validated(1, JAN)) == {1: None}


def test_a_set_ends_on_the_day_on_which_the_next_begins() -> None:
    assert until(validated(1, JAN), validated(2, MAR)) == {1: MAR, 2: None}


def test_a_set_that_begins_between_two_ends_where_the_later_begins() -> None:
    assert until(validated(1, JAN), validated(2, MAR), validated(3, FEB)) == {1: FEB, 3: MAR, 2: None}


def test_of_two_that_begin_on_one_day_the_later_version_binds() -> None:
    assert until(validated(1, JAN), validated(2, JAN)) == {1: JAN, 2: None}


def test_a_retired_set_leaves_a_gap() -> None:
    assert until(validated(1, JAN), validated(2, FEB, retired_on=MAR)) == {1: FEB, 2: MAR}


def test_a_set_that_was_retired_before_it_began_never_stood_between_others() -> None:
    assert until(validated(1, JAN), validated(2, MAR, retired_on=FEB)) == {1: None, 2: MAR}


DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 20))


@given(st.lists(st.tuples(DAYS, st.none() | DAYS), max_size=6), DAYS)
def test_no_two_sets_are_in_force_on_one_day(starts: list[tuple[date, date | None]], day: date) -> None:
    found = windows(validated(version, begins, ends) for version, (begins, ends) in enumerate(starts, start=1))
    binding = [
        one for one in found.values() if one.valid_from <= day and (one.valid_until is None or day < one.valid_until)
    ]
    assert len(binding) <= 1
    assert all(one.retired_on is None or day < one.retired_on for one in binding)
