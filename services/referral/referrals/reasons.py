"""Reason codes, outcomes and question codes. A code says why; a person's own words stay sealed."""

from typing import Literal, get_args

RejectionReason = Literal[
    "not_eligible",
    "no_capacity",
    "no_funds",
    "out_of_area",
    "service_closed",
    "duplicate",
    "insufficient_information",
    "documents_missing",
    "consent_missing",
    "protection_concern",
    "other",
]
CancellationReason = Literal[
    "returnee_declined",
    "return_not_executed",
    "left_area",
    "remigrated",
    "deceased",
    "created_in_error",
    "consent_withdrawn",
    "sender_withdrew",
    "no_longer_needed",
    "service_ended",
    "agreement_ended",
    "other",
]
HoldReason = Literal["waiting_for_returnee", "waiting_for_documents", "security_situation", "other"]
DeclineReason = Literal["returnee_declined", "date_unsuitable", "no_answer", "other"]
FailureReason = Literal[
    "no_contact",
    "no_show",
    "dropped_out",
    "returnee_withdrew",
    "funding_ended",
    "security_situation",
    "service_not_delivered",
    "other",
]
# The contract names none for this action: those of its other lists that can mean it.
ErrorReason = Literal["created_in_error", "duplicate", "other"]

Outcome = Literal["service_delivered", "partially_delivered", "enrolled", "employed", "business_started"]
Receipt = Literal["confirmed", "disputed", "not_reached"]
# The project's own codes, where the contract leaves the list open.
Question = Literal[
    "availability",
    "contacts",
    "documents",
    "education",
    "family",
    "health",
    "housing",
    "language",
    "location",
    "skills",
    "travel_dates",
    "wishes",
    "other",
]
Channel = Literal["in_person", "phone", "video", "message", "email", "letter", "other"]
ContactResult = Literal["reached", "not_reached", "appointment_made", "declined", "other"]

REJECTION = frozenset(get_args(RejectionReason))
CANCELLATION = frozenset(get_args(CancellationReason))
HOLD = frozenset(get_args(HoldReason))
DECLINE = frozenset(get_args(DeclineReason))
FAILURE = frozenset(get_args(FailureReason))
ERROR = frozenset(get_args(ErrorReason))

NO_ANSWER: DeclineReason = "no_answer"
RETURN_NOT_EXECUTED: CancellationReason = "return_not_executed"
CONSENT_WITHDRAWN: CancellationReason = "consent_withdrawn"
AGREEMENT_ENDED: CancellationReason = "agreement_ended"
SERVICE_ENDED: CancellationReason = "service_ended"
