"""The closed vocabulary of tests: what may be asked about a fact. A new operation is one class here and one schema.

A test is only asked with an answer that was read as its fact's type (`FITS` says which types an operation takes).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Self

from services.eligibility.criteria.calendar import birthday, months_after
from services.eligibility.facts.domain import Fact, FactType, UnfitValueError, Value, read

Number = int | Decimal


class MisfitError(ValueError):
    """A criterion that cannot be evaluated: where in it, and why; never what was sent."""

    def __init__(self, pointer: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.code = code
        self.detail = detail


class Test:
    """One operation with its operands, apart from the fact it is asked about."""

    __slots__ = ()
    __test__ = False
    OPERATION: ClassVar[str]
    FITS: ClassVar[frozenset[FactType]]

    @classmethod
    def of(cls, fact: Fact, operands: Mapping[str, Any]) -> Self:
        """The test, its operands read as answers of `fact`. Raises MisfitError."""
        raise NotImplementedError

    def holds(self, answer: Value, as_of: date) -> bool:
        raise NotImplementedError


class Timed(Test):
    """A test whose result changes with the day: it holds from the first to the last day of a span, both included."""

    __slots__ = ()

    def span(self, answer: Value) -> tuple[date, date]:
        raise NotImplementedError

    def holds(self, answer: Value, as_of: date) -> bool:
        first, last = self.span(answer)
        return first <= as_of <= last


@dataclass(frozen=True, slots=True)
class Equals(Test):
    """The answer is this value."""

    OPERATION = "equals"
    FITS = frozenset({FactType.INTEGER, FactType.DECIMAL, FactType.CODE})
    value: Value

    @classmethod
    def of(cls, fact: Fact, operands: Mapping[str, Any]) -> Self:
        return cls(_value(fact, operands.get("value"), "/value"))

    def holds(self, answer: Value, as_of: date) -> bool:
        return answer == self.value


@dataclass(frozen=True, slots=True)
class _Among(Test):
    values: frozenset[str]

    @classmethod
    def of(cls, fact: Fact, operands: Mapping[str, Any]) -> Self:
        raws = operands.get("values")
        if not isinstance(raws, list) or not raws:
            raise MisfitError("/values", "values_expected", "at least one code is expected")
        as_one_answer = [[raw] if fact.type is FactType.CODES else raw for raw in raws]
        codes = [_value(fact, raw, f"/values/{index}") for index, raw in enumerate(as_one_answer)]
        return cls(frozenset().union(*map(_as_codes, codes)))


@dataclass(frozen=True, slots=True)
class OneOf(_Among):
    """The answer is one of these codes."""

    OPERATION = "one_of"
    FITS = frozenset({FactType.CODE})

    def holds(self, answer: Value, as_of: date) -> bool:
        return answer in self.values


@dataclass(frozen=True, slots=True)
class AnyOf(_Among):
    """At least one of these codes is among the answers."""

    OPERATION = "any_of"
    FITS = frozenset({FactType.CODES})

    def holds(self, answer: Value, as_of: date) -> bool:
        return not self.values.isdisjoint(_as_codes(answer))


@dataclass(frozen=True, slots=True)
class NoneOf(_Among):
    """None of these codes is the answer, or among the answers."""

    OPERATION = "none_of"
    FITS = frozenset({FactType.CODE, FactType.CODES})

    def holds(self, answer: Value, as_of: date) -> bool:
        return self.values.isdisjoint(_as_codes(answer))


@dataclass(frozen=True, slots=True)
class Range(Test):
    """The number lies between these, both included."""

    OPERATION = "range"
    FITS = frozenset({FactType.INTEGER, FactType.DECIMAL})
    minimum: Number | None
    maximum: Number | None

    @classmethod
    def of(cls, fact: Fact, operands: Mapping[str, Any]) -> Self:
        low, high = (
            None if operands.get(name) is None else _as_number(_value(fact, operands[name], f"/{name}"))
            for name in ("minimum", "maximum")
        )
        _ordered(low, high, "minimum", "maximum")
        return cls(low, high)

    def holds(self, answer: Value, as_of: date) -> bool:
        number = _as_number(answer)
        return (self.minimum is None or number >= self.minimum) and (self.maximum is None or number <= self.maximum)


@dataclass(frozen=True, slots=True)
class _Truth(Test):
    FITS = frozenset({FactType.BOOLEAN})

    @classmethod
    def of(cls, fact: Fact, operands: Mapping[str, Any]) -> Self:
        return cls()


@dataclass(frozen=True, slots=True)
class IsTrue(_Truth):
    """The answer is yes."""

    OPERATION = "is_true"

    def holds(self, answer: Value, as_of: date) -> bool:
        return answer is True


@dataclass(frozen=True, slots=True)
class IsFalse(_Truth):
    """The answer is a known no."""

    OPERATION = "is_false"

    def holds(self, answer: Value, as_of: date) -> bool:
        return answer is False


@dataclass(frozen=True, slots=True)
class AgeBetween(Timed):
    """The age in completed years on the day, both ends included: at most 35 lasts until the day before she is 36."""

    OPERATION = "age_between"
    FITS = frozenset({FactType.DATE})
    minimum: int | None
    maximum: int | None

    @classmethod
    def of(cls, fact: Fact, operands: Mapping[str, Any]) -> Self:
        if not fact.is_birth:
            raise MisfitError("/operation", "operation_does_not_fit", "an age is counted from a birth date only")
        low, high = (_whole(operands.get(name), 150, f"/{name}") for name in ("minimum", "maximum"))
        _ordered(low, high, "minimum", "maximum")
        return cls(low, high)

    def span(self, answer: Value) -> tuple[date, date]:
        born_on = _as_date(answer)
        first = birthday(born_on, self.minimum or 0)
        last = date.max if self.maximum is None else birthday(born_on, self.maximum + 1) - timedelta(days=1)
        return first, last


@dataclass(frozen=True, slots=True)
class MonthsSince(Timed):
    """The day lies in a window that opens `minimum` months after the date (0: on it) and closes `maximum` after it.

    Both days are included: within 12 months of a return on 15 March still holds on 15 March of the next year.
    """

    OPERATION = "months_since"
    FITS = frozenset({FactType.DATE})
    minimum: int
    maximum: int | None

    @classmethod
    def of(cls, fact: Fact, operands: Mapping[str, Any]) -> Self:
        low, high = (_whole(operands.get(name), 1800, f"/{name}") for name in ("minimum", "maximum"))
        _ordered(low, high, "minimum", "maximum")
        return cls(low or 0, high)

    def span(self, answer: Value) -> tuple[date, date]:
        day = _as_date(answer)
        return months_after(day, self.minimum), date.max if self.maximum is None else months_after(day, self.maximum)


@dataclass(frozen=True, slots=True)
class DateBetween(Test):
    """The date lies between these days, both included."""

    OPERATION = "date_between"
    FITS = frozenset({FactType.DATE})
    from_on: date | None
    until_on: date | None

    @classmethod
    def of(cls, fact: Fact, operands: Mapping[str, Any]) -> Self:
        first, last = (
            None if operands.get(name) is None else _as_date(_value(fact, operands[name], f"/{name}"))
            for name in ("from_on", "until_on")
        )
        _ordered(first, last, "from_on", "until_on")
        return cls(first, last)

    def holds(self, answer: Value, as_of: date) -> bool:
        day = _as_date(answer)
        return (self.from_on is None or day >= self.from_on) and (self.until_on is None or day <= self.until_on)


OPERATIONS: Mapping[str, type[Test]] = {
    test.OPERATION: test
    for test in (Equals, OneOf, AnyOf, NoneOf, Range, IsTrue, IsFalse, AgeBetween, MonthsSince, DateBetween)
}


def _value(fact: Fact, raw: object, pointer: str) -> Value:
    try:
        value = read(fact, raw)
    except UnfitValueError as unfit:
        raise MisfitError(pointer, unfit.code, unfit.detail) from None
    if value is None:
        raise MisfitError(pointer, "value_expected", "a criterion compares with a known value")
    return value


def _whole(raw: object, most: int, pointer: str) -> int | None:
    if raw is None:
        return None
    if not isinstance(raw, int) or isinstance(raw, bool) or not 0 <= raw <= most:
        raise MisfitError(pointer, "out_of_range", f"a whole number from 0 to {most} is expected")
    return raw


def _ordered(low: Any, high: Any, low_name: str, high_name: str) -> None:
    if low is None and high is None:
        raise MisfitError(f"/{low_name}", "bound_expected", "at least one bound is expected")
    if low is not None and high is not None and low > high:
        raise MisfitError(f"/{high_name}", "bounds_out_of_order", "the upper bound lies below the lower one")


def _as_codes(value: Value) -> frozenset[str]:
    return value if isinstance(value, frozenset) else frozenset({str(value)})


def _as_number(value: Value) -> Number:
    if not isinstance(value, int | Decimal):
        raise TypeError("a number is compared with numbers only")
    return value


def _as_date(value: Value) -> date:
    if not isinstance(value, date):
        raise TypeError("a date is compared with dates only")
    return value
