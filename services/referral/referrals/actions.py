"""What can be done with a referral. One way for every transition: load under lock, decide, change, publish."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import delete as sql_delete
from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.cases import queries as cases
from services.referral.cases.domain import CaseIsClosed
from services.referral.cases.models import Case
from services.referral.referrals import parties, queries, reasons, sealing, transitions
from services.referral.referrals.deadlines import Deadline
from services.referral.referrals.domain import Action, Role, Status
from services.referral.referrals.effects import EFFECTS
from services.referral.referrals.journey import Journey
from services.referral.referrals.models import HistoryEntry, Referral
from services.referral.referrals.schemas import ReferralIn, SafetyCheck
from services.referral.referrals.steps import Step
from services.referral.routing import queries as routing
from shared import clock
from shared.actor import Actor
from shared.errors import TransitionNotAllowed, Unprocessable, invalid
from shared.http import expect, patched
from shared.http.schema import In
from shared.ids import new_id

DRAFTED, EDITED = "draft", "edit"


async def create(session: AsyncSession, actor: Actor, body: ReferralIn) -> Journey:
    """The referral is on its way; ReferralCreated is said. A draft only stands there, and nothing is said."""
    case = await cases.lock_owned(session, actor, body.case_id)
    if case.is_closed:
        raise CaseIsClosed
    referral = Referral(
        referral_id=new_id(), version=0, created_at=clock.now(), case_id=case.case_id, owner_id=case.owner_id,
        status=Status.DRAFT, ahead=[], due={}, warnings=[], escalated=False, development_referral="unknown",
    )  # fmt: skip
    brief = await queries.brief(
        session, case, body.service_id, referral_id=referral.referral_id, decision_id=body.decision_id,
        mechanism_ids=[body.via], follows_id=body.follows_referral_id,
        ledger_ids=[] if body.draft else [body.service_id],
    )  # fmt: skip
    await _fill(session, referral, case, body, follows=brief.siblings.follows)
    journey = Journey(referral, case, [], None, routing.referable(brief.ground.service), brief)
    session.add(referral)
    if body.draft:
        await Step(session, journey, DRAFTED, actor.org_id).note()
        return journey
    return await _carry_out(session, journey, Action.SUBMIT, actor, None)


async def _fill(session: AsyncSession, referral: Referral, case: Case, body: ReferralIn, *, follows: bool) -> None:
    """Write the order into the row, its references sealed. `follows`: the one it names is a referral of the case."""
    if not set(body.member_ids) <= {member.member_id for member in case.members}:
        detail = "names somebody who is not in this case"
        raise Unprocessable(errors=[invalid("/member_ids", detail, "unknown_member")])
    if body.follows_referral_id is not None and not follows:
        detail = "is no referral of this case"
        raise Unprocessable(errors=[invalid("/follows_referral_id", detail, "unknown_referral")])
    for name in ("service_id", "priority", "when_full", "decision_id", "via", "follows_referral_id"):
        setattr(referral, name, getattr(body, name))
    referral.member_ids = sorted(set(body.member_ids))
    referral.need_dimension, referral.need_type = body.need.dimension, body.need.type
    referral.requested_fields = None if body.disclosure is None else sorted(set(body.disclosure))
    check = body.safety_check
    referral.declared_safe = check is not None and check.safe
    refs = [ref.model_dump(mode="json") for ref in body.external_refs]
    await sealing.seal_order(session, referral, external_refs=refs, safety_note=None if check is None else check.note)


async def act(
    session: AsyncSession, actor: Actor, referral_id: UUID, action: Action, expected: int, body: In | None
) -> Journey:
    """The action is done and its event said, or it is refused and nothing has changed."""
    journey = await queries.get_for_update(session, actor, referral_id)
    if not journey.concerns(actor.org_id):  # before the version, from which it could tell that others went on
        own = [task for task in journey.tasks if task.organization_id == actor.org_id]
        raise transitions.NotYourPart(current=own[-1].state, allowed=[])
    expect(journey.referral, expected)
    return await _carry_out(session, journey, action, actor, body)


async def act_for_system(
    session: AsyncSession, journey: Journey, action: Action, reason: str | None = None, fired: Deadline | None = None
) -> Journey:
    """The same for what nobody does: expiry, silence, the end of a permission. `journey` is locked."""
    return await _carry_out(session, journey, action, None, None, reason, fired)


async def _carry_out(
    session: AsyncSession,
    journey: Journey,
    action: Action,
    actor: Actor | None,
    body: In | None,
    reason: str | None = None,
    fired: Deadline | None = None,
) -> Journey:
    given = getattr(body, "reason", None)
    reason = given.code if given is not None else reason
    roles = frozenset({Role.SYSTEM}) if actor is None else journey.roles_of(actor)
    situation = journey.situation()
    move = transitions.decide(action, situation, roles, reason)
    step = Step(
        session,
        journey,
        action,
        by=None if actor is None else actor.org_id,
        reason=reason,
        words=_words(body),
        fired=fired,
    )
    if Role.RECEIVER in roles:
        task = journey.current()
        task.answered_at = task.answered_at or clock.now()
    if (effect := EFFECTS.get(action)) is not None:
        await effect(step, body)
    status = move.leads_to(replace(situation, place=journey.place))
    await step.enter(status)
    if _ended_by_owner(action, roles, reason):
        journey.referral.closed_at = journey.referral.closed_at or clock.now()
    told_by = journey.referral.receipt if action is Action.CONFIRM_RECEIPT else status
    await step.finish(move.event(str(told_by)))
    if step.shifts_parts:
        await parties.settle(session, journey)
    return journey


def _ended_by_owner(action: Action, roles: Collection[Role], reason: str | None) -> bool:
    """The owner withdrew the referral, or cancelled the return on which it hung."""
    withdrawn = Role.OWNER in roles and action in transitions.CLOSED_BY_OWNER
    return withdrawn or (Role.SYSTEM in roles and reason == reasons.RETURN_NOT_EXECUTED)


def _words(body: In | None) -> dict[str, Any] | None:
    """What a person wrote of her own."""
    text = getattr(getattr(body, "reason", None) or body, "text", None)
    return None if text is None else {"text": text}


async def change_draft(
    session: AsyncSession, actor: Actor, referral_id: UUID, expected: int, patch: dict[str, Any]
) -> Journey:
    """The draft as patched; what was sent is changed by actions only."""
    journey = await _draft(session, actor, referral_id, expected)
    wanted = patched(ReferralIn, await _as_sent(session, journey.referral), patch)
    if wanted.case_id != journey.referral.case_id:
        raise Unprocessable(errors=[invalid("/case_id", "cannot be changed", "fixed")])
    if not wanted.draft:
        raise Unprocessable(errors=[invalid("/draft", "a draft is sent by submit", "fixed")])
    brief = await queries.brief(
        session, journey.case, wanted.service_id, referral_id=referral_id, decision_id=None,
        follows_id=wanted.follows_referral_id,
    )  # fmt: skip
    journey.service = routing.referable(brief.ground.service)
    await _fill(session, journey.referral, journey.case, wanted, follows=brief.siblings.follows)
    await Step(session, journey, EDITED, actor.org_id).note()
    return journey


async def delete_draft(session: AsyncSession, actor: Actor, referral_id: UUID, expected: int) -> None:
    """The draft is gone, without an event."""
    referral = (await _draft(session, actor, referral_id, expected)).referral
    await session.execute(sql_delete(HistoryEntry).where(HistoryEntry.referral_id == referral_id))
    await session.delete(referral)
    await session.flush()


async def _draft(session: AsyncSession, actor: Actor, referral_id: UUID, expected: int) -> Journey:
    journey = await queries.get_for_update(session, actor, referral_id)
    roles = journey.roles_of(actor)
    if Role.OWNER not in roles:
        raise transitions.NotYourPart
    expect(journey.referral, expected)
    if journey.referral.state is not Status.DRAFT:
        allowed = [str(action) for action in transitions.allowed(journey.situation(), roles)]
        raise TransitionNotAllowed(journey.referral.status, allowed)
    return journey


async def _as_sent(session: AsyncSession, referral: Referral) -> ReferralIn:
    refs, note = await sealing.open_order(session, referral)
    names = ("case_id", "member_ids", "service_id", "priority", "decision_id", "when_full", "via",
             "follows_referral_id")  # fmt: skip
    check = SafetyCheck(safe=referral.declared_safe, note=note) if referral.declared_safe or note else None
    return ReferralIn.model_validate(
        {name: getattr(referral, name) for name in names}
        | {
            "need": {"dimension": referral.need_dimension, "type": referral.need_type},
            "disclosure": referral.requested_fields,
            "safety_check": check,
            "external_refs": refs,
            "draft": True,
        }
    )
