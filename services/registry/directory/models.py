from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.directory.domain import State
from services.registry.tables import Base
from shared.db import Versioned
from shared.ids import new_id


class Organization(Versioned, Base):
    """An organisation; a lead while only an import has named it, and then its kind and country may be unknown."""

    __tablename__ = "organizations"
    __table_args__ = (CheckConstraint("lead OR (kind IS NOT NULL AND country IS NOT NULL)", name="confirmed_is_whole"),)

    organization_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    translations: Mapped[dict[str, str]] = mapped_column(default=dict)
    acronym: Mapped[str | None]
    kind: Mapped[str | None]
    country: Mapped[str | None]
    description: Mapped[str | None]
    website: Mapped[str | None]
    identifiers: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    contacts: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    lead: Mapped[bool] = mapped_column(default=False)
    imported_as: Mapped[str | None] = mapped_column(index=True)
    """The folded name under which an import found it, so that a second import finds it again."""


class Programme(Versioned, Base):
    """A programme of one organisation, carried out in one country or several."""

    __tablename__ = "programmes"

    programme_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey(Organization.organization_id), index=True)
    name: Mapped[str]
    translations: Mapped[dict[str, str]] = mapped_column(default=dict)
    description: Mapped[str | None]
    countries: Mapped[list[str]]
    areas: Mapped[list[str]] = mapped_column(default=list)
    sectors: Mapped[list[str]] = mapped_column(default=list)
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    funding: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    development: Mapped[bool] = mapped_column(default=True)
    contacts: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    state: Mapped[str] = mapped_column(default=State.DRAFT, index=True)
    confirmed_on: Mapped[date | None]


class Service(Versioned, Base):
    """Something a returnee can receive at a place."""

    __tablename__ = "services"
    __table_args__ = (
        UniqueConstraint("organization_id", "imported_as"),
        CheckConstraint("set_aside IS NULL OR (places_stated AND set_aside >= 0)", name="set_aside_is_stated"),
        Index("ix_services_country_state", "country", "state"),
        Index("ix_services_areas", "areas", postgresql_using="gin"),
    )

    service_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey(Organization.organization_id), index=True)
    programme_id: Mapped[UUID | None] = mapped_column(ForeignKey(Programme.programme_id), index=True)
    name: Mapped[str]
    translations: Mapped[dict[str, str]] = mapped_column(default=dict)
    description: Mapped[str | None]
    type: Mapped[str | None]
    dimension: Mapped[str | None]
    level: Mapped[str | None]
    country: Mapped[str | None]
    """The country of its areas; None until it has any."""
    areas: Mapped[list[str]] = mapped_column(default=list)
    covered_areas: Mapped[list[str]] = mapped_column(default=list)
    locations: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    places_stated: Mapped[bool] = mapped_column(default=False)
    """True once somebody has said how many places are set aside, or that they are not counted."""
    set_aside: Mapped[int | None]
    """Places set aside for referrals at one time; None: not counted."""
    open_to_all: Mapped[bool] = mapped_column(default=False)
    remote: Mapped[bool] = mapped_column(default=False)
    waiting_days: Mapped[int | None]
    languages: Mapped[list[str]] = mapped_column(default=list)
    required_documents: Mapped[list[str]] = mapped_column(default=list)
    contacts: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    state: Mapped[str] = mapped_column(default=State.DRAFT)
    confirmed_on: Mapped[date | None]
    inferred: Mapped[list[str]] = mapped_column(default=list)
    """Fields that an import inferred and nobody has looked at yet."""
    imported_as: Mapped[str | None]
    """The folded activity under which an import found it."""
    imported: Mapped[dict[str, Any] | None]
    """What the import said last, and the version it left: whoever edits the service afterwards is not overruled."""

    @property
    def places(self) -> dict[str, int | None] | None:
        """`{"set_aside": n | None}` as stated, None while nobody has."""
        return {"set_aside": self.set_aside} if self.places_stated else None
