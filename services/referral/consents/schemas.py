"""What is sent and answered about consents and derogations."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.referral.cases.schemas import Day, IdentityField
from services.referral.consents.domain import Article, Purpose, RecipientKind
from shared.http.schema import In, Language, Out, Text


class Recipient(In):
    """One organisation by its id, or every organisation of a kind."""

    organization_id: UUID | None = None
    kind: RecipientKind | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.organization_id is None) == (self.kind is None):
            raise PydanticCustomError("recipient", "names either an organization_id or a kind")
        return self


class ConsentIn(In):
    """What the returnee agreed to, in which language it was explained, and what proves it."""

    purpose: Purpose
    recipients: Annotated[list[Recipient], Field(min_length=1, max_length=50)]
    fields: Annotated[list[IdentityField], Field(max_length=7)]
    language: Language
    given_on: Day
    valid_until: Day | None = None
    """The last day; without one it holds until it is withdrawn."""
    evidence: Text


class ConsentOut(Out):
    """`evidence` only when one consent is read."""

    consent_id: UUID
    case_id: UUID
    version: int
    purpose: str
    recipients: list[Recipient]
    fields: list[str]
    language: str
    given_on: date
    valid_until: date | None
    recorded_by: UUID
    withdrawn_on: date | None
    withdrawn_at: datetime | None
    created_at: datetime
    evidence: str | None = None


class DerogationIn(In):
    """The ground of GDPR Art. 49 on which transfers to one recipient rest, and why it holds."""

    article: Article
    justification: Text
    recipient_id: UUID
    valid_until: Day


class DerogationOut(Out):
    """`justification` only when one derogation is read."""

    derogation_id: UUID
    case_id: UUID
    article: str
    recipient_id: UUID
    recorded_on: date
    valid_until: date
    recorded_by: UUID
    recorded_at: datetime
    justification: str | None = None
