"""Every view of a referral is built here, and depends on who asks.

The case owner sees the whole way. Who has the task, or is a hub on the way to it, sees the way from the owner to the
present task. Whoever gave it back, and a provider that passed it on, sees its own part as that ended. Identity is seen
by the provider from acceptance on, and by a hub on the way if its agreement says so; and only when the referral is
read: answers to actions are kept for replays.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.cases import views as case_views
from services.referral.places import queries as places
from services.referral.places.domain import PlaceState
from services.referral.referrals import permission, queries, sealing
from services.referral.referrals.deadlines import Deadline, read
from services.referral.referrals.domain import LASTING, POSSIBLE_DUPLICATE, TAKEN_ON, Action, Status, TaskRole
from services.referral.referrals.journey import Journey
from services.referral.referrals.models import HistoryEntry, Referral, Task
from services.referral.referrals.schemas import (
    DevelopmentOut,
    HistoryOut,
    LegOut,
    Need,
    PlaceOut,
    ReferralOut,
    ReferralSummary,
    SafetyCheck,
    TaskOut,
)
from services.referral.referrals.transitions import allowed
from shared.actor import Actor
from shared.http import Page

FOR_OWNER = frozenset({POSSIBLE_DUPLICATE})
"""Warnings that tell of the returnee what a receiver need not know."""
OUTLINE = frozenset(ReferralSummary.model_fields) - {"need", "organization_id"}
MEANT_FOR_RECEIVER = frozenset({Action.REQUEST_INFORMATION.value, Action.PROVIDE_INFORMATION.value})


async def view(session: AsyncSession, actor: Actor, journey: Journey, *, with_identity: bool = False) -> ReferralOut:
    """The referral as the actor may see it."""
    own = [task for task in journey.tasks if task.organization_id == actor.org_id]
    is_owner = journey.referral.owner_id == actor.org_id
    if not journey.concerns(actor.org_id):
        return await _own_part(session, journey.referral, own)
    shown = _outline(journey.referral, journey.task) | await _order(session, journey, is_owner)
    shown |= {
        "tasks": [TaskOut.model_validate(task) for task in visible_tasks(actor, journey)],
        "allowed": [str(action) for action in allowed(journey.situation(), journey.roles_of(actor))],
        "place": await _place(session, journey, is_owner),
    }
    if is_owner:
        shown |= await _for_owner(session, journey, with_identity)
    if with_identity and (fields := await _fields_for(session, journey, own)):
        members = journey.referral.member_ids or None
        shown["identity"] = await case_views.identity_for(session, journey.case, fields, members)
    return ReferralOut.model_validate(shown)


def visible_tasks(actor: Actor, journey: Journey) -> list[Task]:
    """All for the case owner; for others those on the way, if they have a part in it, and their own."""
    if journey.referral.owner_id == actor.org_id:
        return journey.tasks
    own = [task for task in journey.tasks if task.organization_id == actor.org_id]
    way = journey.way if journey.concerns(actor.org_id) else []
    return [task for task in journey.tasks if task in own or task in way]


def _outline(referral: Referral, task: Task | None) -> dict[str, Any]:
    return {name: getattr(referral, name) for name in OUTLINE} | {
        "need": Need.model_validate({"dimension": referral.need_dimension, "type": referral.need_type}),
        "organization_id": None if task is None else task.organization_id,
    }


def _part(referral: Referral, last: Task, versions: Mapping[UUID, int]) -> dict[str, Any]:
    """How it stood for an organisation that has no part in it any more: nothing of what came after."""
    return _outline(referral, last) | {
        "version": versions[last.task_id],
        "status": last.state,
        "service_id": last.service_id,
        "due": {},
        "reason": last.reason,
        "receipt": None,
        "changed_at": last.ended_at or last.opened_at,
        "closed_at": None,
    }


async def _own_part(session: AsyncSession, referral: Referral, own: Sequence[Task]) -> ReferralOut:
    part = _part(referral, own[-1], await queries.versions_at_the_end(session, own[-1:]))
    return ReferralOut.model_validate(
        part | {"tasks": [TaskOut.model_validate(task) for task in own], "route": [], "allowed": []}
    )


async def _order(session: AsyncSession, journey: Journey, is_owner: bool) -> dict[str, Any]:
    """What everybody on the way may know; how the case goes on without it, only its owner."""
    referral, service = journey.referral, journey.service
    warnings = [each for each in referral.warnings if is_owner or each["code"] not in FOR_OWNER]
    of_case = {"phase": journey.case.phase, "case": case_views.summary(journey.case)}
    names = ("when_full", "decision_id", "member_ids", "follows_referral_id", "outcome", "submitted_at", "accepted_at",
             "sharing_stopped_at")  # fmt: skip
    return {name: getattr(referral, name) for name in names} | {
        "route": _route(journey),
        "disclosure": referral.requested_fields,
        "development_referral": DevelopmentOut(
            value=referral.development_referral,
            inherited_from_mechanism_id=referral.mechanism_id,
            service_in_development_programme=service.programme_is_development,
        ),
        "warnings": warnings + await permission.warnings_ahead(session, journey),
        **(of_case if is_owner or referral.state in LASTING else {}),
    }


async def _for_owner(session: AsyncSession, journey: Journey, reads: bool) -> dict[str, Any]:
    referral = journey.referral
    shown: dict[str, Any] = {"via": referral.via}
    if reads:  # references are identity: not in an answer that is kept
        refs, note = await sealing.open_order(session, referral)
        shown["external_refs"] = refs
        shown["safety_check"] = SafetyCheck(safe=referral.declared_safe, note=note)
    return shown


def _route(journey: Journey) -> list[LegOut]:
    """The way as it was travelled, then the legs that are planned."""
    travelled = [
        LegOut(
            leg=task.leg,
            organization_id=task.organization_id,
            role=task.role,
            mechanism_id=task.mechanism_id,
            state=task.state,
        )
        for task in journey.way
    ]
    provider = str(journey.service.organization_id)
    planned = [
        LegOut.model_validate(
            {
                "leg": len(travelled) + number,
                "role": TaskRole.PROVIDER if leg["organization_id"] == provider else TaskRole.HUB,
                "state": "planned",
                **leg,
            }
        )
        for number, leg in enumerate(journey.referral.ahead, 1)
    ]
    return travelled + planned


async def _place(session: AsyncSession, journey: Journey, is_owner: bool) -> PlaceOut | None:
    claim = journey.claim
    if claim is None:
        return None
    shown: dict[str, Any] = {"state": journey.shown_place}
    if journey.shown_place is PlaceState.QUEUED:
        shown |= {"position": await places.position(session, claim), "queued_at": claim.queued_at}
        if is_owner:
            shown |= {"vulnerable": claim.vulnerable, "declines": claim.declines}
    if journey.shown_place is PlaceState.OFFERED:
        shown["offered_until"] = read(journey.referral.due, Deadline.OFFER)
    return PlaceOut.model_validate(shown)


async def _fields_for(session: AsyncSession, journey: Journey, own: Sequence[Task]) -> Sequence[Any]:
    """The fields of identity that the actor's part in the referral lets it see now."""
    referral = journey.referral
    delivering = referral.state in TAKEN_ON or (referral.state is Status.COMPLETED and referral.closed_at is None)
    part = next((task for task in journey.way if task in own and task.takes_part), None)
    if part is None or not delivering or referral.accepted_at is None or referral.sharing_stopped_at is not None:
        return ()
    return sorted(await permission.visible_fields(session, journey, part))


