"""The JSON forms of criteria: one for each operation of the vocabulary, told apart by `operation`."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from services.eligibility.criteria.domain import Kind, Status
from services.eligibility.facts.domain import Level
from shared.http.schema import Code, In, Language, Out, Text

Number = StrictInt | StrictFloat | StrictStr
Scalar = StrictBool | Number
Texts = Annotated[
    dict[Language, Text], Field(min_length=1, description="ISO 639-3 language → text; English is the fallback.")
]
Values = Annotated[list[str], Field(min_length=1, max_length=500)]


class _Criterion(In):
    criterion_id: Code = Field(description="Its name, unique in the set; keep it from version to version.")
    kind: Kind = Field(default=Kind.INCLUSION, description="An inclusion has to hold; an exclusion must not.")
    level: Level | None = Field(default=None, description="Follows from the fact; if given, it has to be the fact's.")
    fact: Code = Field(description="A fact of the catalogue (`GET /facts`).")
    text: Texts
    source: Text | None = Field(
        default=None, description="Where it is laid down: agreement, article, programme document."
    )


class EqualsCriterion(_Criterion):
    """The answer is this value (integer, decimal, code)."""

    operation: Literal["equals"]
    value: Scalar


class OneOfCriterion(_Criterion):
    """The answer is one of these codes (code)."""

    operation: Literal["one_of"]
    values: Values


class AnyOfCriterion(_Criterion):
    """At least one of these codes is among the answers (codes)."""

    operation: Literal["any_of"]
    values: Values


class NoneOfCriterion(_Criterion):
    """None of these codes is the answer or among the answers (code, codes)."""

    operation: Literal["none_of"]
    values: Values


class RangeCriterion(_Criterion):
    """The number lies between these, both included (integer, decimal)."""

    operation: Literal["range"]
    minimum: Number | None = None
    maximum: Number | None = None


class IsTrueCriterion(_Criterion):
    """The answer is yes (boolean)."""

    operation: Literal["is_true"]


class IsFalseCriterion(_Criterion):
    """The answer is a known no (boolean)."""

    operation: Literal["is_false"]


class AgeBetweenCriterion(_Criterion):
    """The age in completed years on the day asked about, both ends included (a birth date)."""

    operation: Literal["age_between"]
    minimum: StrictInt | None = None
    maximum: StrictInt | None = None


class MonthsSinceCriterion(_Criterion):
    """The day lies so many months after the date, both ends included; `minimum` 0: on the date itself (date)."""

    operation: Literal["months_since"]
    minimum: StrictInt | None = None
    maximum: StrictInt | None = None


class DateBetweenCriterion(_Criterion):
    """The date lies between these days, both included (date)."""

    operation: Literal["date_between"]
    from_on: date | None = None
    until_on: date | None = None


Criterion = Annotated[
    EqualsCriterion
    | OneOfCriterion
    | AnyOfCriterion
    | NoneOfCriterion
    | RangeCriterion
    | IsTrueCriterion
    | IsFalseCriterion
    | AgeBetweenCriterion
    | MonthsSinceCriterion
    | DateBetweenCriterion,
    Field(discriminator="operation"),
]


class CriteriaIn(In):
    """A criteria set: all of its criteria have to be met. None at all, once validated, means open to all."""

    criteria: list[Criterion] = Field(max_length=200)
    source: Text | None = Field(default=None, description="The document the set is taken from.")

    def stored(self) -> list[dict[str, Any]]:
        return [criterion.model_dump(mode="json", exclude_none=True) for criterion in self.criteria]


class ValidateIn(In):
    """From when the set binds; without a day: from today. A day that has passed only if no other set bound since."""

    valid_from: date | None = None


class CriteriaOut(Out):
    """A criteria set. It binds from `valid_from`, up to but not on `valid_until`."""

    service_id: UUID
    criteria_version: int
    status: Status
    criteria: list[Criterion]
    source: str | None
    organization_id: UUID = Field(description="Who wrote it.")
    validated_by: UUID | None
    validated_at: datetime | None
    valid_from: date | None
    valid_until: date | None
    created_at: datetime
    version: int
