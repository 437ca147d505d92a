"""Shapes of the directory: what is entered (`…In`), what may be edited (`…Fields`), what is shown (`…Out`)."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from services.registry.directory.domain import (
    Dimension,
    Freshness,
    Group,
    Level,
    OrganizationKind,
    Role,
    ServiceType,
    State,
)
from services.registry.directory.service_map import Cost, EnvironmentalScreening, Schedule, ServiceMap, Texts
from shared import clock
from shared.http.schema import AreaCode, Country, In, Language, Money, Name, Out, Text

MAX_AREAS = 1000
Short = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=500)]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]
Translations = Annotated[dict[Language, Name], Field(max_length=50)]


class Contact(In):
    """How to reach an organisation or a service: a desk rather than a person. Never part of an event."""

    name: Name | None = None
    role: Short | None = None
    email: Email | None = None
    phone: Short | None = None
    url: Url | None = None

    @model_validator(mode="after")
    def reachable(self) -> Self:
        if not (self.email or self.phone or self.url):
            raise PydanticCustomError("contact_unreachable", "needs an email, a phone or a url")
        return self


class Identifier(In):
    """A name in another system's list, for example scheme `XI-IATI`."""

    scheme: Short
    value: Short


class Registration(In):
    """An entry in a register that stands for the organisation's professional standing: which register, and as what."""

    authority: Name
    number: Short
    valid_until: date | None = None


class Location(In):
    """A place where a service is given."""

    name: Name | None = None
    address: Text | None = None
    area: AreaCode | None = None
    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)


class Places(In):
    """How many places are set aside for referrals at one time; null: not counted, the provider decides."""

    set_aside: int | None = Field(None, ge=0, le=1_000_000)


class Funding(In):
    """One source of a programme's money."""

    source: Name | None = None
    organization_id: UUID | None = None
    amount: Money | None = None


Contacts = Annotated[list[Contact], Field(max_length=20)]


class OrganizationFields(In):
    name: Name
    translations: Translations = {}
    acronym: Short | None = None
    kind: OrganizationKind | None = None
    country: Country | None = None
    description: Text | None = None
    website: Url | None = None
    identifiers: list[Identifier] = Field([], max_length=20)
    contacts: Contacts = []
    roles: list[Role] = Field([], max_length=len(Role))
    professional_standing: Texts = {}
    registrations: list[Registration] = Field([], max_length=20)
    psea_trained_on: date | None = None
    """When its staff were last trained in the prevention of sexual exploitation and abuse."""

    @field_validator("psea_trained_on")
    @classmethod
    def has_taken_place(cls, psea_trained_on: date | None) -> date | None:
        if psea_trained_on is not None and psea_trained_on > clock.today():
            raise PydanticCustomError("in_the_future", "has not come yet")
        return psea_trained_on


class OrganizationIn(OrganizationFields):
    """An organisation. `id` may be given by the bootstrap administrator alone."""

    id: UUID | None = None
    kind: OrganizationKind
    country: Country


class OrganizationOut(Out):
    """An organisation; `lead` while only an import has named it."""

    organization_id: UUID
    name: str
    translations: dict[str, str]
    acronym: str | None
    kind: OrganizationKind | None
    country: str | None
    description: str | None
    website: str | None
    identifiers: list[Identifier]
    contacts: list[Contact]
    roles: list[Role]
    professional_standing: dict[str, str]
    registrations: list[Registration]
    psea_trained_on: date | None
    lead: bool
    created_at: datetime
    changed_at: datetime
    version: int


class ProgrammeFields(In):
    name: Name
    translations: Translations = {}
    description: Text | None = None
    countries: list[Country] = Field([], max_length=250)
    areas: list[AreaCode] = Field([], max_length=MAX_AREAS)
    sectors: list[Short] = Field([], max_length=100)
    starts_on: date | None = None
    ends_on: date | None = None
    funding: list[Funding] = Field([], max_length=50)
    development: bool = True
    contacts: Contacts = []

    @field_validator("ends_on")
    @classmethod
    def after_it_starts(cls, ends_on: date | None, info: ValidationInfo) -> date | None:
        starts_on = info.data.get("starts_on")
        if ends_on is not None and starts_on is not None and ends_on < starts_on:
            raise PydanticCustomError("dates_reversed", "is before starts_on")
        return ends_on


