"""What a service map says of one service, beside what makes it a service: the attributes of the Handbook (1.4.2).

Words are for people, in any language; what can be counted or compared is structured. Nothing here decides who is
eligible: the criteria that bind are kept by eligibility.
"""

import re
from datetime import date, time
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PlainSerializer, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.registry.directory.domain import BarrierKind, ImplicationKind, Screening
from shared.http.schema import In, Language, Money, Text

Texts = Annotated[dict[Language, Text], Field(max_length=20)]
"""ISO 639-3 language → text."""
Weekday = Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
_DAY = r"[+-]?[1-5]?(MO|TU|WE|TH|FR|SA|SU)"
_RULE = re.compile(rf"FREQ=(WEEKLY|MONTHLY)(;INTERVAL=[1-9]\d?)?(;BYDAY={_DAY}(,{_DAY})*|;BYMONTHDAY=-?\d{{1,2}})?")


def _rule(rule: str) -> str:
    if not _RULE.fullmatch(rule):
        raise PydanticCustomError("rule", "is not a rule of the part of RFC 5545 that is read here")
    return rule


def _to_the_minute(moment: time) -> time:
    if moment.tzinfo is not None or moment.second or moment.microsecond:
        raise PydanticCustomError("time_of_day", "is not a local time of day such as 08:30")
    return moment


Rule = Annotated[str, StringConstraints(max_length=100), AfterValidator(_rule)]
TimeOfDay = Annotated[
    time, AfterValidator(_to_the_minute), PlainSerializer(lambda moment: moment.strftime("%H:%M"), when_used="json")
]


class _Spell(In):
    """Something that holds from a day to a day, both included; without one, open."""

    valid_from: date | None = None
    valid_until: date | None = None

    @model_validator(mode="after")
    def ends_after_it_begins(self) -> Self:
        if self.valid_from is not None and self.valid_until is not None and self.valid_until < self.valid_from:
            raise PydanticCustomError("dates_reversed", "ends before it begins")
        return self


class Schedule(_Spell):
    """When the service can be had: weekly on these days, or by a rule; times are local, and may pass midnight."""

    weekdays: list[Weekday] = Field([], max_length=7)
    rule: Rule | None = None
    """What weekdays cannot say, as RFC 5545 writes it: `FREQ=MONTHLY;BYDAY=1MO` is every first Monday of a month."""
    opens_at: TimeOfDay | None = None
    closes_at: TimeOfDay | None = None
    note: Texts = {}

    @model_validator(mode="after")
    def says_when(self) -> Self:
        if not (self.weekdays or self.rule or self.note):
            raise PydanticCustomError("schedule_empty", "needs weekdays, a rule or a note")
        if (self.opens_at is None) != (self.closes_at is None):
            raise PydanticCustomError("time_missing", "needs both times or none")
        return self


class Cost(_Spell):
    """What the returnee pays for one way of having the service; without an amount, `option` says what it depends on."""

    option: Texts = {}
    amount: Money | None = None

    @model_validator(mode="after")
    def says_what(self) -> Self:
        if not self.option and self.amount is None:
            raise PydanticCustomError("cost_empty", "needs an option or an amount")
        return self

    def charges(self) -> bool:
        return self.amount is not None and Decimal(self.amount.amount) > 0


class Barrier(In):
    """Something that keeps people from the service."""

    kind: BarrierKind
    text: Texts = {}


class Implication(In):
    """What the service means for people of a culture, religion, gender or age."""

    kind: ImplicationKind
    text: Texts


class EnvironmentalScreening(In):
    """The environmental screening of the service: when it was done, and how it came out."""

    done_on: date
    result: Screening
    measures: Texts = {}


class ServiceMap(In):
    """What the Handbook's service mapping asks for and no other field holds, each in words."""

    waiting: Texts = {}
    """How long one typically waits for an appointment, beside the number of `waiting_days`."""
    inclusion: Texts = {}
    exclusion: Texts = {}
    """Criteria as the provider words them; those that bind are validated in eligibility."""
    payment_rules: Texts = {}
    accessibility: Texts = {}
    """The location, and how people with disabilities get in."""
    safety: Texts = {}
    """Safety of the location and of the way there. No event carries it."""
    transport: Texts = {}
    """Public transport and directions."""
    barriers: list[Barrier] = Field([], max_length=20)
    implications: list[Implication] = Field([], max_length=20)
    quality: Texts = {}
    """Professionalism and quality of care."""
    experience_with_returnees: Texts = {}
    community_trust: Texts = {}
    """How the local population sees and trusts it."""
    gaps: Texts = {}
    """What is missing where this service is given."""
