"""What a fact is, and how an answer is read. The catalogue itself stands in `catalogue`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

Value = bool | int | Decimal | date | str | frozenset[str]
"""An answer that was read. Nobody knowing is the absence of an answer, never a value."""


class FactType(StrEnum):
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    CODE = "code"
    CODES = "codes"


class Level(StrEnum):
    """The three levels of the feasibility grid (IOM Handbook, Annex 5)."""

    INDIVIDUAL = "individual"
    COMMUNITY = "community"
    STRUCTURAL = "structural"


class Sensitivity(StrEnum):
    """`general` is about a place, `personal` about a person, `special` a category of GDPR Art. 9 or close to one."""

    GENERAL = "general"
    PERSONAL = "personal"
    SPECIAL = "special"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing a criterion may ask. `allowed` lists the codes; `pattern` stands in where a standard has too many."""

    name: str
    type: FactType
    level: Level
    sensitivity: Sensitivity
    question: Mapping[str, str]
    unit: str | None = None
    allowed: tuple[str, ...] = ()
    pattern: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    is_birth: bool = False
    never_leaves: bool = False
    """True when an asylum claim or an enforcement authority's work follows from it: it stays in the member state."""


class UnfitValueError(ValueError):
    """An answer that its fact cannot have. Says which rule it breaks, never what was sent."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


EARLIEST = date(1900, 1, 1)
LATEST = date(2199, 12, 31)
UNKNOWN = "unknown"
_MOST_CODES = 100
_LONGEST_NUMBER = 30
N = TypeVar("N", int, Decimal)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def read(fact: Fact, raw: object) -> Value | None:
    """A JSON value as the fact's type; None when it says that nobody knows (`null`, or the code `unknown`)."""
    if raw is None:
        return None
    match fact.type:
        case FactType.BOOLEAN:
            return _boolean(raw)
        case FactType.INTEGER:
            return _within(fact, _integer(raw))
        case FactType.DECIMAL:
            return _within(fact, _decimal(raw))
        case FactType.DATE:
            return read_date(raw)
        case FactType.CODE:
            return None if raw == UNKNOWN else _code(fact, raw)
        case FactType.CODES:
            return _codes(fact, raw)


def store(value: Value) -> bool | int | str | list[str]:
    """The JSON value from which `read` makes `value` again."""
    match value:
        case bool() | int() | str():
            return value
        case date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case frozenset():
            return sorted(value)


def read_date(raw: object) -> date:
    """An ISO 8601 calendar date between 1900 and 2199: far enough for every window, near enough to add years to."""
    if not isinstance(raw, str) or not _ISO_DATE.fullmatch(raw):
        raise UnfitValueError("date_expected", "a date YYYY-MM-DD is expected")
    try:
        day = date.fromisoformat(raw)
    except ValueError:
        raise UnfitValueError("impossible_date", "there is no such day") from None
    if not EARLIEST <= day <= LATEST:
        raise UnfitValueError("date_out_of_range", "dates lie between 1900-01-01 and 2199-12-31")
    return day


def _boolean(raw: object) -> bool:
    if not isinstance(raw, bool):
        raise UnfitValueError("boolean_expected", "true or false is expected")
    return raw


def _integer(raw: object) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise UnfitValueError("integer_expected", "a whole number is expected")
    return raw


def _decimal(raw: object) -> Decimal:
    """Decimals arrive as JSON numbers or, as amounts do everywhere else, as strings."""
    if not isinstance(raw, int | float | str) or isinstance(raw, bool):
        raise UnfitValueError("decimal_expected", "a number is expected")
    written = str(raw)
    if len(written) > _LONGEST_NUMBER:
        raise UnfitValueError("decimal_expected", "a shorter number is expected")
    try:
        number = Decimal(written)
    except InvalidOperation:
        raise UnfitValueError("decimal_expected", "a number is expected") from None
    if not number.is_finite():
        raise UnfitValueError("decimal_expected", "a number is expected")
    return number


def _within(fact: Fact, number: N) -> N:
    low, high = fact.minimum, fact.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        raise UnfitValueError("out_of_range", "the number is outside the range of this fact")
    return number


def _code(fact: Fact, raw: object) -> str:
    if not isinstance(raw, str):
        raise UnfitValueError("code_expected", "a code is expected")
    if raw in fact.allowed or (fact.pattern is not None and re.fullmatch(fact.pattern, raw)):
        return raw
    raise UnfitValueError("code_not_allowed", "this fact does not have such a code")


def _codes(fact: Fact, raw: object) -> frozenset[str]:
    if not isinstance(raw, list):
        raise UnfitValueError("codes_expected", "a list of codes is expected")
    if len(raw) > _MOST_CODES:
        raise UnfitValueError("too_many_codes", f"at most {_MOST_CODES} codes are taken")
    return frozenset(_code(fact, one) for one in raw)
