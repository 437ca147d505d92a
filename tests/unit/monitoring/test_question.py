"""What may be asked of an indicator."""

from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from services.monitoring.indicators.question import question
from services.monitoring.indicators.schemas import Asked
from shared.errors import Unprocessable


def test_both_days_are_included() -> None:
    asked = question(date(2026, 3, 1), date(2026, 3, 31), None, None, ())
    assert asked.since == datetime(2026, 3, 1, tzinfo=UTC)
    assert asked.before == datetime(2026, 4, 1, tzinfo=UTC)


def test_a_single_day_is_a_period() -> None:
    asked = question(date(2026, 3, 1), date(2026, 3, 1), None, None, ())
    assert asked.since is not None
    assert asked.before == asked.since + timedelta(days=1)


def test_without_bounds_everything_is_counted() -> None:
    asked = question(None, None, None, None, ())
    assert (asked.since, asked.before, asked.as_of) == (None, None, None)


def test_a_day_as_of_counts_whole_and_an_instant_as_it_is() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert question(None, None, noon, None, ()).as_of == noon
    assert question(None, None, date(2026, 3, 1), None, ()).as_of == datetime(2026, 3, 1, 23, 59, 59, 999999, UTC)


def test_midnight_is_an_instant_and_not_a_day() -> None:
    assert Asked.model_validate({"as_of": "2026-03-01T00:00:00Z"}).as_of == datetime(2026, 3, 1, tzinfo=UTC)
    assert Asked.model_validate({"as_of": "2026-03-01"}).as_of == date(2026, 3, 1)


@pytest.mark.parametrize("as_of", ["2026-03-01T00:00:00", "2026-03-01T12:00:00", "yesterday", ""])
def test_a_time_without_its_zone_is_refused(as_of: str) -> None:
    with pytest.raises(ValidationError):
        Asked.model_validate({"as_of": as_of})


def test_what_it_is_broken_down_by() -> None:
    assert question(None, None, None, None, ("priority",)).by == ("priority",)
    assert question(None, None, None, "", ("priority",)).by == ()
    assert question(None, None, None, "sex, area", ("priority",)).by == ("sex", "area")


@pytest.mark.parametrize(
    ("first", "last", "as_of", "by", "pointer", "code"),
    [
        (date(2026, 3, 2), date(2026, 3, 1), None, None, "/query/from", "reversed"),
        (None, None, None, "sex,name", "/query/by", "unknown_dimension"),
        (None, None, None, "sex,", "/query/by", "unknown_dimension"),
        (None, None, None, "sex,sex", "/query/by", "repeated"),
        (None, date.max, None, None, "/query/to", "too_late"),
        (None, None, date.max, None, "/query/as_of", "too_late"),
    ],
)
def test_what_cannot_be_asked_is_refused_without_being_repeated(
    first: date | None, last: date | None, as_of: date | None, by: str | None, pointer: str, code: str
) -> None:
    with pytest.raises(Unprocessable) as refused:
        question(first, last, as_of, by, ())
    (error,) = refused.value.extensions["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)
    assert "name" not in error["detail"].split()
