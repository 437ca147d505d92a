"""What the registry says. Each event carries the published state of its aggregate whole (contacts excluded)."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events import Event, Part
from shared.events.service_map import Cost, EnvironmentalScreening, Place, Schedule, ServiceMap, Translations


class Identifier(Part):
    """A name in another system's list."""

    scheme: str
    """Whose list, for example `XI-IATI`."""
    value: str
    """What it is called there."""


class Registration(Part):
    """An entry about an organisation in a register of others."""

    authority: str
    """Who keeps the register."""
    number: str
    """As what it is registered."""
    valid_until: date | None = None
    """Last day; None: not said."""


class OrganizationChanged(Event):
    """An organisation was created or edited."""

    subject_field: ClassVar[str] = "organization_id"
    key_field: ClassVar[str] = "organization_id"
    organization_id: UUID
    name: str
    """In the language of the entry."""
    translations: Translations = {}
    """Language → name."""
    acronym: str | None = None
    """Where it has one."""
    kind: str
    """What kind of organisation, for example `ngo` or `public_authority`."""
    country: str
    """Where its seat is (ISO 3166-1 alpha-2)."""
    lead: bool = False
    """True while only an import has named it."""
    description: str | None = None
    """In the language of the entry."""
    website: str | None = None
    """Its address on the web."""
    identifiers: list[Identifier] = []
    """What others call it."""
    roles: list[str] = []
    """What it is in the ecosystem of the Operational Framework."""
    professional_standing: Translations = {}
    """Language → words about it."""
    registrations: list[Registration] = []
    """Where its professional standing is registered."""
    psea_trained_on: date | None = None
    """When its staff were last trained in the prevention of sexual exploitation and abuse."""


class _Programme(Event):
    subject_field: ClassVar[str] = "programme_id"
    key_field: ClassVar[str] = "programme_id"
    programme_id: UUID
    organization_id: UUID
    """Who runs it."""
    name: str
    """In the language of the entry."""
    translations: Translations = {}
    """Language → name."""
    countries: list[str]
    """Where it works (ISO 3166-1 alpha-2)."""
    areas: list[str] = []
    """Codes of areas; empty: all of its countries."""
    sectors: list[str] = []
    """OECD DAC purpose codes, or the words of the entry."""
    starts_on: date | None = None
    """First day; None: not said."""
    ends_on: date | None = None
    """Last day; None: not said."""
    development: bool = True
    """False when it is financed as the case's own return package (project definition of a development referral)."""


class ProgrammePublished(_Programme):
    """A programme may now be shown and carry services."""


class ProgrammeChanged(_Programme):
    """A published programme was edited."""


class ProgrammeConfirmed(_Programme):
    """Somebody assured that the entry is still right."""

    confirmed_on: date
    """The day it was assured."""


class ProgrammeClosed(_Programme):
    """The programme ended or was retired."""


class _Service(Event):
    subject_field: ClassVar[str] = "service_id"
    key_field: ClassVar[str] = "service_id"
    service_id: UUID
    organization_id: UUID
    """The provider."""
    programme_id: UUID | None = None
    """The programme that pays for it, if one does."""
    name: str
    """In the language of the entry."""
    translations: Translations = {}
    """Language → name."""
    type: str
    """What is given, for example `vocational_training`."""
    dimension: str
    """`economic`, `social` or `psychosocial`."""
    level: str
    """`individual`, `collective` or `community`."""
    country: str
    """Where it is given (ISO 3166-1 alpha-2)."""
    areas: list[str]
    """Codes of the areas it is for."""
    covered_areas: list[str] = []
    """An area is covered when its P-code starts with one of these: `areas`, and odd ones below them."""
    remote: bool = False
    """True when nobody need be there for it."""
    open_to_all: bool = False
    """True for a public service that everybody has a right to."""
    set_aside: int | None = None
    """Places set aside for referrals at one time; None: not counted."""
    waiting_days: int | None = None
    """Days until it usually begins; None: not said."""
    languages: list[str] = []
    """In which it is given (ISO 639-3)."""
    confirmed_on: date | None = None
    """The day somebody last assured that the entry is right."""
    confirmed_by: UUID | None = None
    """The organisation that assured it."""
    review_by: date | None = None
    """The last day on which it counts as fresh; None: no longer given."""
    freshness: Literal["fresh", "stale", "hidden"] | None = None
    """Hidden: not matched until somebody confirms it; None: no longer given."""
    doubtful: list[str] = []
    """Fields that somebody has reported to be wrong."""
    description: str | None = None
    """In the language of the entry."""
    locations: list[Place] = []
    """Where it is given."""
    required_documents: list[str] = []
    """What one must bring."""
    total_places: int | None = None
    """Places in all at one time; None: not said."""
    funded_places: int | None = None
    """Those of them that are paid for; None: not said."""
    capacity_updated_at: datetime | None = None
    """When places or waiting time were last changed."""
    schedules: list[Schedule] = []
    """When it can be had."""
    free: bool | None = None
    """Whether the returnee pays nothing; None: not said."""
    costs: list[Cost] = []
    """What the returnee pays."""
    excluded_groups: list[str] = []
    """Groups it leaves out, as marks to be counted."""
    locals_take_part: bool | None = None
    """Whether people who never left take part; None: not said."""
    green_job: bool | None = None
    """Whether it leads to a green job; None: not said."""
    environmental_screening: EnvironmentalScreening | None = None
    """None: not screened."""
    service_map: ServiceMap = ServiceMap()
    """What a service map says in words."""


