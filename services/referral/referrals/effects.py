"""What an action changes besides the status: the place, the task, the case. One effect for each that has one."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from services.referral.cases import actions as cases
from services.referral.places.domain import PlaceState
from services.referral.referrals import sealing, sending
from services.referral.referrals.domain import Action, Status, TaskState
from services.referral.referrals.models import Task
from services.referral.referrals.schemas import AnswersIn, CompleteIn, ContactIn, QuestionsIn, ReceiptIn
from services.referral.referrals.steps import Step
from shared import clock
from shared.errors import Unprocessable, invalid
from shared.ids import new_id

Effect = Callable[[Step, Any], Awaitable[None]]


async def submit(step: Step, _: Any) -> None:
    await sending.send_first(step)


async def request_information(step: Step, body: QuestionsIn) -> None:
    step.says["questions"] = step.details["questions"] = list(dict.fromkeys(body.questions))
    step.journey.referral.escalated = False


async def provide_information(step: Step, body: AnswersIn) -> None:
    """Answers are sealed; a safety check is the case owner's alone to record."""
    referral = step.journey.referral
    if step.by != referral.owner_id and (body.safety_check is not None or body.answers):
        raise Unprocessable(errors=[invalid("", "only the case owner answers", "not_yours")])
    if body.answers:
        step.details["answered"] = sorted(body.answers)
        step.words = (step.words or {}) | {"answers": dict(body.answers)}
    if body.safety_check is not None:
        referral.declared_safe = body.safety_check.safe
        refs, _ = await sealing.open_order(step.session, referral)
        await sealing.seal_order(step.session, referral, external_refs=refs, safety_note=body.safety_check.note)
    referral.escalated = False


async def accept(step: Step, _: Any) -> None:
    """An offered place is taken. Where places are not counted a waiting referral needs none."""
    await step.move_place(PlaceState.HELD)
    step.journey.referral.accepted_at = clock.now()
    step.journey.referral.escalated = False


async def waitlist(step: Step, _: Any) -> None:
    """A held place is given up; what a return released queues anew."""
    await step.move_place(PlaceState.QUEUED)
    step.journey.referral.escalated = False


async def give_back(step: Step, _: Any) -> None:
    """It returns to whoever passed it on, in a task of its own; where nobody did the action ends the referral."""
    journey = step.journey
    task, parent = journey.current(), journey.parent(journey.current())
    step.details["from_organization_id"] = str(task.organization_id)
    if parent is None:
        return
    step.says |= {
        "from_organization_id": task.organization_id,
        "because": "expired" if step.what == Action.EXPIRE else "rejected",
    }
    await step.release_place()
    now = clock.now()
    task.state, task.ended_at, task.reason = TaskState.RETURNED, now, step.reason
    task.answered_at = task.answered_at or (now if step.by is not None else None)
    same = ("leg", "organization_id", "role", "from_organization_id", "parent_id", "service_id", "mechanism_id",
            "agreement_id", "deadlines")  # fmt: skip
    journey.tasks.append(
        Task(
            task_id=new_id(),
            referral_id=task.referral_id,
            number=len(journey.tasks) + 1,
            state=Status.RECEIVED,
            opened_at=now,
            **{name: getattr(parent, name) for name in same},
        )
    )
    sending.begin_task(step)
    back_at_provider = parent.organization_id == journey.service.organization_id
    journey.referral.ahead = (
        []
        if back_at_provider
        else [
            {
                "organization_id": str(journey.service.organization_id),
                "mechanism_id": None if parent.mechanism_id is None else str(parent.mechanism_id),
            }
        ]
    )


async def record_contact(step: Step, body: ContactIn) -> None:
    """An attempt that reached nobody is recorded too, and so is a contact before the arrival: no first contact either,
    unless the service is given from afar."""
    if body.contacted_on > clock.today():
        raise Unprocessable(errors=[invalid("/contacted_on", "lies in the future", "in_future")])
    step.says |= {"contacted_on": body.contacted_on, "channel": body.channel, "result": body.result}
    step.details |= {"contacted_on": body.contacted_on.isoformat(), "channel": body.channel, "result": body.result}
    if body.result == "not_reached":
        return
    journey = step.journey
    after_arrival = journey.arrived_by(body.contacted_on)
    if after_arrival or journey.service.remote:
        task = journey.current()
        task.contacted_at = task.contacted_at or clock.now()
    if after_arrival:
        await cases.first_contact(step.session, journey.case)


async def start(step: Step, _: Any) -> None:
    await step.move_place(PlaceState.USED)
    await cases.first_contact(step.session, step.journey.case)


async def complete(step: Step, body: CompleteIn) -> None:
    step.journey.referral.outcome = step.says["outcome"] = step.details["outcome"] = body.outcome
    await cases.first_contact(step.session, step.journey.case)


async def confirm_receipt(step: Step, body: ReceiptIn) -> None:
    step.journey.referral.receipt = step.details["receipt"] = body.receipt


async def acknowledge_outcome(step: Step, _: Any) -> None:
    step.journey.referral.closed_at = clock.now()


async def decline_place(step: Step, _: Any) -> None:
    await step.move_place(PlaceState.QUEUED)


EFFECTS: Mapping[Action, Effect] = {
    Action.SUBMIT: submit,
    Action.REQUEST_INFORMATION: request_information,
    Action.PROVIDE_INFORMATION: provide_information,
    Action.PASS_ON: sending.pass_on,
    Action.ACCEPT: accept,
    Action.REJECT: give_back,
    Action.EXPIRE: give_back,
    Action.WAITLIST: waitlist,
    Action.DECLINE_PLACE: decline_place,
    Action.RECORD_CONTACT: record_contact,
    Action.START: start,
    Action.COMPLETE: complete,
    Action.CONFIRM_RECEIPT: confirm_receipt,
    Action.ACKNOWLEDGE_OUTCOME: acknowledge_outcome,
}
