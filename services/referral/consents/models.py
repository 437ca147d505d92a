"""Tables of consents and derogations; what a person wrote in them is sealed under the key of the case."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from services.referral.tables import Base
from shared.db import Versioned
from shared.ids import new_id


class Consent(Versioned, Base):
    """What the returnee agreed to: never edited, only withdrawn. It stays as proof that she agreed (GDPR Art. 7)."""

    __tablename__ = "consents"

    consent_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.case_id"), index=True)
    purpose: Mapped[str]
    recipient_organization_ids: Mapped[list[UUID]]
    recipient_kinds: Mapped[list[str]]
    fields: Mapped[list[str]]
    language: Mapped[str]
    given_on: Mapped[date]
    valid_until: Mapped[date | None]
    evidence: Mapped[bytes]
    recorded_by: Mapped[UUID]
    withdrawn_on: Mapped[date | None]
    withdrawn_at: Mapped[datetime | None]


class TransferDerogation(Base):
    """A derogation of GDPR Art. 49, on which transfers to one recipient rest where no agreement gives a basis."""

    __tablename__ = "derogations"

    derogation_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.case_id"), index=True)
    article: Mapped[str]
    justification: Mapped[bytes]
    recipient_id: Mapped[UUID]
    recorded_on: Mapped[date]
    valid_until: Mapped[date]
    recorded_by: Mapped[UUID]
    recorded_at: Mapped[datetime]
