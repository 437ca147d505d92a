"""What is sent and answered about cases. Identity has schemas of its own, so that it can be left out as a whole."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, JsonValue

from services.referral.cases.domain import (
    AgeBand,
    AssessmentKind,
    AssessmentPhase,
    AssessmentResult,
    Certainty,
    Origin,
    ReturnType,
    Sex,
)
from shared.http.schema import AreaCode, Country, In, Name, Out, Text

IdentityField = Literal["name", "birth_date", "contacts", "documents", "reference", "address", "notes"]
"""What an agreement and a consent can allow to disclose."""


Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2199, 12, 31))]
"""A day that somebody can have meant; clocks and ages can be reckoned from it."""


class Contact(In):
    """One way to reach her."""

    kind: Literal["phone", "email", "messenger", "person", "other"]
    value: Name


class Document(In):
    """A document she holds. What tells of an asylum procedure has no place here: documents can be disclosed."""

    kind: Literal[
        "passport",
        "identity_card",
        "travel_document",
        "birth_certificate",
        "marriage_certificate",
        "school_certificate",
        "professional_certificate",
        "medical_record",
        "other",
    ]
    number: Name | None = None
    country: Country | None = None
    valid_until: Day | None = None


class Identity(In):
    """Who a person is. Stands sealed in this service alone, never in an event or in the answer to a change."""

    name: Name | None = None
    birth_date: Day | None = None
    contacts: Annotated[list[Contact], Field(max_length=20)] | None = None
    documents: Annotated[list[Document], Field(max_length=20)] | None = None
    address: Text | None = None
    notes: Text | None = None
    """May be disclosed where agreement and consent say so: nothing about an asylum procedure belongs here."""


class ExternalRef(In):
    """The number of this case in another system."""

    system: Name
    value: Name


class MemberIn(In):
    """One person. Without an age band the one of the birth date is taken, as of today."""

    sex: Sex = "unknown"
    age_band: AgeBand | None = None
    identity: Identity | None = None


class MemberChange(MemberIn):
    """With `member_id` the member it names, whose `age_band` and `identity` stay if left out; without, a new one."""

    member_id: UUID | None = None


Members = Annotated[list[MemberIn], Field(min_length=1, max_length=50)]
ExternalRefs = Annotated[list[ExternalRef], Field(max_length=20)]


class CaseIn(In):
    """One return of one person or family. The first member is the returnee; `identity` is hers."""

    reference: Name
    """The sender's own reference: identity, and kept like it."""
    country_of_origin: Country
    area: AreaCode | None = None
    return_type: ReturnType
    planned_departure_on: Day | None = None
    planned_arrival_on: Day | None = None
    arrival_certainty: Certainty = "unknown"
    origin: Origin = "sender"
    """`hub`: somebody walked in; the case starts as arrived."""
    arrived_on: Day | None = None
    """Only with `origin: hub`, where it is known."""
    member_state: Country | None = None
    """Whence the return; the sender's own country if its token names one."""
    members: Members
    identity: Identity | None = None
    external_refs: ExternalRefs = Field(default_factory=list)


class CaseChange(In):
    """What a PATCH may change of a case; `members` is replaced as a whole."""

    reference: Name
    country_of_origin: Country
    area: AreaCode | None = None
    return_type: ReturnType
    planned_departure_on: Day | None = None
    planned_arrival_on: Day | None = None
    arrival_certainty: Certainty
    members: Annotated[list[MemberChange], Field(min_length=1, max_length=50)]
    identity: Identity | None = None
    external_refs: ExternalRefs = Field(default_factory=list)


class DepartIn(In):
    departed_on: Day | None = None
    """Today, if nothing is said."""


class ArriveIn(In):
    arrived_on: Day


class ReferenceIn(In):
    """One's own reference, in a body because it is identity and has no place in an address."""

    reference: Name


class MemberOut(Out):
    member_id: UUID
    sex: str
    age_band: str
    identity: Identity | None = None


class CaseSummary(Out):
    """A case as any organisation on the way of one of its referrals may see it: nobody can be recognised by it."""

    case_id: UUID
    version: int
    owner_id: UUID
    phase: str
    origin: str
    member_state: str
    country_of_origin: str
    area: str | None
    planned_departure_on: date | None
    planned_arrival_on: date | None
    arrival_certainty: str
    departed_on: date | None
    arrived_on: date | None
    members: list[MemberOut]
    created_at: datetime
    changed_at: datetime
    closed_at: datetime | None
    erased_at: datetime | None


class CaseOut(CaseSummary):
    """A case as the asker may see it, the rest left out: identity only for the owner, only when one case is read."""

    return_type: str | None = None
    open_referrals: int | None = None
    reference: str | None = None
    external_refs: list[ExternalRef] | None = None
    identity: Identity | None = None


class AssessmentIn(In):
    """A dated record. A vulnerability screening results in `vulnerable` or `not_vulnerable`, and the latest one counts;
    a risk assessment results in `risk_found` or `no_risk_found`, any other in `completed`."""

    kind: AssessmentKind
    phase: AssessmentPhase | None = None
    """When it was made; the present phase of the case if nothing is said."""
    answers: dict[str, JsonValue] | list[JsonValue]
    result: AssessmentResult
    """A code of its kind: what was found, or that it was done."""
    assessed_on: Day | None = None
    """Today, if nothing is said."""


class AssessmentOut(Out):
    """`answers` only for the case owner and whoever recorded it, only when one assessment is read."""

    assessment_id: UUID
    case_id: UUID
    kind: str
    phase: str
    result: str
    assessed_on: date
    recorded_by: UUID
    recorded_at: datetime
    answers: Any = None
