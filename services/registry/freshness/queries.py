"""Reading doubts: seen by whoever reported one, by the organisation of the service, and by its curators."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry import access
from services.registry.directory import queries as directory
from services.registry.directory.filters import Compared
from services.registry.directory.models import Service
from services.registry.freshness.models import Doubt
from shared import clock
from shared.actor import Actor
from shared.errors import NotFound
from shared.http import Page, PageRequest, page_of


def _visible(actor: Actor, service: Service) -> Select[Any]:
    query = select(Doubt).where(Doubt.service_id == service.service_id)
    if access.runs(actor, service.organization_id, [service.country]):
        return query
    return query.where(Doubt.organization_id == actor.org_id)


async def get_doubt(
    session: AsyncSession, actor: Actor, service_id: UUID, doubt_id: UUID, for_update: bool = False
) -> Doubt:
    """With `for_update`, the doubt is under lock; the service's own lock, where one is needed, is taken before."""
    service = await directory.get_service(session, actor, service_id)
    query = _visible(actor, service).where(Doubt.doubt_id == doubt_id)
    found: Doubt | None = await session.scalar(query.with_for_update() if for_update else query)
    if found is None:
        raise NotFound
    return found


async def page_of_doubts(session: AsyncSession, actor: Actor, page: PageRequest, service_id: UUID) -> Page[Doubt]:
    service = await directory.get_service(session, actor, service_id)
    return await page_of(session, _visible(actor, service), page, by=(Doubt.doubt_id,))


async def open_fields(session: AsyncSession, service_id: UUID) -> list[str]:
    """The fields of the service about which a doubt is open."""
    query = select(Doubt.field).where(Doubt.service_id == service_id, Doubt.outcome.is_(None)).distinct()
    return list(await session.scalars(query))


async def page_of_reviews(
    session: AsyncSession, actor: Actor, page: PageRequest, within_days: int, compared: Compared
) -> Page[Service]:
    until = clock.today() + timedelta(days=within_days)
    return await directory.page_of_reviews(session, actor, page, until, compared)
