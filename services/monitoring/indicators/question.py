"""What an indicator is asked for: days become instants, attributes are checked; nothing that was sent is said back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from services.monitoring.indicators.domain import DIMENSIONS
from shared.errors import Unprocessable, invalid


@dataclass(frozen=True, slots=True)
class Question:
    """Referrals sent in [since, before), from what had happened by `as_of`, broken down by `by`; None: no bound."""

    since: datetime | None
    before: datetime | None
    as_of: datetime | None
    by: tuple[str, ...]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _day_after(day: date, asked_as: str) -> datetime:
    if day == date.max:
        late = "is later than any day that can be counted"
        raise Unprocessable(errors=[invalid(f"/query/{asked_as}", late, "too_late")])
    return _midnight(day + timedelta(days=1))


def question(
    first: date | None, last: date | None, as_of: date | datetime | None, by: str | None, default_by: Sequence[str]
) -> Question:
    """Both days included; a day as `as_of` counts to its end. 422 for a reversed period and for an unknown `by`."""
    if first is not None and last is not None and first > last:
        raise Unprocessable(errors=[invalid("/query/from", "is later than `to`", "reversed")])
    return Question(
        since=None if first is None else _midnight(first),
        before=None if last is None else _day_after(last, "to"),
        as_of=_instant(as_of),
        by=tuple(default_by) if by is None else _dimensions(by),
    )


def _instant(as_of: date | datetime | None) -> datetime | None:
    if as_of is None or isinstance(as_of, datetime):
        return as_of
    return _day_after(as_of, "as_of") - datetime.resolution


def _dimensions(by: str) -> tuple[str, ...]:
    asked = tuple(name.strip() for name in by.split(",")) if by.strip() else ()
    if not set(asked) <= set(DIMENSIONS):
        known = f"names something other than {', '.join(DIMENSIONS)}"
        raise Unprocessable(errors=[invalid("/query/by", known, "unknown_dimension")])
    if len(set(asked)) < len(asked):
        raise Unprocessable(errors=[invalid("/query/by", "names an attribute twice", "repeated")])
    return asked
