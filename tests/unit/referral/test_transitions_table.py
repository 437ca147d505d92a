"""Every cell of the transition table: status × action × part, against an expectation written from the contract."""

from dataclasses import replace
from itertools import product

import pytest

from services.referral.places.domain import PlaceState
from services.referral.referrals import reasons
from services.referral.referrals.domain import Action, Role, Situation, Status
from services.referral.referrals.schemas import BODIES
from services.referral.referrals.steps import EVENTS
from services.referral.referrals.transitions import (
    CLOSED_BY_OWNER,
    TRANSITIONS,
    NotYourPart,
    allowed,
    decide,
)
from shared.errors import TransitionNotAllowed, Unprocessable

PARTS: dict[str, frozenset[Role]] = {
    "owner": frozenset({Role.OWNER}),
    "hub": frozenset({Role.RECEIVER, Role.HUB}),
    "provider": frozenset({Role.RECEIVER, Role.PROVIDER}),
    "system": frozenset({Role.SYSTEM}),
    "former": frozenset(),
}

# action | who | from → to; several from-statuses separated by spaces; "=" leaves the status as it is.
# The last word of a line says for which situation it holds, where that matters.
CONTRACT = """
submit              | owner        | draft > submitted
acknowledge_receipt | hub provider | submitted > received
acknowledge_receipt | hub provider | waitlisted > =
request_information | hub provider | submitted received waitlisted > awaiting_information
provide_information | owner hub provider | awaiting_information > received
pass_on             | hub provider | submitted received waitlisted > submitted
pass_on             | provider     | accepted > submitted
accept              | provider     | submitted received waitlisted > accepted
reject              | hub provider | submitted received awaiting_information waitlisted > received
waitlist            | hub provider | submitted received > waitlisted
decline_place       | owner hub provider system | waitlisted > waitlisted
record_contact      | provider     | accepted in_progress on_hold > =
start               | provider     | accepted > in_progress
hold                | provider     | in_progress > on_hold
resume              | provider     | on_hold > in_progress
complete            | provider     | accepted in_progress on_hold > completed
fail                | provider     | accepted in_progress on_hold > failed
cancel              | owner system | submitted received awaiting_information waitlisted accepted > cancelled
cancel              | provider     | accepted in_progress on_hold > cancelled
expire              | system       | submitted received awaiting_information > received
enter_in_error      | owner        | submitted received awaiting_information waitlisted rejected cancelled expired > entered_in_error
enter_in_error      | provider     | accepted in_progress on_hold completed failed cancelled > entered_in_error
confirm_receipt     | owner        | completed > =
acknowledge_outcome | owner        | completed failed rejected cancelled expired entered_in_error > =
"""  # noqa: E501 - one row of the contract a line

REASONS = {
    Action.REJECT: "not_eligible",
    Action.DECLINE_PLACE: "date_unsuitable",
    Action.HOLD: "security_situation",
    Action.FAIL: "no_show",
    Action.CANCEL: "left_area",
    Action.ENTER_IN_ERROR: "created_in_error",
}
AFTER_ACCEPTANCE = {Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD, Status.COMPLETED, Status.FAILED}


def expected() -> dict[tuple[Action, str, Status], Status]:
    cells = {}
    for line in CONTRACT.strip().splitlines():
        action, who, moves = (part.strip() for part in line.split("|"))
        out_of, into = (part.split() for part in moves.split(">"))
        for part, status in product(who.split(), out_of):
            cells[Action(action), part, Status(status)] = Status(status if into == ["="] else into[0])
    return cells


EXPECTED = expected()


def favourable(action: Action, part: str, status: Status) -> Situation:
    """The situation in which nothing but the table itself stands in the way."""
    accepted = status in AFTER_ACCEPTANCE or (status is Status.CANCELLED and part == "provider")
    place = PlaceState.OFFERED if action in {Action.DECLINE_PLACE, Action.ACCEPT} else PlaceState.HELD
    return Situation(status, place=place, passed_on=True, accepted=accepted, arrived=True, overdue=True)


CELLS = list(product(Action, PARTS, Status))


