"""Decisions and appeals as they are sent and read."""

from datetime import date, datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.eligibility.criteria.domain import Outcome
from services.eligibility.decisions.domain import Decided
from services.eligibility.matching.domain import Verdict
from shared.http.schema import Code, In, Out, Text

ReasonCode = Literal[
    "criteria_met",
    "criteria_not_met",
    "document_seen",
    "told_by_returnee",
    "told_by_provider",
    "circumstances_changed",
    "vulnerability",
    "exception_agreed",
    "other",
]
Grounds = Literal["facts_wrong", "facts_changed", "criteria_misread", "not_heard", "other"]


class ReasonIn(In):
    """Why it was decided so. The text is kept encrypted; it may name nobody."""

    code: ReasonCode
    text: Text | None = None

    @model_validator(mode="after")
    def _other_is_explained(self) -> Self:
        if self.code == "other" and self.text is None:
            raise PydanticCustomError("text_expected", "another reason has to be put into words")
        return self


class OverrideIn(In):
    """A single criterion judged by a person instead, and why."""

    criterion_id: Code
    outcome: Literal[Outcome.MET, Outcome.NOT_MET]
    justification: Text


class DecisionIn(In):
    """A judgement about a service that a match showed."""

    match_id: UUID
    service_id: UUID
    outcome: Decided
    reasons: list[ReasonIn] = Field(
        default=[], max_length=20, description="Required when the outcome does not follow from verdict and overrides."
    )
    overrides: list[OverrideIn] = Field(default=[], max_length=200)


class AppealIn(In):
    grounds: Grounds
    text: Text | None = None


class AppealDecisionIn(In):
    """What holds now, and why."""

    outcome: Decided
    reasons: list[ReasonIn] = Field(min_length=1, max_length=20)


class DecisionSummaryOut(Out):
    decision_id: UUID
    match_id: UUID
    case_id: UUID
    service_id: UUID
    proposed: Verdict = Field(description="The automatic verdict.")
    decided: Decided = Field(description="What was decided first.")
    outcome: Decided = Field(description="What holds now, after any appeal.")
    as_of: date
    criteria_version: int | None
    decided_at: datetime
    superseded_by: UUID | None = Field(description="The later decision that took the place of this one.")
    version: int


class AppealOut(Out):
    appeal_id: UUID
    decision_id: UUID
    grounds: Grounds
    text: str | None
    status: Literal["open", "decided"]
    outcome: Decided | None
    reasons: list[ReasonIn]
    appealed_at: datetime
    decided_at: datetime | None
    version: int


class DecisionOut(DecisionSummaryOut):
    reasons: list[ReasonIn]
    overrides: list[OverrideIn]
    appeals: list[AppealOut]
