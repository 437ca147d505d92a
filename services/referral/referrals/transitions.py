"""The transition table of a referral. It is the rule: routes, `allowed` and documentation come from it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from services.referral.places.domain import PlaceState
from services.referral.referrals import reasons
from services.referral.referrals.domain import (
    ANSWERABLE,
    FINAL,
    NOT_STARTED,
    OPEN,
    TAKEN_ON,
    UNACCEPTED,
    Action,
    Role,
    Situation,
    Status,
)
from shared.errors import Forbidden, TransitionNotAllowed, Unprocessable, invalid


class NotYourPart(Forbidden):
    """This action belongs to another organisation's part of the referral"""


@dataclass(frozen=True)
class Need:
    """Something that must hold besides the status; `words` say what is missing when it does not."""

    holds: Callable[[Situation], bool]
    words: str


@dataclass(frozen=True)
class Right:
    """Who may act, and out of which statuses."""

    role: Role
    out_of: Collection[Status]
    needs: tuple[Need, ...] = ()

    def gives(self, situation: Situation) -> bool:
        return situation.status in self.out_of and all(need.holds(situation) for need in self.needs)


def unchanged(situation: Situation) -> Status:
    """The referral stays where it is."""
    return situation.status


def sent(situation: Situation) -> Status:
    """Submitted, or waitlisted when it is queued."""
    return Status.WAITLISTED if situation.place is PlaceState.QUEUED else Status.SUBMITTED


def answered(situation: Situation) -> Status:
    """Back to the waiting list if it is queued or a place is offered, else received."""
    waiting = situation.place in {PlaceState.QUEUED, PlaceState.OFFERED}
    return Status.WAITLISTED if waiting else Status.RECEIVED


def returned_or_rejected(situation: Situation) -> Status:
    """Received at whoever passed it on; rejected if nobody did."""
    return Status.RECEIVED if situation.passed_on else Status.REJECTED


def returned_or_expired(situation: Situation) -> Status:
    """Received at whoever passed it on; expired if nobody did."""
    return Status.RECEIVED if situation.passed_on else Status.EXPIRED


@dataclass(frozen=True)
class Move:
    """One action of the table. `into` is judged in the situation as it is once the place has changed."""

    does: str
    by: tuple[Right, ...]
    into: Status | Callable[[Situation], Status]
    says: str | Mapping[str, str]
    """The event; where there are several, by the status after the move or, for a receipt, by its value."""
    reasons: frozenset[str] = frozenset()
    """The codes of which one must be given; empty: no reason is asked."""

    def leads_to(self, situation: Situation) -> Status:
        return self.into if isinstance(self.into, Status) else self.into(situation)

    def event(self, by: str) -> str:
        return self.says if isinstance(self.says, str) else self.says[by]


PLACE_TO_TAKE = Need(
    lambda s: not s.counted or s.place in {PlaceState.HELD, PlaceState.OFFERED},
    "no place is held for it or offered to it",
)
PLACE_OFFERED = Need(lambda s: s.place is PlaceState.OFFERED, "no place is offered to it")
ARRIVED_OR_REMOTE = Need(lambda s: s.arrived or s.remote, "the arrival is not confirmed and the service is not remote")
NOT_ACCEPTED = Need(lambda s: not s.accepted, "it is accepted")
ACCEPTED = Need(lambda s: s.accepted, "it is not accepted")
OVERDUE = Need(lambda s: s.overdue, "no deadline is missed")
LOOP_OPEN = Need(lambda s: not s.closed, "the outcome is acknowledged already")

