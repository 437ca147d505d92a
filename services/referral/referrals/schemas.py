"""What is sent and answered about referrals. Identity stands in one field, filled only for who may read it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import Field

from services.referral.cases.schemas import CaseSummary, Day, ExternalRef, IdentityField
from services.referral.referrals import reasons
from services.referral.referrals.domain import Action
from shared.http.schema import In, Out, Text

Priority = Literal["emergency", "urgent", "normal"]
Dimension = Literal["economic", "social", "psychosocial"]
NeedType = Literal[
    "job_placement",
    "vocational_training",
    "business_development",
    "financial_services",
    "health",
    "housing",
    "documentation",
    "social_protection",
    "education",
    "food_and_water",
    "justice",
    "psychosocial_counselling",
    "family_counselling",
    "cash_assistance",
    "in_kind_assistance",
    "other",
]


class Need(In):
    """What the person needs."""

    dimension: Dimension
    type: NeedType


class SafetyCheck(In):
    """What the counsellor found: may a state body of the country of origin hear of this person?"""

    safe: bool
    note: Text | None = None
    """For the case owner alone."""


class ReferralIn(In):
    """This case, this need, this service. Sent at once, unless it is a draft."""

    case_id: UUID
    member_ids: Annotated[list[UUID], Field(max_length=50)] = []
    """Whom of the case it is for; empty: all."""
    service_id: UUID
    need: Need
    priority: Priority = "normal"
    decision_id: UUID | None = None
    """The recorded decision of eligibility; nothing is sent without one."""
    disclosure: list[IdentityField] | None = None
    """The fields of identity that the provider may see once it has accepted; left out: those that both agreement and
    consent allow."""
    when_full: Literal["refuse", "waitlist"] = "refuse"
    via: UUID | None = None
    """The mechanism to send it by, instead of the one with the smallest area."""
    safety_check: SafetyCheck | None = None
    follows_referral_id: UUID | None = None
    """An earlier referral of the same case."""
    external_refs: Annotated[list[ExternalRef], Field(max_length=20)] = []
    draft: bool = False


Code = TypeVar("Code", bound=str)


class Reason(In, Generic[Code]):
    code: Code
    text: Text | None = None
    """Sealed; for the case owner and whoever wrote it. Nothing about an asylum procedure belongs here."""


class NothingMore(In):
    """The action says it all."""


class QuestionsIn(In):
    """What the case owner is asked, as codes; words go beside them and hold no identity."""

    questions: Annotated[list[reasons.Question], Field(min_length=1, max_length=20)]
    text: Text | None = None


class AnswersIn(In):
    """The answers are read by the receiver, before it has accepted: no identity, nothing about an asylum procedure."""

    answers: dict[reasons.Question, Text] = {}
    text: Text | None = None
    safety_check: SafetyCheck | None = None
    """The case owner's, where somebody on the way is a state body of the country of origin."""


class PassOnIn(In):
    """To whom, and if another service fits better, to which; that needs its own positive decision."""

    to_organization_id: UUID
    service_id: UUID | None = None
    decision_id: UUID | None = None


class RejectIn(In):
    reason: Reason[reasons.RejectionReason]


class DeclineIn(In):
    reason: Reason[reasons.DeclineReason]


class ContactIn(In):
    contacted_on: Day
    channel: reasons.Channel
    result: reasons.ContactResult
    text: Text | None = None


class HoldIn(In):
    reason: Reason[reasons.HoldReason]


class CompleteIn(In):
    outcome: reasons.Outcome
    text: Text | None = None


class FailIn(In):
    reason: Reason[reasons.FailureReason]


class CancelIn(In):
    reason: Reason[reasons.CancellationReason]


class ErrorIn(In):
    reason: Reason[reasons.ErrorReason]


class ReceiptIn(In):
    """What the returnee says."""

    receipt: reasons.Receipt
    text: Text | None = None


