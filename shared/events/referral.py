"""What the referral service says: cases by their coarse attributes, referrals by ids, codes and dates."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events import Event, Part


class CoarseMember(Part):
    """One person of a case as an event may describe her: by her coarse attributes."""

    member_id: UUID
    sex: str = "unknown"
    """`female`, `male`, `other` or `unknown`."""
    age_band: str = "unknown"
    """For example `25-34`; `unknown` where nobody said."""


class _Case(Event):
    subject_field: ClassVar[str] = "case_id"
    key_field: ClassVar[str] = "case_id"
    case_id: UUID
    occurred_at: datetime
    """When it happened."""


class _CaseState(_Case):
    owner_id: UUID
    """The organisation answerable for the case."""
    member_state: str
    """Whence the return (ISO 3166-1 alpha-2)."""
    country_of_origin: str
    """Whither (ISO 3166-1 alpha-2)."""
    area: str | None = None
    """Code of the area of return."""
    return_type: str
    """`voluntary`, `forced`, `spontaneous` or `unknown`."""
    origin: Literal["sender", "hub"]
    """Who opened the case: a sender, or the hub that somebody walked into."""
    phase: str
    """`pre_departure`, `in_transit`, `arrived`, `post_arrival` or `closed`."""
    planned_departure_on: date | None = None
    """None: not known."""
    planned_arrival_on: date | None = None
    """None: not known."""
    arrival_certainty: str
    """`fixed`, `expected` or `unknown`."""
    arrived_on: date | None = None
    """None: not yet."""
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
    """What she agreed to."""
    recipient_organization_ids: list[UUID] = []
    """Recipients named one by one."""
    recipient_kinds: list[str] = []
    """Kinds of organisations."""
    fields: list[str] = []
    """Names of fields that may be disclosed, never what they hold."""
    valid_until: date | None = None
    """Last day; None: until it is withdrawn."""


class ConsentWithdrawn(_Case):
    """Sharing stops; what nobody accepted is cancelled."""

    consent_id: UUID


class AssessmentRecorded(_Case):
    """A dated assessment; its result and answers stay where they were recorded."""

    assessment_id: UUID
    kind: str
    """`vulnerability`, `risk`, `family`, `skills` or `needs`."""
    phase: str
    """The phase of the case to which it belongs."""


class _Referral(Event):
    subject_field: ClassVar[str] = "referral_id"
    key_field: ClassVar[str] = "case_id"
    referral_id: UUID
    case_id: UUID
    occurred_at: datetime
    """When it happened."""
    status: str
    """The referral's status after the event."""
    service_id: UUID
    """What the case is referred to."""
    need: str
    """The type of need."""
    priority: str
    """`emergency`, `urgent` or `normal`."""
    owner_id: UUID
    """The case owner's organisation."""
    organization_id: UUID
    """Whose task it is after the event."""
    acted_by: UUID | None = None
    """The organisation that acted; None: the system."""
    leg: int
    """Number of the current leg of the route, from 1."""
    place: str
    """held, queued, offered, used, released or not_counted, after the event."""
    freed_service_id: UUID | None = None
    """The service at which this event freed a place, if it did."""
    reason: str | None = None
    """A code; None where the action has none."""


class ReferralCreated(_Referral):
    """A referral was sent."""

    decision_id: UUID
    """The recorded decision it rests on."""
    via_mechanism_id: UUID | None = None
    """The mechanism whose hub receives it; None: straight to the provider."""
    development_referral: str = "unknown"
    """`yes`, `no` or `unknown`, as its mechanism was judged."""


class ReferralReceived(_Referral):
    """The receiver said that it has it."""


class InformationRequested(_Referral):
    """The receiver asks the case owner something; its clock stands still."""

    questions: list[str]
    """Codes of what is asked."""


class InformationProvided(_Referral):
    """The question is answered or taken back."""


class ReferralPassedOn(_Referral):
    """The receiver sent it on: as the route planned, or redirected."""

    from_organization_id: UUID
    """Who passed it on."""
    how: Literal["planned", "redirected"]
    """Was it the next leg of the route, or another?"""


class ReferralAccepted(_Referral):
    """The provider takes it on."""


class ReferralReturned(_Referral):
    """Back with whoever passed it on."""

    from_organization_id: UUID
    """Who had it."""
    because: Literal["rejected", "expired"]
    """Refused, or not answered in time."""


class ReferralRejected(_Referral):
    """Taken on by nobody."""


class ReferralWaitlisted(_Referral):
    """Right for the service, no place yet."""


class PlaceOffered(_Referral):
    """A place became free and is offered to this referral."""

    offered_until: datetime
    """After that the place goes to the next."""


class PlaceDeclined(_Referral):
    """The offered place goes to the next."""


class ContactRecorded(_Referral):
    """The provider spoke, or tried to speak, with the returnee."""

    contacted_on: date
    """The day."""
    channel: str
    """For example `phone`."""
    result: str
    """For example `reached`."""


class ServiceStarted(_Referral):
    """The service has begun."""


class ServiceHeld(_Referral):
    """The service is interrupted."""


class ServiceResumed(_Referral):
    """The service goes on."""


class ServiceDelivered(_Referral):
    """The service was delivered, in whole or in part."""

    outcome: str
    """`service_delivered`, `partially_delivered`, `enrolled`, `employed` or `business_started`."""


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
    """Which, for example `decision`."""
    due_at: datetime
    """When it was due."""


class SharingStopped(_Referral):
    """Consent, agreement or service ended after acceptance: nothing more is disclosed and the case owner is told."""


class PlacesChanged(Event):
    """How the places of a service stand in the ledger."""

    subject_field: ClassVar[str] = "service_id"
    key_field: ClassVar[str] = "service_id"
    service_id: UUID
    set_aside: int | None
    """Places set aside for referrals at one time; None: not counted."""
    held: int
    """Kept for referrals that are not decided."""
    offered: int
    """Offered to somebody who waits."""
    used: int
    """By services that have started."""
    queued: int
    """Referrals that wait."""
    free: int | None
    """None where places are not counted."""