TRANSITIONS: Mapping[Action, Move] = {
    Action.SUBMIT: Move(
        does="Send a draft.",
        by=(Right(Role.OWNER, {Status.DRAFT}),),
        into=sent,
        says="ReferralCreated",
    ),
    Action.ACKNOWLEDGE_RECEIPT: Move(
        does="Say that it has been received.",
        by=(Right(Role.RECEIVER, {Status.SUBMITTED, Status.WAITLISTED}),),
        into=lambda s: s.status if s.status is Status.WAITLISTED else Status.RECEIVED,
        says="ReferralReceived",
    ),
    Action.REQUEST_INFORMATION: Move(
        does="Ask the case owner something; the receiver's clock stands still until it is answered.",
        by=(Right(Role.RECEIVER, ANSWERABLE),),
        into=Status.AWAITING_INFORMATION,
        says="InformationRequested",
    ),
    Action.PROVIDE_INFORMATION: Move(
        does="Answer what was asked; the receiver may take its question back.",
        by=(
            Right(Role.OWNER, {Status.AWAITING_INFORMATION}),
            Right(Role.RECEIVER, {Status.AWAITING_INFORMATION}),
        ),
        into=answered,
        says="InformationProvided",
    ),
    Action.PASS_ON: Move(
        does="Send it on to the next organisation, as the route plans or elsewhere; judged like a new leg.",
        by=(Right(Role.RECEIVER, ANSWERABLE), Right(Role.PROVIDER, {Status.ACCEPTED})),
        into=sent,
        says="ReferralPassedOn",
    ),
    Action.ACCEPT: Move(
        does="Take it on: from here on the provider sees the agreed fields of identity.",
        by=(Right(Role.PROVIDER, ANSWERABLE, (PLACE_TO_TAKE,)),),
        into=Status.ACCEPTED,
        says="ReferralAccepted",
    ),
    Action.REJECT: Move(
        does="Not take it on: it goes back to whoever passed it on, and is rejected if nobody did.",
        by=(Right(Role.RECEIVER, UNACCEPTED),),
        into=returned_or_rejected,
        says={Status.RECEIVED: "ReferralReturned", Status.REJECTED: "ReferralRejected"},
        reasons=reasons.REJECTION,
    ),
    Action.WAITLIST: Move(
        does="Right for the service, but no place yet: it queues, and a held place is given up.",
        by=(Right(Role.RECEIVER, {Status.SUBMITTED, Status.RECEIVED}),),
        into=Status.WAITLISTED,
        says="ReferralWaitlisted",
    ),
    Action.DECLINE_PLACE: Move(
        does="Not take the place that is offered: it goes to the next, and this referral waits behind the others.",
        by=(
            Right(Role.RECEIVER, {Status.WAITLISTED}, (PLACE_OFFERED,)),
            Right(Role.OWNER, {Status.WAITLISTED}, (PLACE_OFFERED,)),
            Right(Role.SYSTEM, {Status.WAITLISTED}, (PLACE_OFFERED,)),
        ),
        into=Status.WAITLISTED,
        says="PlaceDeclined",
        reasons=reasons.DECLINE,
    ),
    Action.RECORD_CONTACT: Move(
        does="Record that the provider spoke, or tried to speak, with the returnee.",
        by=(Right(Role.PROVIDER, TAKEN_ON),),
        into=unchanged,
        says="ContactRecorded",
    ),
    Action.START: Move(
        does="The service begins.",
        by=(Right(Role.PROVIDER, {Status.ACCEPTED}, (ARRIVED_OR_REMOTE,)),),
        into=Status.IN_PROGRESS,
        says="ServiceStarted",
    ),
    Action.HOLD: Move(
        does="The service is interrupted.",
        by=(Right(Role.PROVIDER, {Status.IN_PROGRESS}),),
        into=Status.ON_HOLD,
        says="ServiceHeld",
        reasons=reasons.HOLD,
    ),
    Action.RESUME: Move(
        does="The service goes on.",
        by=(Right(Role.PROVIDER, {Status.ON_HOLD}),),
        into=Status.IN_PROGRESS,
        says="ServiceResumed",
    ),
    Action.COMPLETE: Move(
        does="The service was delivered, with what outcome.",
        by=(Right(Role.PROVIDER, TAKEN_ON, (ARRIVED_OR_REMOTE,)),),
        into=Status.COMPLETED,
        says="ServiceDelivered",
    ),
    Action.FAIL: Move(
        does="The service was not delivered.",
        by=(Right(Role.PROVIDER, TAKEN_ON),),
        into=Status.FAILED,
        says="ReferralFailed",
        reasons=reasons.FAILURE,
    ),
    Action.CANCEL: Move(
        does="Withdraw it: the case owner until the service starts, the provider from acceptance on.",
        by=(
            Right(Role.OWNER, NOT_STARTED),
            Right(Role.PROVIDER, TAKEN_ON),
            Right(Role.SYSTEM, NOT_STARTED),
        ),
        into=Status.CANCELLED,
        says="ReferralCancelled",
        reasons=reasons.CANCELLATION,
    ),
    Action.EXPIRE: Move(
        does="Nobody answered in time: it goes back to whoever passed it on, and expires if nobody did.",
        by=(Right(Role.SYSTEM, {Status.SUBMITTED, Status.RECEIVED, Status.AWAITING_INFORMATION}, (OVERDUE,)),),
        into=returned_or_expired,
        says={Status.RECEIVED: "ReferralReturned", Status.EXPIRED: "ReferralExpired"},
    ),
    Action.ENTER_IN_ERROR: Move(
        does="It never should have been: the case owner says so before acceptance, the provider after it.",
        by=(
            Right(Role.OWNER, (OPEN | FINAL) - {Status.ENTERED_IN_ERROR}, (NOT_ACCEPTED,)),
            Right(Role.PROVIDER, (OPEN | FINAL) - {Status.ENTERED_IN_ERROR}, (ACCEPTED,)),
        ),
        into=Status.ENTERED_IN_ERROR,
        says="ReferralEnteredInError",
        reasons=reasons.ERROR,
    ),
    Action.CONFIRM_RECEIPT: Move(
        does="What the returnee says of the delivery: she confirms it, disputes it, or could not be reached.",
        by=(Right(Role.OWNER, {Status.COMPLETED}),),
        into=unchanged,
        says={
            "confirmed": "ReceiptConfirmed",
            "disputed": "ReceiptDisputed",
            "not_reached": "ReceiptNotReached",
        },
    ),
    Action.ACKNOWLEDGE_OUTCOME: Move(
        does="The case owner knows how it ended: the loop is closed.",
        by=(Right(Role.OWNER, FINAL, (LOOP_OPEN,)),),
        into=unchanged,
        says="OutcomeAcknowledged",
    ),
}

