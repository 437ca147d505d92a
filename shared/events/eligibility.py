"""What eligibility says: criteria that bind, and decisions that people took. Never a fact about a person."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events import Event


class CriteriaValidated(Event):
    """A criteria set binds from `valid_from`."""

    subject_field: ClassVar[str] = "service_id"
    key_field: ClassVar[str] = "service_id"
    service_id: UUID
    criteria_version: int
    valid_from: date
    validated_by: UUID
    open_to_all: bool
    """True when the set has no criteria."""


class CriteriaRetired(Event):
    """A criteria set no longer binds."""

    subject_field: ClassVar[str] = "service_id"
    key_field: ClassVar[str] = "service_id"
    service_id: UUID
    criteria_version: int


class EligibilityDecided(Event):
    """A person decided whether this case may have this service (GDPR Art. 22: the automatic verdict only proposed)."""

    subject_field: ClassVar[str] = "decision_id"
    key_field: ClassVar[str] = "case_id"
    decision_id: UUID
    match_id: UUID
    case_id: UUID
    service_id: UUID
    outcome: Literal["eligible", "not_eligible"]
    organization_id: UUID
    as_of: date
    decided_at: datetime


class DecisionAppealed(Event):
    """Somebody asks for the decision to be looked at again, by somebody else."""

    subject_field: ClassVar[str] = "decision_id"
    key_field: ClassVar[str] = "case_id"
    decision_id: UUID
    appeal_id: UUID
    case_id: UUID
    service_id: UUID


class AppealDecided(Event):
    """The appeal was decided; `outcome` is what holds now."""

    subject_field: ClassVar[str] = "decision_id"
    key_field: ClassVar[str] = "case_id"
    decision_id: UUID
    appeal_id: UUID
    case_id: UUID
    service_id: UUID
    outcome: Literal["eligible", "not_eligible"]
    organization_id: UUID
    as_of: date
    decided_at: datetime


class UnmetNeedRecorded(Event):
    """A match that named a case found nothing it can have: which criteria stood in the way, and where."""

    subject_field: ClassVar[str] = "match_id"
    key_field: ClassVar[str] = "case_id"
    match_id: UUID
    case_id: UUID
    country: str
    area: str | None = None
    needs: list[str] = []
    failing_criteria: list[str] = []
    as_of: date