BODIES: Mapping[Action, type[In]] = {
    Action.SUBMIT: NothingMore,
    Action.ACKNOWLEDGE_RECEIPT: NothingMore,
    Action.REQUEST_INFORMATION: QuestionsIn,
    Action.PROVIDE_INFORMATION: AnswersIn,
    Action.PASS_ON: PassOnIn,
    Action.ACCEPT: NothingMore,
    Action.REJECT: RejectIn,
    Action.WAITLIST: NothingMore,
    Action.DECLINE_PLACE: DeclineIn,
    Action.RECORD_CONTACT: ContactIn,
    Action.START: NothingMore,
    Action.HOLD: HoldIn,
    Action.RESUME: NothingMore,
    Action.COMPLETE: CompleteIn,
    Action.FAIL: FailIn,
    Action.CANCEL: CancelIn,
    Action.ENTER_IN_ERROR: ErrorIn,
    Action.CONFIRM_RECEIPT: ReceiptIn,
    Action.ACKNOWLEDGE_OUTCOME: NothingMore,
}
"""Action → what is sent with it. What the system alone does is no route."""


class LegOut(Out):
    """One stretch of the way: travelled (with the state of its task) or `planned`."""

    leg: int
    organization_id: UUID
    role: str
    mechanism_id: UUID | None
    state: str


class TaskOut(Out):
    """One organisation's part; besides the states of a referral it may be `passed_on` or `returned`."""

    task_id: UUID
    leg: int
    organization_id: UUID
    role: str
    state: str
    service_id: UUID
    from_organization_id: UUID
    opened_at: datetime
    ended_at: datetime | None
    reason: str | None


class PlaceOut(Out):
    """What the referral has of the service's places."""

    state: str
    position: int | None = None
    """Where it stands in the queue, from 1."""
    offered_until: datetime | None = None
    queued_at: datetime | None = None
    """What its turn goes by, besides its priority and, for the case owner to see, the vulnerability screening."""
    vulnerable: bool | None = None
    declines: int | None = None


class DevelopmentOut(Out):
    """Whether this is a development referral, by a definition of this project: no source gives one."""

    value: str
    inherited_from_mechanism_id: UUID | None
    service_in_development_programme: bool
    definition: str = "project"


class WarningOut(Out):
    """Nothing that stands in the way now, but worth knowing."""

    code: str
    leg: int | None = None


class ReferralSummary(Out):
    """A referral in a list."""

    referral_id: UUID
    case_id: UUID
    version: int
    status: str
    priority: str
    need: Need
    service_id: UUID
    owner_id: UUID
    organization_id: UUID | None
    """Whose task it is."""
    due: dict[str, datetime]
    reason: str | None
    receipt: str | None
    created_at: datetime
    changed_at: datetime
    closed_at: datetime | None


class ReferralOut(ReferralSummary):
    """A referral as the asker may see it; what he may not is left out."""

    phase: str | None = None
    when_full: str | None = None
    decision_id: UUID | None = None
    member_ids: list[UUID] | None = None
    via: UUID | None = None
    disclosure: list[str] | None = None
    safety_check: SafetyCheck | None = None
    follows_referral_id: UUID | None = None
    external_refs: list[ExternalRef] | None = None
    route: list[LegOut] = []
    tasks: list[TaskOut] = []
    place: PlaceOut | None = None
    development_referral: DevelopmentOut | None = None
    warnings: list[WarningOut] = []
    allowed: list[str] = []
    """What the asker may do now."""
    outcome: str | None = None
    submitted_at: datetime | None = None
    accepted_at: datetime | None = None
    sharing_stopped_at: datetime | None = None
    case: CaseSummary | None = None
    """Nobody can be recognised by it."""
    identity: dict[str, Any] | None = None
    """The agreed fields, for the provider that accepted; only when the referral is read."""


class HistoryOut(Out):
    """What happened. `words` only for the case owner, whoever wrote them, and who was meant to read them."""

    version: int
    at: datetime
    what: str
    by: UUID | None
    from_status: str
    to_status: str
    place: str | None
    reason: str | None
    details: dict[str, Any]
    words: dict[str, Any] | None = None