class ServicePublished(_Service):
    """A service can now be matched and referred to."""


class ServiceChanged(_Service):
    """A published service was edited; places, areas or anything else."""


class ServiceConfirmed(_Service):
    """Somebody assured that the entry is still right."""


class ServiceDoubted(_Service):
    """Somebody has reported that a field of the service is wrong."""

    field: str
    """Which one, for example `schedules` or `service_map.transport`."""


class ServiceWentStale(_Service):
    """Nobody confirmed the service in time: it ranks lower or, when `freshness` is `hidden`, is no longer matched."""


class ServiceRetired(_Service):
    """The service is no longer given: open referrals that nobody accepted are cancelled."""


class Party(Part):
    organization_id: UUID
    """Who takes part."""
    signed_on: date | None = None
    """None: not yet."""


class Covers(Part):
    """What an agreement is about; a mechanism covers every service that is reached through it."""

    service_ids: list[UUID] = []
    """Services named one by one."""
    programme_ids: list[UUID] = []
    """All services of these programmes."""
    mechanism_ids: list[UUID] = []
    """All services reached through these mechanisms."""


class Deadlines(Part):
    """Instead of the project's defaults: working days of whoever must act, hours by the clock where named so."""

    acknowledgement: int | None = None
    """Until the receiver says that it has it."""
    decision: int | None = None
    """Until the receiver decides."""
    decision_urgent_hours: int | None = None
    """The same when it is urgent."""
    decision_emergency_hours: int | None = None
    """The same in an emergency."""
    information: int | None = None
    """Until a question is answered."""
    offer: int | None = None
    """Until an offered place is taken."""
    first_contact: int | None = None
    """From arrival to the provider's first contact."""
    start: int | None = None
    """From acceptance and arrival to the start."""
    review: int | None = None
    """Until a hold or a waiting place is looked at again."""
    outcome_acknowledgement: int | None = None
    """Until the case owner says that it knows how it ended."""


class Disclosure(Part):
    """Fields of identity the agreement allows to disclose, and whether a hub may see them too."""

    fields: list[str] = []
    """Names of fields of identity."""
    hub_sees_identity: bool = False
    """Else only the provider does, once it has accepted."""


class TransferInstrument(Part):
    """The safeguard of GDPR Art. 46 that a data-sharing arrangement gives, and to whom it allows onward transfer."""

    article: str
    """The point of Art. 46 it rests on."""
    reference: str = ""
    """Where it is written."""
    onward_organization_ids: list[UUID] = []
    """Recipients named one by one."""
    onward_kinds: list[str] = []
    """Kinds of organisations it allows."""


class _Agreement(Event):
    subject_field: ClassVar[str] = "agreement_id"
    key_field: ClassVar[str] = "agreement_id"
    agreement_id: UUID
    kind: str
    """`mou`, `sop`, `data_sharing`, `government_to_government` or `referral_protocol`."""
    title: str = ""
    """As the parties call it."""
    parties: list[Party]
    """All who must sign."""
    covers: Covers
    """What may be referred under it."""
    countries: list[str]
    """Between which countries (ISO 3166-1 alpha-2)."""
    valid_from: date
    """First day in force."""
    valid_until: date
    """Last day in force."""
    deadlines: Deadlines = Deadlines()
    """Where the parties agreed on others than the project's defaults."""
    disclosure: Disclosure = Disclosure()
    """What may be told of a person."""
    transfer_instrument: TransferInstrument | None = None
    """None: it gives no basis for a transfer."""


class AgreementSigned(_Agreement):
    """Every party has signed: in force from `valid_from` to `valid_until`, both included."""


class AgreementChanged(_Agreement):
    """An agreement that all have signed was edited."""


class AgreementEnding(_Agreement):
    """An agreement in force runs out soon: said 90, 30 and 7 days ahead, of those days only what still lies ahead."""

    ends_on: date
    """The first day on which it will no longer hold."""
    days_left: int
    """Until then, from the day on which this is said."""


class AgreementEnded(_Agreement):
    """Ended by a party or run out: referrals that rest on it and that nobody accepted are cancelled."""

    ended_on: date
    """The first day on which it no longer holds."""


class MechanismChanged(Event):
    """A mechanism was created or edited: the routing table of the referral service."""

    subject_field: ClassVar[str] = "mechanism_id"
    key_field: ClassVar[str] = "mechanism_id"
    mechanism_id: UUID
    name: str = ""
    """As it is called."""
    kind: Literal["national", "hub", "local_desk", "sub"]
    """How far it reaches."""
    organization_id: UUID
    """The organisation that receives and passes on."""
    parent_id: UUID | None = None
    """The mechanism it belongs to."""
    countries: list[str]
    """Which it serves (ISO 3166-1 alpha-2)."""
    areas: list[str] = []
    """Codes of the areas it serves."""
    covered_areas: list[str] = []
    """An area is covered when its P-code starts with one of these."""
    needs: list[str] = []
    """Dimensions or service types it serves; empty: all."""
    procedure: str | None = None
    """How a public service that is open to all is reached without an agreement."""
    opening_hours: list[Schedule] = []
    """When it can be reached; empty: not said."""
    development_referral_system: Literal["yes", "no", "unknown"] = "unknown"
    """As judged in step 6 of the framework."""
    active: bool = True
    """False: no new referral takes this way."""
