"""The words of one referral: its states, who takes part in it, and the situation in which somebody acts."""

from dataclasses import dataclass
from enum import StrEnum

from services.referral.places.domain import PlaceState


class Status(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    RECEIVED = "received"
    AWAITING_INFORMATION = "awaiting_information"
    WAITLISTED = "waitlisted"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    ON_HOLD = "on_hold"
    COMPLETED = "completed"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    ENTERED_IN_ERROR = "entered_in_error"


FINAL = frozenset(
    {
        Status.COMPLETED,
        Status.FAILED,
        Status.REJECTED,
        Status.CANCELLED,
        Status.EXPIRED,
        Status.ENTERED_IN_ERROR,
    }
)
OPEN = frozenset(Status) - FINAL - {Status.DRAFT}
POSSIBLE_DUPLICATE = "possible_duplicate"
"""The warning that another organisation has an open case of perhaps the same person; it does not say whose."""
ANSWERABLE = frozenset({Status.SUBMITTED, Status.RECEIVED, Status.WAITLISTED})
"""The receiver has to say what becomes of it."""
UNACCEPTED = ANSWERABLE | {Status.AWAITING_INFORMATION}
"""Sent, and taken on by nobody yet."""
TAKEN_ON = frozenset({Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD})
LASTING = OPEN | {Status.COMPLETED}
"""Whoever has a part in it has one in its case."""
NOT_STARTED = UNACCEPTED | {Status.ACCEPTED}


class TaskState(StrEnum):
    """How an ended task ended, where the referral went on without it; else a task has the referral's status."""

    PASSED_ON = "passed_on"
    RETURNED = "returned"


class TaskRole(StrEnum):
    HUB = "hub"
    PROVIDER = "provider"


class Role(StrEnum):
    OWNER = "owner"
    """The case owner's organisation."""
    RECEIVER = "receiver"
    """The organisation whose task it is now, hub or provider."""
    HUB = "hub"
    """A receiver that passes on."""
    PROVIDER = "provider"
    """A receiver that runs the service."""
    SYSTEM = "system"


class Action(StrEnum):
    SUBMIT = "submit"
    ACKNOWLEDGE_RECEIPT = "acknowledge_receipt"
    REQUEST_INFORMATION = "request_information"
    PROVIDE_INFORMATION = "provide_information"
    PASS_ON = "pass_on"  # noqa: S105 - an action
    ACCEPT = "accept"
    REJECT = "reject"
    WAITLIST = "waitlist"
    DECLINE_PLACE = "decline_place"
    RECORD_CONTACT = "record_contact"
    START = "start"
    HOLD = "hold"
    RESUME = "resume"
    COMPLETE = "complete"
    FAIL = "fail"
    CANCEL = "cancel"
    EXPIRE = "expire"
    ENTER_IN_ERROR = "enter_in_error"
    CONFIRM_RECEIPT = "confirm_receipt"
    ACKNOWLEDGE_OUTCOME = "acknowledge_outcome"


@dataclass(frozen=True)
class Situation:
    """All that the transition table looks at."""

    status: Status
    place: PlaceState = PlaceState.HELD
    counted: bool = True
    """The places of the service are counted."""
    passed_on: bool = False
    """Somebody on the route passed the present task on, and a return goes there."""
    accepted: bool = False
    """The organisation whose task it is has accepted."""
    arrived: bool = False
    remote: bool = False
    """The service is given from afar and may start before the arrival."""
    overdue: bool = False
    """A deadline for an answer was missed, both sides were told, and the time after that is over too."""
    closed: bool = False
    """The case owner knows the outcome."""
