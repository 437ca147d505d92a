"""What the referral service says: cases by their coarse attributes, referrals by ids, codes and dates."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel

from shared.events import Event


class CoarseMember(BaseModel):
    """One person of a case as an event may describe her: by her coarse attributes."""

    member_id: UUID
    sex: str = "unknown"
    age_band: str = "unknown"


class _Case(Event):
    subject_field: ClassVar[str] = "case_id"
    key_field: ClassVar[str] = "case_id"
    case_id: UUID
    occurred_at: datetime


class _CaseState(_Case):
    owner_id: UUID
    member_state: str
    country_of_origin: str
    area: str | None = None
    return_type: str
    origin: Literal["sender", "hub"]
    phase: str
    planned_departure_on: date | None = None
    planned_arrival_on: date | None = None
    arrival_certainty: str
    arrived_on: date | None = None
    members: list[CoarseMember]
    """The first is the returnee whose sex and age band stand for the case in indicators."""


class CaseRegistered(_CaseState):
    """One return of one person or family was registered."""


class CaseChanged(_CaseState):
    """Coarse attributes or travel dates changed."""


class CaseDeparted(_CaseState):
    """The returnee is on the way."""


class CaseArrived(_CaseState):
    """The arrival is confirmed."""


class ReturnCancelled(_CaseState):
    """The return does not take place."""


class CaseClosed(_CaseState):
    """Nothing more is done in this case."""


class CaseErased(_Case):
    """Identity and facts are destroyed everywhere; the key of the case no longer exists here."""


class ConsentGiven(_Case):
    """The returnee agreed to be assisted by these recipients with these fields."""

    consent_id: UUID
    purpose: str
    recipient_organization_ids: list[UUID] = []
    recipient_kinds: list[str] = []
    fields: list[str] = []
    valid_until: date | None = None


class ConsentWithdrawn(_Case):
    """Sharing stops; what nobody accepted is cancelled."""

    consent_id: UUID


class AssessmentRecorded(_Case):
    """A dated assessment; its result and answers stay where they were recorded."""

    assessment_id: UUID
    kind: str
    phase: str


class _Referral(Event):
    subject_field: ClassVar[str] = "referral_id"
    key_field: ClassVar[str] = "case_id"
    referral_id: UUID
    case_id: UUID
    occurred_at: datetime
    status: str
    """The referral's status after the event."""
    service_id: UUID
    need: str
    priority: str
    owner_id: UUID
    """The case owner's organisation."""
    organization_id: UUID
    """Whose task it is after the event."""
    acted_by: UUID | None = None
    """The organisation that acted; None: the system."""
    leg: int
    place: str
    """held, queued, offered, used, released or not_counted, after the event."""
    freed_service_id: UUID | None = None
    """The service at which this event freed a place, if it did."""
    reason: str | None = None


class ReferralCreated(_Referral):
    """A referral was sent."""

    decision_id: UUID
    via_mechanism_id: UUID | None = None
    development_referral: str = "unknown"


class ReferralReceived(_Referral):
    """The receiver said that it has it."""


class InformationRequested(_Referral):
    """The receiver asks the case owner something; its clock stands still."""

    questions: list[str]


class InformationProvided(_Referral):
    """The question is answered or taken back."""


class ReferralPassedOn(_Referral):
    """The receiver sent it on: as the route planned, or redirected."""

    from_organization_id: UUID
    how: Literal["planned", "redirected"]


class ReferralAccepted(_Referral):
    """The provider takes it on."""


class ReferralReturned(_Referral):
    """Back with whoever passed it on."""

    from_organization_id: UUID
    because: Literal["rejected", "expired"]


class ReferralRejected(_Referral):
    """Taken on by nobody."""


class ReferralWaitlisted(_Referral):
    """Right for the service, no place yet."""


class PlaceOffered(_Referral):
    """A place became free and is offered to this referral."""

    offered_until: datetime


class PlaceDeclined(_Referral):
    """The offered place goes to the next."""


class ContactRecorded(_Referral):
    """The provider spoke, or tried to speak, with the returnee."""

    contacted_on: date
    channel: str
    result: str


class ServiceStarted(_Referral):
    """The service has begun."""


class ServiceHeld(_Referral):
    """The service is interrupted."""


class ServiceResumed(_Referral):
    """The service goes on."""


class ServiceDelivered(_Referral):
    """The service was delivered, in whole or in part."""

    outcome: str


class ReferralFailed(_Referral):
    """The service was not delivered."""


class ReferralCancelled(_Referral):
    """Withdrawn."""


class ReferralExpired(_Referral):
    """Nobody answered in time."""


class ReferralEnteredInError(_Referral):
    """It never should have been."""


class ReceiptConfirmed(_Referral):
    """The returnee confirms what she got."""


class ReceiptDisputed(_Referral):
    """The returnee says that she did not get it."""


class ReceiptNotReached(_Referral):
    """Nobody could ask the returnee."""


class OutcomeAcknowledged(_Referral):
    """The case owner knows how it ended: the loop is closed."""


class DeadlineMissed(_Referral):
    """Somebody did not act in time; both sides are told."""

    deadline: str
    due_at: datetime


class SharingStopped(_Referral):
    """Consent, agreement or service ended after acceptance: nothing more is disclosed and the case owner is told."""


class PlacesChanged(Event):
    """How the places of a service stand in the ledger."""

    subject_field: ClassVar[str] = "service_id"
    key_field: ClassVar[str] = "service_id"
    service_id: UUID
    set_aside: int | None
    held: int
    offered: int
    used: int
    queued: int
    free: int | None
    """None where places are not counted."""
