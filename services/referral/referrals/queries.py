"""Finding referrals. Who may see one is decided here and nowhere else, over the table of its parties.

Locks are taken in the order case, referral; the ledger of places comes after both (`places.actions.lock`).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, any_, bindparam, case, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUuid  # noqa: N811  # Python's own has the name
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from services.referral.cases import queries as cases
from services.referral.cases.models import Case
from services.referral.known import queries as known
from services.referral.places import queries as places
from services.referral.referrals.brief import Brief, Part, Siblings
from services.referral.referrals.domain import LASTING, OPEN, Status, TaskState
from services.referral.referrals.journey import Journey
from services.referral.referrals.models import HistoryEntry, Referral, Task
from services.referral.routing import queries as routing
from shared.actor import Actor
from shared.errors import NotFound
from shared.http import Page, PageRequest, page_of
from shared.questions import Question, ask

Box = Literal["inbox", "outbox"]


def _received_by(organization_id: UUID) -> ColumnElement[bool]:
    return exists().where(Task.referral_id == Referral.referral_id, Task.organization_id == organization_id)


def _as_seen_by(
    actor: Actor, present: InstrumentedAttribute[Any], at_the_end: InstrumentedAttribute[Any]
) -> ColumnElement[Any]:
    """The present state of the referral for whom it concerns; for whose part has ended, what his last task says."""
    own = Task.referral_id == Referral.referral_id, Task.organization_id == actor.org_id
    concerned = or_(Referral.owner_id == actor.org_id, exists().where(*own, Task.takes_part))
    last = select(at_the_end).where(*own).order_by(Task.number.desc()).limit(1)
    return case((concerned, present), else_=last.scalar_subquery())


def _visible_to(actor: Actor) -> Select[Any]:
    """The referrals that the actor's organisation sent, or has or had a task on. A draft has none."""
    return select(Referral).where(or_(Referral.owner_id == actor.org_id, _received_by(actor.org_id)))


async def get(session: AsyncSession, actor: Actor, referral_id: UUID) -> Journey:
    """A referral the actor may see."""
    referral = (await session.scalars(_visible_to(actor).where(Referral.referral_id == referral_id))).one_or_none()
    if referral is None:
        raise NotFound
    return await _whole(session, referral, await cases.get_judged(session, referral.case_id))


async def get_for_update(session: AsyncSession, actor: Actor, referral_id: UUID) -> Journey:
    """A referral the actor may see, its case and itself locked."""
    visible = _visible_to(actor).with_only_columns(Referral.referral_id).where(Referral.referral_id == referral_id)
    if await session.scalar(visible) is None:
        raise NotFound
    return (await lock(session, [referral_id]))[0]


