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
    """Whose criteria they are."""
    criteria_version: int
    """Which of the service's sets."""
    valid_from: date
    """First day on which it binds."""
    validated_by: UUID
    """The organisation that validated it."""
    open_to_all: bool
    """True when the set has no criteria."""


class CriteriaRetired(Event):
    """A criteria set no longer binds."""

    subject_field: ClassVar[str] = "service_id"
    key_field: ClassVar[str] = "service_id"
    service_id: UUID
    """Whose criteria they were."""
    criteria_version: int
    """Which of the service's sets."""


class EligibilityDecided(Event):
    """A person decided whether this case may have this service (GDPR Art. 22: the automatic verdict only proposed)."""

    subject_field: ClassVar[str] = "decision_id"
    key_field: ClassVar[str] = "case_id"
    decision_id: UUID
    match_id: UUID
    """The match whose verdict was before the person."""
    case_id: UUID
    service_id: UUID
    outcome: Literal["eligible", "not_eligible"]
    """What was decided."""
    organization_id: UUID
    """The organisation that decided."""
    as_of: date
    """The day for which it was judged, mostly that of arrival."""
    decided_at: datetime
    """When the person decided."""


class DecisionAppealed(Event):
    """Somebody asks for the decision to be looked at again, by somebody else."""

    subject_field: ClassVar[str] = "decision_id"
    key_field: ClassVar[str] = "case_id"
    decision_id: UUID
    """What is appealed against."""
    appeal_id: UUID
    case_id: UUID
    service_id: UUID


class AppealDecided(Event):
    """The appeal was decided; `outcome` is what holds now."""

    subject_field: ClassVar[str] = "decision_id"
    key_field: ClassVar[str] = "case_id"
    decision_id: UUID
    """What was appealed against."""
    appeal_id: UUID
    case_id: UUID
    service_id: UUID
    outcome: Literal["eligible", "not_eligible"]
    """What holds now."""
    organization_id: UUID
    """The organisation that decided the appeal."""
    as_of: date
    """The day for which it was judged."""
    decided_at: datetime
    """When the person decided."""


class UnmetNeedRecorded(Event):
    """A match that named a case found nothing it can have: which criteria stood in the way, and where."""

    subject_field: ClassVar[str] = "match_id"
    key_field: ClassVar[str] = "case_id"
    match_id: UUID
    case_id: UUID
    country: str
    """Of origin (ISO 3166-1 alpha-2)."""
    area: str | None = None
    """Code of the area asked for."""
    needs: list[str] = []
    """Dimensions and types asked for."""
    failing_criteria: list[str] = []
    """Ids of the criteria that stood in the way."""
    as_of: date
    """The day for which it was asked."""