CLOSED_BY_OWNER = frozenset({Action.CANCEL, Action.ENTER_IN_ERROR})
"""Where the owner ended it the owner knows the outcome: the loop is closed at once."""


def allowed(situation: Situation, roles: Collection[Role]) -> list[Action]:
    """What somebody in these roles may do now, in the order of the table."""
    return [
        action
        for action, move in TRANSITIONS.items()
        if any(right.role in roles and right.gives(situation) for right in move.by)
    ]


def decide(action: Action, situation: Situation, roles: Collection[Role], reason: str | None = None) -> Move:
    """The move, or its refusal; nothing is changed. Whose part it is comes first, then the state, then the reason."""
    move = TRANSITIONS[action]
    rights = [right for right in move.by if right.role in roles]
    if not rights:
        raise NotYourPart(current=str(situation.status), allowed=_names(situation, roles))
    if not any(right.gives(situation) for right in rights):
        raise TransitionNotAllowed(situation.status, _names(situation, roles), _what_is_missing(rights, situation))
    if move.reasons and reason not in move.reasons:
        raise Unprocessable(errors=[invalid("/reason/code", "is not a reason for this action", "unknown_reason")])
    return move


def _names(situation: Situation, roles: Collection[Role]) -> list[str]:
    return [str(action) for action in allowed(situation, roles)]


def _what_is_missing(rights: Collection[Right], situation: Situation) -> str | None:
    """In words, if only a need stands in the way and not the status."""
    for right in rights:
        if situation.status in right.out_of:
            return next(need.words for need in right.needs if not need.holds(situation))
    return None
