from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.registry.agreements.domain import State
from services.registry.directory.models import Organization
from services.registry.tables import Base
from shared.db import Versioned
from shared.ids import new_id


class Agreement(Versioned, Base):
    """A written arrangement between organisations."""

    __tablename__ = "agreements"
    __table_args__ = (CheckConstraint("valid_from <= valid_until", name="begins_before_it_ends"),)

    agreement_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    description: Mapped[str | None]
    covers: Mapped[dict[str, Any]]
    countries: Mapped[list[str]]
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    deadlines: Mapped[dict[str, Any]]
    disclosure: Mapped[dict[str, Any]]
    data_roles: Mapped[list[dict[str, Any]]]
    transfer_instrument: Mapped[dict[str, Any] | None]
    state: Mapped[str] = mapped_column(default=State.DRAFT)
    ended_on: Mapped[date | None]
    parties: Mapped[list["AgreementParty"]] = relationship(
        lazy="raise", order_by="AgreementParty.organization_id", cascade="all, delete-orphan"
    )


class AgreementParty(Base):
    """One party, and the day on which it signed."""

    __tablename__ = "agreement_parties"
    __table_args__ = (Index("ix_agreement_parties_organization_id", "organization_id"),)

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey(Agreement.agreement_id, ondelete="CASCADE"), primary_key=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey(Organization.organization_id), primary_key=True)
    signed_on: Mapped[date | None]