class ProgrammeIn(ProgrammeFields):
    """A programme. `development` is false when it is financed as the return package of the case itself."""

    organization_id: UUID


class ProgrammeOut(Out):
    programme_id: UUID
    organization_id: UUID
    name: str
    translations: dict[str, str]
    description: str | None
    countries: list[str]
    areas: list[str]
    sectors: list[str]
    starts_on: date | None
    ends_on: date | None
    funding: list[Funding]
    development: bool
    contacts: list[Contact]
    state: State
    confirmed_on: date | None
    confirmed_by: UUID | None
    created_at: datetime
    changed_at: datetime
    version: int


class ServiceFields(In):
    name: Name
    translations: Translations = {}
    description: Text | None = None
    programme_id: UUID | None = None
    type: ServiceType | None = None
    dimension: Dimension | None = None
    level: Level | None = None
    areas: list[AreaCode] = Field([], max_length=MAX_AREAS)
    locations: list[Location] = Field([], max_length=200)
    places: Places | None = None
    open_to_all: bool = False
    remote: bool = False
    total_places: int | None = Field(None, ge=0, le=1_000_000)
    funded_places: int | None = Field(None, ge=0, le=1_000_000)
    waiting_days: int | None = Field(None, ge=0, le=3650)
    languages: list[Language] = Field([], max_length=50)
    required_documents: list[Short] = Field([], max_length=50)
    contacts: Contacts = []
    schedules: list[Schedule] = Field([], max_length=50)
    free: bool | None = None
    costs: list[Cost] = Field([], max_length=50)
    excluded_groups: list[Group] = Field([], max_length=len(Group))
    locals_take_part: bool | None = None
    green_job: bool | None = None
    environmental_screening: EnvironmentalScreening | None = None
    service_map: ServiceMap = ServiceMap()

    @model_validator(mode="after")
    def agrees_with_itself(self) -> Self:
        if self.free and any(cost.charges() for cost in self.costs):
            raise PydanticCustomError("free_and_charged", "is free and has an amount to pay")
        if self.total_places is not None:
            set_aside = self.places.set_aside if self.places else None
            if max(self.funded_places or 0, set_aside or 0) > self.total_places:
                raise PydanticCustomError("more_than_total", "has more places funded or set aside than in all")
        return self


class ServiceIn(ServiceFields):
    """A service, as a draft. `places` must be stated before it is published: a number, or null for “not counted”."""

    organization_id: UUID
    type: ServiceType
    dimension: Dimension
    level: Level


class ServiceOut(Out):
    """A service. `inferred` names what an import inferred and nobody has looked at yet; `doubtful` what somebody has
    reported to be wrong; `freshness` is null for what is not published."""

    service_id: UUID
    organization_id: UUID
    programme_id: UUID | None
    name: str
    translations: dict[str, str]
    description: str | None
    type: ServiceType | None
    dimension: Dimension | None
    level: Level | None
    country: str | None
    areas: list[str]
    locations: list[Location]
    places: Places | None
    open_to_all: bool
    remote: bool
    total_places: int | None
    funded_places: int | None
    waiting_days: int | None
    capacity_updated_at: datetime | None
    languages: list[str]
    required_documents: list[str]
    contacts: list[Contact]
    schedules: list[Schedule]
    free: bool | None
    costs: list[Cost]
    excluded_groups: list[Group]
    locals_take_part: bool | None
    green_job: bool | None
    environmental_screening: EnvironmentalScreening | None
    service_map: ServiceMap
    state: State
    confirmed_on: date | None
    confirmed_by: UUID | None
    review_by: date | None
    freshness: Freshness | None
    doubtful: list[str]
    inferred: list[str]
    created_at: datetime
    changed_at: datetime
    version: int