async def page_view(session: AsyncSession, actor: Actor, page: Page[Any]) -> Page[ReferralSummary]:
    """A page of outlines; places, the way and identity are read one referral at a time."""
    tasks = await queries.tasks_of(session, [referral.referral_id for referral in page.items])
    ended = {
        referral.referral_id: own[-1]
        for referral in page.items
        if referral.owner_id != actor.org_id
        and (own := [task for task in tasks[referral.referral_id] if task.organization_id == actor.org_id])
        and not any(task.takes_part for task in own)
    }
    versions = await queries.versions_at_the_end(session, ended.values()) if ended else {}
    shown = [
        _part(referral, ended[referral.referral_id], versions)
        if referral.referral_id in ended
        else _outline(referral, tasks[referral.referral_id][-1] if tasks[referral.referral_id] else None)
        for referral in page.items
    ]
    return Page[ReferralSummary](items=[ReferralSummary.model_validate(each) for each in shown], next=page.next)


async def history_view(session: AsyncSession, actor: Actor, journey: Journey, page: Page[Any]) -> Page[HistoryOut]:
    """What `queries` let the actor see; words for the owner, whoever wrote them, and whom they were meant for."""
    words = await sealing.open_words(session, journey.case.case_id, list(page.items))
    by_task = {task.task_id: task.organization_id for task in journey.tasks}
    shown = []
    for entry in page.items:
        told = {name: getattr(entry, name) for name in HistoryOut.model_fields if name != "words"}
        if entry.entry_id in words and _may_read(actor, journey.referral, entry, by_task):
            told["words"] = words[entry.entry_id]
        shown.append(HistoryOut.model_validate(told))
    return Page[HistoryOut](items=shown, next=page.next)


def _may_read(actor: Actor, referral: Referral, entry: HistoryEntry, by_task: dict[UUID, UUID]) -> bool:
    if actor.org_id in {referral.owner_id, entry.by}:
        return True
    asked = entry.acted_task_id is not None and by_task.get(entry.acted_task_id) == actor.org_id
    return asked and entry.what in MEANT_FOR_RECEIVER
