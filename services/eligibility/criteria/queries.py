"""Criteria sets, to read; and those in force on a day, ready to be evaluated."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, any_, literal, or_, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from services.eligibility.access import VALIDATES
from services.eligibility.criteria.domain import Criterion, InForce, Status, read_criterion
from services.eligibility.criteria.models import CriteriaSet, ServiceCriteria
from services.eligibility.known.queries import find_service
from shared.actor import Actor
from shared.errors import NotFound

_UUIDS = postgresql.ARRAY(postgresql.UUID())
_KEPT = 50_000
_read: dict[UUID, tuple[Criterion, ...]] = {}
"""Sets that were read before, by id: the content of a set never changes, so nothing here is ever out of date."""


async def readable(session: AsyncSession, actor: Actor, service_id: UUID) -> Select[Any]:
    """The sets of a service that the actor may see: what was validated; drafts only of its own or for who validates."""
    query = select(CriteriaSet).where(CriteriaSet.service_id == service_id)
    if actor.may(VALIDATES):
        return query
    service = await find_service(session, service_id)
    if service is not None and service.organization_id == actor.org_id:
        return query
    return query.where(or_(CriteriaSet.status != Status.DRAFT, CriteriaSet.organization_id == actor.org_id))


async def get_set(session: AsyncSession, actor: Actor, service_id: UUID, criteria_version: int) -> CriteriaSet:
    query = await readable(session, actor, service_id)
    found: CriteriaSet | None = await session.scalar(query.where(CriteriaSet.criteria_version == criteria_version))
    if found is None:
        raise NotFound
    return found


async def get_locked(session: AsyncSession, service_id: UUID) -> tuple[ServiceCriteria, list[CriteriaSet]]:
    """All sets of the service, under its lock. A service for which nobody ever wrote criteria is not found."""
    head = await session.get(ServiceCriteria, service_id, with_for_update=True)
    if head is None:
        raise NotFound
    sets = select(CriteriaSet).where(CriteriaSet.service_id == service_id).order_by(CriteriaSet.criteria_version)
    return head, list(await session.scalars(sets))


async def in_force(session: AsyncSession, service_ids: Sequence[UUID], as_of: date) -> dict[UUID, InForce]:
    """Service → the set that binds on that day; a service without one is not in it. One query, or two for new sets."""
    sets = CriteriaSet
    rows = (
        await session.execute(
            select(sets.criteria_set_id, sets.service_id, sets.criteria_version).where(
                sets.service_id == any_(literal(list(service_ids), _UUIDS)),
                sets.valid_from <= as_of,
                or_(sets.valid_until.is_(None), sets.valid_until > as_of),
            )
        )
    ).all()
    await _read_new(session, [row.criteria_set_id for row in rows if row.criteria_set_id not in _read])
    return {
        row.service_id: InForce(criteria_version=row.criteria_version, criteria=_read[row.criteria_set_id])
        for row in rows
    }


async def _read_new(session: AsyncSession, set_ids: Sequence[UUID]) -> None:
    if not set_ids:
        return
    if len(_read) > _KEPT:
        _read.clear()
    wanted = CriteriaSet.criteria_set_id == any_(literal(list(set_ids), _UUIDS))
    for set_id, criteria in await session.execute(
        select(CriteriaSet.criteria_set_id, CriteriaSet.criteria).where(wanted)
    ):
        _read[set_id] = tuple(read_criterion(raw) for raw in criteria)
