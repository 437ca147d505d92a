"""What the referral service says of many cases under way at once: each registered, referred, passed on and served."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from shared import clock
from shared.events import Event
from shared.events import referral as says
from shared.ids import new_id

AT_ONCE = 500
STEPS: tuple[tuple[type[Event], dict[str, Any]], ...] = (
    (says.ReferralCreated, {"status": "submitted"}),
    (says.ReferralReceived, {"status": "received"}),
    (says.ReferralPassedOn, {"status": "submitted", "how": "planned"}),
    (says.ReferralAccepted, {"status": "accepted"}),
    (says.ServiceStarted, {"status": "in_progress", "place": "used"}),
    (says.ServiceDelivered, {"status": "completed", "place": "released", "outcome": "service_delivered"}),
    (says.OutcomeAcknowledged, {"status": "completed", "place": "released"}),
)
"""The events of one referral in order, and what each says beside the referral itself."""


def created() -> says.ReferralCreated:
    """A referral that was sent just now."""
    return next(event for event in _journey() if isinstance(event, says.ReferralCreated))


def journeys(events: int) -> Iterator[Event]:
    """So many events: of AT_ONCE cases each step in turn, then of the next AT_ONCE."""
    said = 0
    while True:
        for step in zip(*(list(_journey()) for _ in range(AT_ONCE)), strict=True):
            for event in step:
                if said == events:
                    return
                said += 1
                yield event


def _journey() -> Iterator[Event]:
    case_id, owner_id, hub, provider = new_id(), new_id(), new_id(), new_id()
    at = clock.now()
    yield _registered(case_id, owner_id)
    referral: dict[str, Any] = {
        "referral_id": new_id(),
        "case_id": case_id,
        "service_id": new_id(),
        "need": "vocational_training",
        "priority": "normal",
        "owner_id": owner_id,
        "place": "held",
        "decision_id": new_id(),
        "from_organization_id": hub,
    }
    for number, (kind, told) in enumerate(STEPS):
        at_hub = number < 2
        yield kind.model_validate(
            referral
            | told
            | {
                "version": number + 1,
                "occurred_at": at + timedelta(milliseconds=number),
                "organization_id": hub if at_hub else provider,
                "acted_by": owner_id if number == 0 else hub if number < 3 else provider,
                "leg": 1 if at_hub else 2,
            }
        )


def _registered(case_id: UUID, owner_id: UUID) -> says.CaseRegistered:
    return says.CaseRegistered(
        version=1,
        case_id=case_id,
        occurred_at=clock.now(),
        owner_id=owner_id,
        member_state="BE",
        country_of_origin="NG",
        area="NG012",
        return_type="voluntary",
        origin="sender",
        phase="pre_departure",
        arrival_certainty="expected",
        members=[says.CoarseMember(member_id=new_id(), sex="female", age_band="25-34")],
    )
