"""Travelling a leg: judged, a place claimed, and a task opened at the next organisation."""

from uuid import UUID

from services.referral.cases.domain import CaseIsClosed
from services.referral.known.queries import KnownService
from services.referral.places import actions as places
from services.referral.places.domain import PlaceState
from services.referral.places.models import Ledger
from services.referral.referrals import queries, schedule
from services.referral.referrals.brief import Brief
from services.referral.referrals.domain import POSSIBLE_DUPLICATE, Status, TaskRole, TaskState
from services.referral.referrals.journey import Journey
from services.referral.referrals.models import Task
from services.referral.referrals.schemas import PassOnIn
from services.referral.referrals.steps import Step
from services.referral.routing import domain as routing_domain
from services.referral.routing import queries as routing
from services.referral.routing import refusals
from services.referral.routing.domain import Leg, MechanismFacts
from services.referral.routing.queries import LegTold
from services.referral.routing.refusals import AgreementFacts
from shared import clock
from shared.errors import Unprocessable, invalid
from shared.ids import new_id


async def send_first(step: Step) -> None:
    """From the case owner to the first organisation of the route."""
    referral, case = step.journey.referral, step.journey.case
    if case.is_closed:
        raise CaseIsClosed
    brief = step.journey.brief = step.journey.brief or await queries.brief(
        step.session, case, referral.service_id, referral_id=referral.referral_id, decision_id=referral.decision_id,
        mechanism_ids=[referral.via],
    )  # fmt: skip
    service = step.journey.service = routing.referable(brief.ground.service)
    mechanism, legs = routing.plan(brief.ground, referral.owner_id, service, referral.via)
    referral.mechanism_id = None if mechanism is None else mechanism.mechanism_id
    referral.development_referral = "unknown" if mechanism is None else mechanism.development_referral_system
    await _travel(step, brief, legs[0], service, None)
    referral.ahead = [_planned(leg) for leg in legs[1:]]
    referral.submitted_at = clock.now()
    referral.warnings = _warnings(step, brief, mechanism)
    case.open_referrals += 1
    step.says |= {
        "decision_id": referral.decision_id,
        "via_mechanism_id": referral.mechanism_id,
        "development_referral": referral.development_referral,
    }


async def pass_on(step: Step, body: PassOnIn) -> None:
    """From the present organisation to the next one: as the route plans, or redirected."""
    journey = step.journey
    referral, task = journey.referral, journey.current()
    if body.to_organization_id in {task.organization_id, referral.owner_id}:
        raise Unprocessable(
            errors=[invalid("/to_organization_id", "is the sender or the case owner itself", "own_organization")]
        )
    service_id = body.service_id or referral.service_id
    same = service_id == referral.service_id
    decision_id = body.decision_id or (referral.decision_id if same else None)
    brief = journey.brief = await queries.brief(
        step.session, journey.case, service_id, referral_id=referral.referral_id, decision_id=decision_id,
        organization_ids=[*(each.organization_id for each in journey.tasks), body.to_organization_id],
        mechanism_ids=[task.mechanism_id], sent_under_id=journey.owners_agreement_id,
    )  # fmt: skip
    service = journey.service
    if not same:
        service = routing.referable(brief.ground.service)
        routing_domain.check_not_its_own(referral.owner_id, routing.service_facts(service))
    planned = same and referral.ahead[:1] and referral.ahead[0]["organization_id"] == str(body.to_organization_id)
    legs = _legs_through(step, brief, body.to_organization_id, service)
    step.says |= {"from_organization_id": task.organization_id, "how": "planned" if planned else "redirected"}
    step.details |= {"to_organization_id": str(body.to_organization_id), "how": step.says["how"]}
    if not same:
        step.details["service_id"] = str(service.service_id)
    await _travel(step, brief, legs[0], service, task)
    task.state, task.ended_at = TaskState.PASSED_ON, clock.now()
    referral.ahead = [_planned(leg) for leg in legs[1:]]
    referral.decision_id = decision_id
    referral.service_id = service.service_id
    journey.service = service


def _legs_through(step: Step, brief: Brief, organization_id: UUID, service: KnownService) -> list[Leg]:
    """The provider of the service is reached as planned; any other organisation must be a hub for area and need that
    the sender has agreed on."""
    task = step.journey.current()
    if organization_id == service.organization_id:
        return [Leg(organization_id, task.mechanism_id)]
    facts = routing.service_facts(service)
    counting = routing.mechanisms_that_count(brief.ground, task.organization_id, facts)
    theirs = (each for each in counting if each.organization_id == organization_id)
    mechanism = routing_domain.choose_mechanism(theirs, facts)
    if mechanism is None:
        detail = "neither gives the service nor receives referrals for this area and need"
        raise Unprocessable(errors=[invalid("/to_organization_id", detail, "not_on_the_way")])
    return [Leg(organization_id, mechanism.mechanism_id), Leg(service.organization_id, mechanism.mechanism_id)]