@pytest.mark.parametrize(("action", "part", "status"), CELLS)
def test_each_cell_is_what_the_contract_says(action: Action, part: str, status: Status) -> None:
    situation = favourable(action, part, status)
    into = EXPECTED.get((action, part, status))
    if into is None:
        with pytest.raises((TransitionNotAllowed, NotYourPart)) as refusal:
            decide(action, situation, PARTS[part], REASONS.get(action))
        assert refusal.value.extensions["current"] == status
        assert action not in refusal.value.extensions["allowed"]
        return
    move = decide(action, situation, PARTS[part], REASONS.get(action))
    if action is Action.DECLINE_PLACE:
        situation = replace(situation, place=PlaceState.QUEUED)
    assert move.leads_to(situation) is into
    assert action in allowed(situation if action is not Action.DECLINE_PLACE else favourable(action, part, status),
                             PARTS[part])  # fmt: skip


@pytest.mark.parametrize(("part", "status"), list(product(PARTS, Status)))
def test_what_is_said_to_be_allowed_is_exactly_what_is_not_refused(part: str, status: Status) -> None:
    situation = Situation(status)
    for action in Action:
        try:
            decide(action, situation, PARTS[part], REASONS.get(action))
        except (TransitionNotAllowed, NotYourPart):
            assert action not in allowed(situation, PARTS[part])
        else:
            assert action in allowed(situation, PARTS[part])


def test_whose_part_it_never_is_hears_that_and_not_the_state() -> None:
    with pytest.raises(NotYourPart) as refusal:
        decide(Action.ACCEPT, Situation(Status.SUBMITTED), PARTS["owner"])
    assert refusal.value.status == 403
    assert refusal.value.extensions == {"current": "submitted", "allowed": ["cancel", "enter_in_error"]} | {
        "allowed": [str(action) for action in allowed(Situation(Status.SUBMITTED), PARTS["owner"])]
    }


@pytest.mark.parametrize("place", [PlaceState.QUEUED, PlaceState.RELEASED])
def test_nobody_accepts_without_a_place_where_they_are_counted(place: PlaceState) -> None:
    situation = Situation(Status.WAITLISTED, place=place)
    with pytest.raises(TransitionNotAllowed, match="no place"):
        decide(Action.ACCEPT, situation, PARTS["provider"])
    assert decide(Action.ACCEPT, replace(situation, counted=False), PARTS["provider"]) is TRANSITIONS[Action.ACCEPT]


def test_only_an_offered_place_is_declined() -> None:
    with pytest.raises(TransitionNotAllowed, match="no place is offered"):
        decide(Action.DECLINE_PLACE, Situation(Status.WAITLISTED, place=PlaceState.QUEUED), PARTS["owner"], "other")


@pytest.mark.parametrize("action", [Action.START, Action.COMPLETE])
def test_nothing_starts_before_the_arrival_unless_it_is_remote(action: Action) -> None:
    waiting = Situation(Status.ACCEPTED, accepted=True)
    with pytest.raises(TransitionNotAllowed, match="arrival"):
        decide(action, waiting, PARTS["provider"])
    assert decide(action, replace(waiting, remote=True), PARTS["provider"]) is TRANSITIONS[action]
    assert decide(action, replace(waiting, arrived=True), PARTS["provider"]) is TRANSITIONS[action]


def test_nothing_expires_before_it_is_overdue() -> None:
    with pytest.raises(TransitionNotAllowed, match="no deadline"):
        decide(Action.EXPIRE, Situation(Status.RECEIVED), PARTS["system"])


def test_the_loop_is_closed_once() -> None:
    with pytest.raises(TransitionNotAllowed, match="already"):
        decide(Action.ACKNOWLEDGE_OUTCOME, Situation(Status.FAILED, closed=True), PARTS["owner"])


def test_an_error_is_the_owners_before_acceptance_and_the_providers_after_it() -> None:
    before, after = Situation(Status.CANCELLED), Situation(Status.CANCELLED, accepted=True)
    assert decide(Action.ENTER_IN_ERROR, before, PARTS["owner"], "duplicate") is TRANSITIONS[Action.ENTER_IN_ERROR]
    assert decide(Action.ENTER_IN_ERROR, after, PARTS["provider"], "duplicate") is TRANSITIONS[Action.ENTER_IN_ERROR]
    for situation, part in ((before, "provider"), (after, "owner")):
        with pytest.raises(TransitionNotAllowed):
            decide(Action.ENTER_IN_ERROR, situation, PARTS[part], "duplicate")


