"""Foreign facts as they were last heard: one row for each aggregate, with the version that said so."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from services.referral.tables import Base


class Organization(Base):
    """An organisation of the registry."""

    __tablename__ = "known_organizations"

    organization_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str]
    kind: Mapped[str]
    country: Mapped[str]


class Programme(Base):
    """A programme: referrals ask only whether it is one of development."""

    __tablename__ = "known_programmes"

    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    organization_id: Mapped[UUID]
    name: Mapped[str]
    development: Mapped[bool]
    closed: Mapped[bool]


class Service(Base):
    """A service as it was last published, or retired."""

    __tablename__ = "known_services"

    service_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    organization_id: Mapped[UUID]
    programme_id: Mapped[UUID | None]
    name: Mapped[str]
    type: Mapped[str]
    dimension: Mapped[str]
    country: Mapped[str]
    areas: Mapped[list[str]]
    covered_areas: Mapped[list[str]]
    remote: Mapped[bool]
    open_to_all: Mapped[bool]
    set_aside: Mapped[int | None]
    retired: Mapped[bool]


class Agreement(Base):
    """An agreement that every party has signed; `ended_on` once somebody ended it or it ran out."""

    __tablename__ = "known_agreements"
    __table_args__ = (Index("ix_known_agreements_party_ids", "party_ids", postgresql_using="gin"),)

    agreement_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    kind: Mapped[str]
    party_ids: Mapped[list[UUID]]
    covers: Mapped[dict[str, Any]]
    countries: Mapped[list[str]]
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    ended_on: Mapped[date | None]
    deadlines: Mapped[dict[str, Any]]
    disclosure: Mapped[dict[str, Any]]
    transfer_instrument: Mapped[dict[str, Any] | None]


class Mechanism(Base):
    """A mechanism: who receives referrals for which area and need."""

    __tablename__ = "known_mechanisms"
    __table_args__ = (Index("ix_known_mechanisms_countries", "countries", postgresql_using="gin"),)

    mechanism_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str]
    kind: Mapped[str]
    organization_id: Mapped[UUID]
    parent_id: Mapped[UUID | None]
    countries: Mapped[list[str]]
    areas: Mapped[list[str]]
    covered_areas: Mapped[list[str]]
    needs: Mapped[list[str]]
    procedure: Mapped[str | None]
    development_referral_system: Mapped[str]
    active: Mapped[bool]


class Decision(Base):
    """A person's decision whether a case may have a service; an appeal replaces its outcome."""

    __tablename__ = "known_decisions"
    __table_args__ = (Index("ix_known_decisions_case_id_service_id", "case_id", "service_id"),)

    decision_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    case_id: Mapped[UUID]
    service_id: Mapped[UUID]
    outcome: Mapped[str]
    organization_id: Mapped[UUID]
    as_of: Mapped[date]
    decided_at: Mapped[datetime]
