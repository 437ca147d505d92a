"""Shapes of the directory: what is entered (`…In`), what may be edited (`…Fields`), what is shown (`…Out`)."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from services.registry.directory.domain import Dimension, Level, OrganizationKind, ServiceType, State
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
    waiting_days: int | None = Field(None, ge=0, le=3650)
    languages: list[Language] = Field([], max_length=50)
    required_documents: list[Short] = Field([], max_length=50)
    contacts: Contacts = []


class ServiceIn(ServiceFields):
    """A service, as a draft. `places` must be stated before it is published: a number, or null for “not counted”."""

    organization_id: UUID
    type: ServiceType
    dimension: Dimension
    level: Level


class ServiceOut(Out):
    """A service. `inferred` names what an import inferred and nobody has looked at yet."""

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
    waiting_days: int | None
    languages: list[str]
    required_documents: list[str]
    contacts: list[Contact]
    state: State
    confirmed_on: date | None
    inferred: list[str]
    created_at: datetime
    changed_at: datetime
    version: int
