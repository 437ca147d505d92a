"""What the registry says. Each event carries the published state of its aggregate whole (contacts excluded)."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel

from shared.events import Event

Translations = dict[str, str]
"""ISO 639-3 language → text."""


class OrganizationChanged(Event):
    """An organisation was created or edited."""

    subject_field: ClassVar[str] = "organization_id"
    key_field: ClassVar[str] = "organization_id"
    organization_id: UUID
    name: str
    translations: Translations = {}
    acronym: str | None = None
    kind: str
    country: str
    lead: bool = False
    """True while only an import has named it."""


class _Programme(Event):
    subject_field: ClassVar[str] = "programme_id"
    key_field: ClassVar[str] = "programme_id"
    programme_id: UUID
    organization_id: UUID
    name: str
    translations: Translations = {}
    countries: list[str]
    areas: list[str] = []
    sectors: list[str] = []
    starts_on: date | None = None
    ends_on: date | None = None
    development: bool = True
    """False when it is financed as the case's own return package (project definition of a development referral)."""


class ProgrammePublished(_Programme):
    """A programme may now be shown and carry services."""


class ProgrammeChanged(_Programme):
    """A published programme was edited."""


class ProgrammeConfirmed(_Programme):
    """Somebody assured that the entry is still right."""

    confirmed_on: date


class ProgrammeClosed(_Programme):
    """The programme ended or was retired."""


class _Service(Event):
    subject_field: ClassVar[str] = "service_id"
    key_field: ClassVar[str] = "service_id"
    service_id: UUID
    organization_id: UUID
    programme_id: UUID | None = None
    name: str
    translations: Translations = {}
    type: str
    dimension: str
    level: str
    country: str
    areas: list[str]
    covered_areas: list[str] = []
    """An area is covered when its P-code starts with one of these: `areas`, and odd ones below them."""
    remote: bool = False
    open_to_all: bool = False
    set_aside: int | None = None
    """Places set aside for referrals at one time; None: not counted."""
    waiting_days: int | None = None
    languages: list[str] = []
    confirmed_on: date | None = None


class ServicePublished(_Service):
    """A service can now be matched and referred to."""


class ServiceChanged(_Service):
    """A published service was edited; places, areas or anything else."""


class ServiceConfirmed(_Service):
    """Somebody assured that the entry is still right."""


class ServiceRetired(_Service):
    """The service is no longer given: open referrals that nobody accepted are cancelled."""


class Party(BaseModel):
    organization_id: UUID
    signed_on: date | None = None


class Covers(BaseModel):
    """What an agreement is about; a mechanism covers every service that is reached through it."""

    service_ids: list[UUID] = []
    programme_ids: list[UUID] = []
    mechanism_ids: list[UUID] = []


class Deadlines(BaseModel):
    """Instead of the project's defaults: working days of whoever must act, hours by the clock where named so."""

    acknowledgement: int | None = None
    decision: int | None = None
    decision_urgent_hours: int | None = None
    decision_emergency_hours: int | None = None
    information: int | None = None
    offer: int | None = None
    first_contact: int | None = None
    start: int | None = None
    review: int | None = None
    outcome_acknowledgement: int | None = None


class Disclosure(BaseModel):
    """Fields of identity the agreement allows to disclose, and whether a hub may see them too."""

    fields: list[str] = []
    hub_sees_identity: bool = False


class TransferInstrument(BaseModel):
    """The safeguard of GDPR Art. 46 that a data-sharing arrangement gives, and to whom it allows onward transfer."""

    article: str
    reference: str = ""
    onward_organization_ids: list[UUID] = []
    onward_kinds: list[str] = []


class _Agreement(Event):
    subject_field: ClassVar[str] = "agreement_id"
    key_field: ClassVar[str] = "agreement_id"
    agreement_id: UUID
    kind: str
    title: str = ""
    parties: list[Party]
    covers: Covers
    countries: list[str]
    valid_from: date
    valid_until: date
    deadlines: Deadlines = Deadlines()
    disclosure: Disclosure = Disclosure()
    transfer_instrument: TransferInstrument | None = None


class AgreementSigned(_Agreement):
    """Every party has signed: in force from `valid_from` to `valid_until`, both included."""


class AgreementChanged(_Agreement):
    """An agreement that all have signed was edited."""


class AgreementEnded(_Agreement):
    """Ended by a party or run out: referrals that rest on it and that nobody accepted are cancelled."""

    ended_on: date


class MechanismChanged(Event):
    """A mechanism was created or edited: the routing table of the referral service."""

    subject_field: ClassVar[str] = "mechanism_id"
    key_field: ClassVar[str] = "mechanism_id"
    mechanism_id: UUID
    name: str = ""
    kind: Literal["national", "hub", "local_desk", "sub"]
    organization_id: UUID
    parent_id: UUID | None = None
    countries: list[str]
    areas: list[str] = []
    covered_areas: list[str] = []
    needs: list[str] = []
    """Dimensions or service types it serves; empty: all."""
    procedure: str | None = None
    development_referral_system: Literal["yes", "no", "unknown"] = "unknown"
    active: bool = True
