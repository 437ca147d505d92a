"""What an indicator shows: how it is defined, and every number with its denominator and with what is not known."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from shared.http.schema import In, Out


def _only_a_day(sent: object) -> object:
    """Midnight is an instant and not a day: without its time zone it is neither."""
    if isinstance(sent, str) and "T" in sent.upper():
        raise PydanticCustomError("time_without_zone", "is a time without its zone")
    return sent


Day = Annotated[date, BeforeValidator(_only_a_day)]


class Asked(In):
    """Which referrals, broken down by what, as of when. Days are days in UTC."""

    from_: date | None = Field(None, alias="from", description="Sent on this day or later")
    to: date | None = Field(None, description="Sent on this day or earlier")
    by: str | None = Field(
        None,
        max_length=100,
        description="Comma-separated, any of sex, age_band, area, return_type, member_state, priority, need; "
        "empty: not broken down; absent: as the indicator's own definition says",
    )
    as_of: Annotated[AwareDatetime | Day | None, Field(union_mode="left_to_right")] = Field(
        None, description="From what had happened by then; a day counts whole; absent: from everything heard"
    )


class MeasureOut(Out):
    """One number that the indicator gives."""

    code: str
    name: str
    unit: Literal["share", "hours"]


class IndicatorOut(Out):
    """The definition of an indicator. `source` says whose definition it is."""

    code: str
    version: int
    name: str
    definition: str
    numerator: str
    denominator: str
    missing_data: str
    source: str
    default_by: list[str]
    measures: list[MeasureOut]


class CountOut(Out):
    """A measure over some referrals. Where it is suppressed, because few people stand behind it, all is null."""

    code: str
    suppressed: bool = False
    numerator: int | None = None
    """Null for a median."""
    denominator: int | None = None
    value: float | None = None
    """Null where the denominator is 0: nothing is known, which is not a rate of 0."""
    at_least: float | None = None
    """What the share would be if none of the missing ones turned out to be so."""
    at_most: float | None = None
    """What the share would be if all of the missing ones turned out to be so."""
    missing: dict[str, int] | None = None
    """Belong to the denominator, but what happened is not known or not over; outside it. By kind."""
    excluded: dict[str, int] | None = None
    """By definition not in the denominator. By kind."""


class CellOut(Out):
    """One combination of attributes that occurs."""

    by: dict[str, str]
    suppressed: bool
    """True where no measure of the cell is shown."""
    measures: list[CountOut]


class SmallCells(Out):
    """The rule by which cells are suppressed and, where it is counted over all, totals too."""

    threshold: int
    """A denominator below it is not shown; nor are others from which it could be found by subtraction. Over fewer
    referrals than that the evaluator is shown no measure at all."""
    source: str = "project default"
    withheld: bool
    """True where there are fewer referrals than that in all, so that no cells are listed."""


class IndicatorResult(Out):
    """An indicator, computed."""

    code: str
    version: int
    name: str
    definition: str
    source: str
    over: Literal["took_part", "all"]
    """Over the referrals in which one's own organisation took part, or, for the evaluator, over all. Where one's part
    has ended, a referral is counted as it stood then."""
    from_: date | None = Field(alias="from")
    to: date | None
    as_of: datetime
    """The instant up to which events were counted; where none was asked for, the time of the answer."""
    by: list[str]
    referrals: int
    """Referrals sent in the period, without those entered in error."""
    entered_in_error: int
    """Referrals of the period that never should have been: in no measure."""
    total: list[CountOut]
    cells: list[CellOut]
    small_cells: SmallCells