async def _travel(step: Step, brief: Brief, leg: Leg, service: KnownService, parent: Task | None) -> None:
    """Judge the leg and travel it; nothing has changed when it is refused."""
    journey, session = step.journey, step.session
    referral = journey.referral
    sender_id = referral.owner_id if parent is None else parent.organization_id
    number = 1 if parent is None else parent.leg + 1
    locked = {service.service_id} | ({journey.claim.service_id} if journey.claim is not None else set())
    heard = {service.service_id: service.set_aside}
    ledgers = await places.lock(session, *locked, locked=brief.ledgers, heard=heard)
    told = LegTold(
        sender_id=sender_id,
        recipient_id=leg.organization_id,
        mechanism_id=leg.mechanism_id,
        declared_safe=referral.declared_safe,
        requested_fields=_requested(step),
        on_the_way=journey.on_the_way(),
        owners_agreement_id=journey.owners_agreement_id,
        duplicate=brief.siblings.duplicate,
        place_within_reach=await _place_within_reach(step, ledgers[service.service_id]),
    )
    facts = routing.facts(brief.ground, service, told)
    refusals.judge(facts, number)
    await _take_place(step, ledgers, service.service_id, vulnerable=brief.vulnerable)
    agreement = refusals.agreement_for(facts)
    journey.tasks.append(
        Task(
            task_id=new_id(),
            referral_id=referral.referral_id,
            number=len(journey.tasks) + 1,
            leg=number,
            organization_id=leg.organization_id,
            role=TaskRole.PROVIDER if leg.organization_id == service.organization_id else TaskRole.HUB,
            state=Status.SUBMITTED,
            from_organization_id=sender_id,
            parent_id=None if parent is None else parent.task_id,
            service_id=service.service_id,
            mechanism_id=leg.mechanism_id,
            agreement_id=None if agreement is None else agreement.agreement_id,
            deadlines=_deadlines(agreement, journey),
            opened_at=clock.now(),
        )
    )
    begin_task(step)


def _deadlines(agreement: AgreementFacts | None, journey: Journey) -> dict[str, int | None]:
    """What the agreement of the leg says, and above it what the case owner's own says, if that is another one."""
    of_owner = journey.way[0].deadlines if journey.way else {}
    of_leg = {} if agreement is None else agreement.deadlines
    return {**of_leg, **{name: value for name, value in of_owner.items() if value is not None}}


def begin_task(step: Step) -> None:
    """The last of the tasks is the current one, not accepted by anybody, and its clocks begin."""
    referral, task = step.journey.referral, step.journey.current()
    step.session.add(task)
    referral.task_id = task.task_id
    referral.accepted_at = None
    referral.escalated = False
    referral.decision_due_at = referral.stood_still_at = None
    step.anew = schedule.NEW_LEG


def _requested(step: Step) -> frozenset[str] | None:
    requested = step.journey.referral.requested_fields
    return None if requested is None else frozenset(requested)


def _keeps_its_place(step: Step, service_id: UUID) -> bool:
    claim = step.journey.claim
    return claim is not None and claim.service_id == service_id and claim.place is not PlaceState.RELEASED


async def _place_within_reach(step: Step, ledger: Ledger) -> bool:
    return (
        _keeps_its_place(step, ledger.service_id)
        or step.journey.referral.when_full == "waitlist"
        or await places.can_hold(step.session, ledger)
    )


async def _take_place(step: Step, ledgers: dict[UUID, Ledger], service_id: UUID, *, vulnerable: bool) -> None:
    """A place is held for it or it queues; what it had at another service is given back. An offered place is held."""
    journey, session = step.journey, step.session
    referral, claim = journey.referral, journey.claim
    if claim is not None and _keeps_its_place(step, service_id):
        if claim.place is PlaceState.OFFERED:
            await places.move(session, ledgers[service_id], claim, PlaceState.HELD)
        return
    if claim is None:
        journey.claim = await places.claim(
            session,
            ledgers[service_id],
            referral.referral_id,
            referral.case_id,
            referral.priority,
            vulnerable=vulnerable,
        )
        return
    if claim.place is not PlaceState.RELEASED and await places.move(
        session, ledgers[claim.service_id], claim, PlaceState.RELEASED
    ):
        step.freed = claim.service_id
    await places.claim_again(session, ledgers[service_id], claim, vulnerable=vulnerable)


def _planned(leg: Leg) -> dict[str, str | None]:
    return {
        "organization_id": str(leg.organization_id),
        "mechanism_id": None if leg.mechanism_id is None else str(leg.mechanism_id),
    }


def _warnings(step: Step, brief: Brief, mechanism: MechanismFacts | None) -> list[dict[str, object]]:
    """What the case owner may want to know at the moment of sending. Nothing here stands in the way."""
    found: list[dict[str, object]] = []
    if mechanism is None and step.journey.referral.via is None:
        found.append({"code": "no_mechanism"})
    if brief.known_elsewhere:
        found.append({"code": POSSIBLE_DUPLICATE})
    return found
