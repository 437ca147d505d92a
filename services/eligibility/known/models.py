"""What was heard, one row for each aggregate, with the version it was heard at."""

from datetime import date
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.eligibility.tables import Base


class KnownOrganization(Base):
    __tablename__ = "known_organizations"

    organization_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str]
    kind: Mapped[str]
    country: Mapped[str]
    lead: Mapped[bool]


class KnownProgramme(Base):
    __tablename__ = "known_programmes"

    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    organization_id: Mapped[UUID]
    name: Mapped[str]
    ends_on: Mapped[date | None]
    closed: Mapped[bool]


class KnownService(Base):
    """A service that was published at least once; `retired` and `hidden` ones are not matched."""

    __tablename__ = "known_services"
    __table_args__ = (Index("ix_known_services_matched", "country", postgresql_where=text("NOT retired")),)

    service_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    organization_id: Mapped[UUID]
    programme_id: Mapped[UUID | None]
    name: Mapped[str]
    translations: Mapped[dict[str, str]]
    type: Mapped[str]
    dimension: Mapped[str]
    level: Mapped[str]
    country: Mapped[str]
    covered_areas: Mapped[list[str]]
    remote: Mapped[bool]
    open_to_all: Mapped[bool]
    set_aside: Mapped[int | None]
    waiting_days: Mapped[int | None]
    confirmed_on: Mapped[date | None]
    review_by: Mapped[date | None]
    hidden: Mapped[bool]
    """Nobody has confirmed it for so long that the registry shows it no more."""
    retired: Mapped[bool]


class KnownAgreement(Base):
    __tablename__ = "known_agreements"
    __table_args__ = (Index("ix_known_agreements_parties", "parties", postgresql_using="gin"),)

    agreement_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    kind: Mapped[str]
    parties: Mapped[list[UUID]]
    service_ids: Mapped[list[UUID]]
    programme_ids: Mapped[list[UUID]]
    mechanism_ids: Mapped[list[UUID]]
    countries: Mapped[list[str]]
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    ended_on: Mapped[date | None]


class KnownMechanism(Base):
    __tablename__ = "known_mechanisms"

    mechanism_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    organization_id: Mapped[UUID]
    countries: Mapped[list[str]]
    covered_areas: Mapped[list[str]]
    needs: Mapped[list[str]]
    has_procedure: Mapped[bool]
    active: Mapped[bool]


class KnownCase(Base):
    """A case by its coarse attributes: whose it is, where it returns to and when."""

    __tablename__ = "known_cases"

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    owner_id: Mapped[UUID | None]
    member_state: Mapped[str | None]
    country_of_origin: Mapped[str | None]
    area: Mapped[str | None]
    return_type: Mapped[str | None]
    sex: Mapped[str | None]
    planned_arrival_on: Mapped[date | None]
    arrived_on: Mapped[date | None]
    erased: Mapped[bool]


class KnownPlaces(Base):
    """How the places of a service stand in the referral service's ledger."""

    __tablename__ = "known_places"

    service_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    set_aside: Mapped[int | None]
    free: Mapped[int | None]
    queued: Mapped[int]