async def lock(session: AsyncSession, referral_ids: Collection[UUID]) -> list[Journey]:
    """These referrals under lock, for the system or for an actor whose right was looked at: all cases first, then all
    referrals, each kind in the order of its ids, so that nobody waits in a ring."""
    case_ids = set(await session.scalars(select(Referral.case_id).where(Referral.referral_id.in_(referral_ids))))
    locked_cases = {case_id: await cases.get_for_update(session, case_id) for case_id in sorted(case_ids)}
    referrals = await session.scalars(
        select(Referral)
        .where(Referral.referral_id.in_(referral_ids))
        .order_by(Referral.referral_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return [await _whole(session, referral, locked_cases[referral.case_id]) for referral in referrals.all()]


async def _whole(session: AsyncSession, referral: Referral, case: Case) -> Journey:
    tasks = await session.scalars(
        select(Task)
        .where(Task.referral_id == referral.referral_id)
        .order_by(Task.number)
        .execution_options(populate_existing=True)
    )
    claims = await places.find_claims(session, [referral.referral_id])
    service = await known.get_service(session, referral.service_id)
    if service is None:  # a referral is made only of a service that is known, and what is known is never forgotten
        raise NotFound
    return Journey(referral, case, list(tasks), claims.get(referral.referral_id), service)


async def page(
    session: AsyncSession,
    actor: Actor,
    request: PageRequest,
    *,
    box: Box | None,
    statuses: Sequence[Status | TaskState],
    changed_after: datetime | None,
) -> Page[Any]:
    """The actor's referrals as they were made; with `changed_after` in the order of their changes."""
    query = _visible_to(actor)
    if box == "inbox":
        query = query.where(_received_by(actor.org_id))
    elif box == "outbox":
        query = query.where(Referral.owner_id == actor.org_id)
    if statuses:
        query = query.where(_as_seen_by(actor, Referral.status, Task.state).in_(statuses))
    if changed_after is None:
        return await page_of(session, query, request, by=(Referral.referral_id,))
    changed_at = _as_seen_by(actor, Referral.changed_at, Task.ended_at)
    # Order and cursor go by that time too, so it takes the place of the referral's own.
    columns = [each for each in Referral.__table__.columns if each.key != "changed_at"]
    changed = query.with_only_columns(*columns, changed_at.label("changed_at")).where(changed_at > changed_after)
    seen = aliased(Referral, changed.subquery(), adapt_on_names=True)
    return await page_of(session, select(seen), request, by=(seen.changed_at, seen.referral_id))


async def tasks_of(session: AsyncSession, referral_ids: Collection[UUID]) -> dict[UUID, list[Task]]:
    """The tasks of these referrals, in the order in which they were opened."""
    found: dict[UUID, list[Task]] = {referral_id: [] for referral_id in referral_ids}
    rows = await session.scalars(
        select(Task).where(Task.referral_id.in_(referral_ids)).order_by(Task.referral_id, Task.number)
    )
    for task in rows:
        found[task.referral_id].append(task)
    return found


async def versions_at_the_end(session: AsyncSession, tasks: Collection[Task]) -> dict[UUID, int]:
    """For each of these tasks, which have ended, the version of the referral with which it did."""
    query = (
        select(HistoryEntry.acted_task_id, func.max(HistoryEntry.version))
        .where(
            HistoryEntry.referral_id.in_([task.referral_id for task in tasks]),
            HistoryEntry.acted_task_id.in_([task.task_id for task in tasks]),
        )
        .group_by(HistoryEntry.acted_task_id)
    )
    return {task_id: version for task_id, version in await session.execute(query) if task_id is not None}


async def history_page(
    session: AsyncSession, actor: Actor, journey: Journey, visible_task_ids: Collection[UUID], request: PageRequest
) -> Page[Any]:
    """What happened: all for the case owner, for others what concerned the tasks they may see."""
    entries = select(HistoryEntry).where(HistoryEntry.referral_id == journey.referral.referral_id)
    if journey.referral.owner_id != actor.org_id:
        entries = entries.where(
            or_(HistoryEntry.task_id.in_(visible_task_ids), HistoryEntry.acted_task_id.in_(visible_task_ids))
        )
    return await page_of(session, entries, request, by=(HistoryEntry.version,))


def _is(statuses: Collection[Status]) -> ColumnElement[bool]:
    """One parameter, however many statuses."""
    return Referral.status == any_(literal(sorted(statuses), ARRAY(Text())))


_THIS_CASE: ColumnElement[bool] = Referral.case_id == bindparam("case_id", type_=PgUuid())
_ANOTHER: ColumnElement[bool] = Referral.referral_id != bindparam("referral_id", type_=PgUuid())
SIBLINGS = Question(
    select(
        exists()
        .where(
            _THIS_CASE,
            _ANOTHER,
            Referral.service_id == bindparam("service_id", type_=PgUuid()),
            _is(OPEN),
        )
        .label("duplicate"),
        exists().where(_THIS_CASE, Referral.referral_id == bindparam("follows_id", type_=PgUuid())).label("follows"),
    ),
    Siblings,
)
PARTS = Question(
    select(Task.organization_id, _is(OPEN).label("is_open"))
    .join(Referral, Referral.referral_id == Task.referral_id)
    .where(_THIS_CASE, _ANOTHER, _is(LASTING), Task.takes_part),
    Part,
)


async def parts_elsewhere(session: AsyncSession, case_id: UUID, referral_id: UUID) -> list[Part]:
    """What organisations have in the other referrals of the case."""
    return (await ask(session, PARTS, case_id=case_id, referral_id=referral_id)).to(PARTS)


async def brief(
    session: AsyncSession,
    case: Case,
    service_id: UUID,
    *,
    referral_id: UUID,
    decision_id: UUID | None,
    organization_ids: Collection[UUID] = (),
    mechanism_ids: Collection[UUID | None] = (),
    sent_under_id: UUID | None = None,
    follows_id: UUID | None = None,
    ledger_ids: Collection[UUID] = (),
) -> Brief:
    """Facts of others as they are now, and of the case as it stands under its lock; `routing.asked_of` says of whom.

    The ledgers of the services `ledger_ids` are locked with it, and the case gets its members.
    """
    told = routing.asked_of(
        case,
        service_id,
        decision_id=decision_id,
        organization_ids=organization_ids,
        mechanism_ids=[each for each in mechanism_ids if each is not None],
        sent_under_id=sent_under_id,
    )
    questions = *routing.GROUND, cases.SIGNS, cases.MEMBERS, places.LEDGERS, SIBLINGS, PARTS
    told |= {"referral_id": referral_id, "follows_id": follows_id, "ledger_ids": sorted(ledger_ids)}
    answers = await ask(session, *questions, **told)
    cases.with_members(session, case, answers)
    signs = answers.one(cases.SIGNS)
    return Brief(
        ground=routing.ground_of(case, answers),
        known_elsewhere=signs.known_elsewhere,
        vulnerable=signs.vulnerable,
        siblings=answers.one(SIBLINGS),
        parts_elsewhere=answers.to(PARTS),
        ledgers=places.locked(session, answers),
    )


async def open_of_case(session: AsyncSession, case_id: UUID) -> list[UUID]:
    return await _open(session, Referral.case_id == case_id)


async def open_of_service(session: AsyncSession, service_id: UUID) -> list[UUID]:
    return await _open(session, Referral.service_id == service_id)


async def open_by_agreement(session: AsyncSession, agreement_id: UUID, exporter_ids: Collection[UUID]) -> list[UUID]:
    """Open referrals whose present leg this agreement permitted, or whose export may rest on its instrument."""
    permitted = exists().where(Task.task_id == Referral.task_id, Task.agreement_id == agreement_id)
    return await _open(session, or_(permitted, Referral.owner_id.in_(exporter_ids)))


async def open_without_sharing(session: AsyncSession) -> list[UUID]:
    """Open referrals for which sharing has stopped."""
    return await _open(session, Referral.sharing_stopped_at.is_not(None))


async def _open(session: AsyncSession, which: ColumnElement[bool]) -> list[UUID]:
    return list(await session.scalars(select(Referral.referral_id).where(Referral.status.in_(OPEN), which)))
