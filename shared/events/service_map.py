"""What the registry's events say of a service: where, when, at what cost, and what a service map has in words."""

from datetime import date

from shared.events import Part

Translations = dict[str, str]
"""ISO 639-3 language → text."""


class Money(Part):
    """An amount of money."""

    amount: str
    """In figures, for example `615.00`."""
    currency: str
    """ISO 4217."""


class Place(Part):
    """A place where a service is given."""

    name: str | None = None
    """As it is called there."""
    address: str | None = None
    """As one would write it."""
    area: str | None = None
    """Code of the area it lies in."""
    latitude: float | None = None
    """Degrees north (WGS 84)."""
    longitude: float | None = None
    """Degrees east (WGS 84)."""


class Schedule(Part):
    """When a service can be had."""

    weekdays: list[str] = []
    """`MO` to `SU`, every week."""
    rule: str | None = None
    """What weekdays cannot say, as RFC 5545 writes it."""
    opens_at: str | None = None
    """Local time, for example `08:30`."""
    closes_at: str | None = None
    """Local time; earlier than `opens_at`: on the next day."""
    valid_from: date | None = None
    """First day; None: open."""
    valid_until: date | None = None
    """Last day; None: open."""
    note: Translations = {}
    """Language → words about it."""


class Cost(Part):
    """What one way of having a service costs the returnee."""

    option: Translations = {}
    """Language → which way, or what the cost depends on."""
    amount: Money | None = None
    """None: it depends."""
    valid_from: date | None = None
    """First day; None: open."""
    valid_until: date | None = None
    """Last day; None: open."""


class EnvironmentalScreening(Part):
    """When a service was screened, and how it came out."""

    done_on: date
    """The day of the screening."""
    result: str
    """`no_risk`, `risk_with_measures` or `unacceptable_risk`."""
    measures: Translations = {}
    """Language → what is done about the risk."""


class Remark(Part):
    """A barrier, or an implication, of one kind."""

    kind: str
    """Which, for example `distance` or `gender`."""
    text: Translations = {}
    """Language → words about it."""


class ServiceMap(Part):
    """What a service map says in words, language → text; the safety of the location is told to nobody by event."""

    waiting: Translations = {}
    """How long one waits for an appointment."""
    inclusion: Translations = {}
    """Whom it is for, as the provider words it; the criteria that bind are those of eligibility."""
    exclusion: Translations = {}
    """Whom it is not for, likewise."""
    payment_rules: Translations = {}
    """How it is paid."""
    accessibility: Translations = {}
    """How one gets in."""
    transport: Translations = {}
    """How one gets there."""
    barriers: list[Remark] = []
    """What keeps people from it."""
    implications: list[Remark] = []
    """What it means for people of a culture, religion, gender or age."""
    quality: Translations = {}
    """Professionalism and quality of care."""
    experience_with_returnees: Translations = {}
    """How used it is to them."""
    community_trust: Translations = {}
    """How the local population sees it."""
    gaps: Translations = {}
    """What is missing where it is given."""