@pytest.mark.parametrize(
    ("action", "place", "passed_on", "into"),
    [
        (Action.SUBMIT, PlaceState.QUEUED, False, Status.WAITLISTED),
        (Action.SUBMIT, PlaceState.HELD, False, Status.SUBMITTED),
        (Action.PASS_ON, PlaceState.QUEUED, False, Status.WAITLISTED),
        (Action.PASS_ON, PlaceState.HELD, True, Status.SUBMITTED),
        (Action.PROVIDE_INFORMATION, PlaceState.QUEUED, False, Status.WAITLISTED),
        (Action.PROVIDE_INFORMATION, PlaceState.OFFERED, False, Status.WAITLISTED),
        (Action.PROVIDE_INFORMATION, PlaceState.HELD, False, Status.RECEIVED),
        (Action.REJECT, PlaceState.RELEASED, True, Status.RECEIVED),
        (Action.REJECT, PlaceState.RELEASED, False, Status.REJECTED),
        (Action.EXPIRE, PlaceState.RELEASED, True, Status.RECEIVED),
        (Action.EXPIRE, PlaceState.RELEASED, False, Status.EXPIRED),
    ],
)
def test_where_a_move_leads_depends_on_the_place_and_on_who_passed_it_on(
    action: Action, place: PlaceState, passed_on: bool, into: Status
) -> None:
    situation = Situation(Status.SUBMITTED, place=place, passed_on=passed_on)
    assert TRANSITIONS[action].leads_to(situation) is into


SAID = {
    Action.SUBMIT: {"ReferralCreated"},
    Action.ACKNOWLEDGE_RECEIPT: {"ReferralReceived"},
    Action.REQUEST_INFORMATION: {"InformationRequested"},
    Action.PROVIDE_INFORMATION: {"InformationProvided"},
    Action.PASS_ON: {"ReferralPassedOn"},
    Action.ACCEPT: {"ReferralAccepted"},
    Action.REJECT: {"ReferralReturned", "ReferralRejected"},
    Action.WAITLIST: {"ReferralWaitlisted"},
    Action.DECLINE_PLACE: {"PlaceDeclined"},
    Action.RECORD_CONTACT: {"ContactRecorded"},
    Action.START: {"ServiceStarted"},
    Action.HOLD: {"ServiceHeld"},
    Action.RESUME: {"ServiceResumed"},
    Action.COMPLETE: {"ServiceDelivered"},
    Action.FAIL: {"ReferralFailed"},
    Action.CANCEL: {"ReferralCancelled"},
    Action.EXPIRE: {"ReferralReturned", "ReferralExpired"},
    Action.ENTER_IN_ERROR: {"ReferralEnteredInError"},
    Action.CONFIRM_RECEIPT: {"ReceiptConfirmed", "ReceiptDisputed", "ReceiptNotReached"},
    Action.ACKNOWLEDGE_OUTCOME: {"OutcomeAcknowledged"},
}


@pytest.mark.parametrize("action", Action)
def test_each_action_says_what_the_contract_says(action: Action) -> None:
    says = TRANSITIONS[action].says
    said = {says} if isinstance(says, str) else set(says.values())
    assert said == SAID[action]
    assert said <= EVENTS.keys()


def test_every_action_but_that_of_the_system_alone_is_a_route() -> None:
    assert set(TRANSITIONS) == set(Action)
    assert set(BODIES) == set(Action) - {Action.EXPIRE}
    assert {Action.CANCEL, Action.ENTER_IN_ERROR} == CLOSED_BY_OWNER


REASON_CODES = {
    Action.REJECT: "not_eligible no_capacity no_funds out_of_area service_closed duplicate insufficient_information "
    "documents_missing consent_missing protection_concern other",
    Action.CANCEL: "returnee_declined return_not_executed left_area remigrated deceased created_in_error "
    "consent_withdrawn sender_withdrew no_longer_needed service_ended agreement_ended other",
    Action.HOLD: "waiting_for_returnee waiting_for_documents security_situation other",
    Action.DECLINE_PLACE: "returnee_declined date_unsuitable no_answer other",
    Action.FAIL: "no_contact no_show dropped_out returnee_withdrew funding_ended security_situation "
    "service_not_delivered other",
}


def test_the_reason_codes_are_those_of_the_contract() -> None:
    for action, move in TRANSITIONS.items():
        if action is Action.ENTER_IN_ERROR:
            assert move.reasons == reasons.ERROR
        else:
            assert move.reasons == set(REASON_CODES.get(action, "").split())


@pytest.mark.parametrize("reason", [None, "left_area", "NOT_ELIGIBLE"])
def test_an_action_that_needs_a_reason_takes_only_its_own(reason: str | None) -> None:
    with pytest.raises(Unprocessable) as refusal:
        decide(Action.REJECT, Situation(Status.SUBMITTED), PARTS["hub"], reason)
    assert refusal.value.extensions["errors"][0]["pointer"] == "/reason/code"
