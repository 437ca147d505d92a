from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Connection,
    ForeignKey,
    Index,
    SmallInteger,
    UniqueConstraint,
    delete,
    event,
    insert,
    inspect,
    text,
)
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from services.registry.directory.domain import FRESHNESS, Freshness, State
from services.registry.directory.indexing import points_of, terms_of
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
    roles: Mapped[list[str]] = mapped_column(default=list)
    professional_standing: Mapped[dict[str, str]] = mapped_column(default=dict)
    registrations: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    psea_trained_on: Mapped[date | None]
    """When its staff were last trained in the prevention of sexual exploitation and abuse."""
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
    confirmed_by: Mapped[UUID | None]


class Service(Versioned, Base):
    """Something a returnee can receive at a place."""

    __tablename__ = "services"
    __table_args__ = (
        UniqueConstraint("organization_id", "imported_as"),
        CheckConstraint("set_aside IS NULL OR (places_stated AND set_aside >= 0)", name="set_aside_is_stated"),
        CheckConstraint("greatest(funded_places, set_aside) <= total_places", name="within_total"),
        Index("ix_services_country_state", "country", "state"),
        Index("ix_services_listed", "staleness", "service_id"),
        Index("ix_services_review_by", "review_by", "service_id", postgresql_where=text("review_by IS NOT NULL")),
        Index("ix_services_terms", "terms", postgresql_using="gin"),
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
    total_places: Mapped[int | None]
    """Places in all, for returnees and locals, at one time."""
    funded_places: Mapped[int | None]
    """Those of them that are paid for."""
    waiting_days: Mapped[int | None]
    capacity_updated_at: Mapped[datetime | None]
    languages: Mapped[list[str]] = mapped_column(default=list)
    required_documents: Mapped[list[str]] = mapped_column(default=list)
    contacts: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    schedules: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    free: Mapped[bool | None]
    costs: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    excluded_groups: Mapped[list[str]] = mapped_column(default=list)
    locals_take_part: Mapped[bool | None]
    green_job: Mapped[bool | None]
    environmental_screening: Mapped[dict[str, Any] | None]
    service_map: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(default=State.DRAFT)
    confirmed_on: Mapped[date | None]
    confirmed_by: Mapped[UUID | None]
    review_by: Mapped[date | None]
    """The last day on which a published service counts as fresh."""
    staleness: Mapped[int] = mapped_column(SmallInteger, default=0)
    """Place in `FRESHNESS`."""
    doubtful: Mapped[list[str]] = mapped_column(default=list)
    """Fields that somebody has reported to be wrong."""
    inferred: Mapped[list[str]] = mapped_column(default=list)
    """Fields that an import inferred and nobody has looked at yet."""
    imported_as: Mapped[str | None]
    """The folded activity under which an import found it."""
    imported: Mapped[dict[str, Any] | None]
    """What the import said last, and the version it left: whoever edits the service afterwards is not overruled."""
    terms: Mapped[list[str]] = mapped_column(default=list, deferred=True, deferred_raiseload=True)
    """What it is found by."""

    @property
    def places(self) -> dict[str, int | None] | None:
        """`{"set_aside": n | None}` as stated, None while nobody has."""
        return {"set_aside": self.set_aside} if self.places_stated else None

    @property
    def freshness(self) -> Freshness | None:
        """None for what is not published."""
        return FRESHNESS[self.staleness] if self.state == State.PUBLISHED else None


class ServicePoint(Base):
    """One place of a service on the map, for proximity; kept from its locations."""

    __tablename__ = "service_points"
    __table_args__ = (Index("ix_service_points_place", "latitude", "longitude"),)

    service_id: Mapped[UUID] = mapped_column(ForeignKey(Service.service_id, ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    latitude: Mapped[float]
    longitude: Mapped[float]


SEARCHED = ("name", "translations", "description", "type", "covered_areas")


@event.listens_for(Service, "before_insert")
@event.listens_for(Service, "before_update")
def _keep_terms(mapper: Mapper[Service], connection: Connection, service: Service) -> None:
    """What it is found by follows what is said, whoever writes it: an import as well as an action."""
    said = inspect(service).attrs
    if any(said[name].history.has_changes() for name in SEARCHED):
        texts = [service.name, *(service.translations or {}).values(), service.description]
        service.terms = terms_of(texts, service.type, service.covered_areas or ())


@event.listens_for(Service, "after_insert")
@event.listens_for(Service, "after_update")
def _keep_points(mapper: Mapper[Service], connection: Connection, service: Service) -> None:
    history = inspect(service).attrs["locations"].history
    if not history.has_changes():
        return
    if any(history.deleted or ()):
        connection.execute(delete(ServicePoint).where(ServicePoint.service_id == service.service_id))
    if points := points_of(service.locations):
        connection.execute(insert(ServicePoint), [{"service_id": service.service_id, **point} for point in points])
