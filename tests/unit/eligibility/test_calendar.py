"""Birthdays and months, above all where a month has no such day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.eligibility.criteria.calendar import birthday, months_after

DAYS = st.dates(date(1900, 1, 1), date(2199, 12, 31))


@pytest.mark.parametrize(
    ("born_on", "age", "day"),
    [
        (date(2008, 5, 17), 18, date(2026, 5, 17)),
        (date(2008, 2, 29), 18, date(2026, 3, 1)),
        (date(2008, 2, 29), 20, date(2028, 2, 29)),
        (date(2008, 2, 28), 18, date(2026, 2, 28)),
        (date(1904, 2, 29), 196, date(2100, 3, 1)),
    ],
)
def test_a_birthday_on_29_february_falls_on_1_march_in_common_years(born_on: date, age: int, day: date) -> None:
    assert birthday(born_on, age) == day


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 1, 31), 3, date(2026, 4, 30)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 3, 15), 0, date(2026, 3, 15)),
    ],
)
def test_a_month_without_such_a_day_ends_on_its_last(day: date, months: int, then: date) -> None:
    assert months_after(day, months) == then


@given(DAYS, st.integers(0, 1800))
def test_so_many_months_later_is_in_the_right_month_and_never_on_a_later_day(day: date, months: int) -> None:
    then = months_after(day, months)
    assert (then.year * 12 + then.month) - (day.year * 12 + day.month) == months
    assert then.day == day.day or (then.day < day.day and (then + timedelta(days=1)).day == 1)


@given(DAYS, st.integers(0, 1800))
def test_more_months_are_later(day: date, months: int) -> None:
    assert months_after(day, months) < months_after(day, months + 1)


@given(DAYS, DAYS, st.integers(0, 150))
def test_who_is_born_later_is_never_older(one: date, other: date, age: int) -> None:
    earlier, later = sorted((one, other))
    assert birthday(earlier, age) <= birthday(later, age)
