"""Reading the directory. Leads and drafts are seen by their organisation and by curators; else they do not exist."""

from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, Uuid, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry import access
from services.registry.directory.domain import State
from services.registry.directory.models import Organization, Programme, Service
from shared.actor import Actor
from shared.errors import NotFound
from shared.http import Page, PageRequest, page_of

Entry = TypeVar("Entry", Organization, Programme, Service)


def _visible(actor: Actor, entry: type[Entry]) -> Select[Any]:
    """Every query that somebody asks for begins here. What was published stays readable: referrals name it."""
    if issubclass(entry, Organization):
        public = ~Organization.lead
    else:
        public = (entry.state == State.PUBLISHED) | ((entry.state == State.RETIRED) & entry.confirmed_on.is_not(None))
    return select(entry).where(access.visible(actor, entry.organization_id, public))


async def _get(session: AsyncSession, query: Select[Any]) -> Any:
    found = await session.scalar(query)
    if found is None:
        raise NotFound
    return found


async def get_organization(
    session: AsyncSession, actor: Actor, organization_id: UUID, for_update: bool = False
) -> Organization:
    query = _visible(actor, Organization).where(Organization.organization_id == organization_id)
    found: Organization = await _get(session, query.with_for_update() if for_update else query)
    return found


async def get_programme(session: AsyncSession, actor: Actor, programme_id: UUID, for_update: bool = False) -> Programme:
    query = _visible(actor, Programme).where(Programme.programme_id == programme_id)
    found: Programme = await _get(session, query.with_for_update() if for_update else query)
    return found


async def get_service(session: AsyncSession, actor: Actor, service_id: UUID, for_update: bool = False) -> Service:
    query = _visible(actor, Service).where(Service.service_id == service_id)
    found: Service = await _get(session, query.with_for_update() if for_update else query)
    return found


async def page_of_organizations(
    session: AsyncSession, actor: Actor, page: PageRequest, *, country: str | None, kind: str | None, lead: bool | None
) -> Page[Organization]:
    query = _visible(actor, Organization)
    for column, wanted in ((Organization.country, country), (Organization.kind, kind), (Organization.lead, lead)):
        if wanted is not None:
            query = query.where(column == wanted)
    return await page_of(session, query, page, by=(Organization.organization_id,))


async def page_of_programmes(
    session: AsyncSession,
    actor: Actor,
    page: PageRequest,
    *,
    country: str | None,
    organization_id: UUID | None,
    state: State | None,
) -> Page[Programme]:
    query = _visible(actor, Programme)
    if country is not None:
        query = query.where(Programme.countries.contains([country]))
    if organization_id is not None:
        query = query.where(Programme.organization_id == organization_id)
    if state is not None:
        query = query.where(Programme.state == state)
    return await page_of(session, query, page, by=(Programme.programme_id,))


async def page_of_services(
    session: AsyncSession, actor: Actor, page: PageRequest, *, area: str | None, **wanted: Any
) -> Page[Service]:
    """Services by id; `area` keeps those that cover it, the others compare a column of the same name."""
    query = _visible(actor, Service)
    for name, value in wanted.items():
        if value is not None:
            query = query.where(getattr(Service, name) == value)
    if area is not None:
        covered = func.unnest(Service.covered_areas).column_valued("covered")
        query = query.where(select(covered).where(func.starts_with(area, covered)).correlate(Service).exists())
    return await page_of(session, query, page, by=(Service.service_id,))


async def find_organizations(session: AsyncSession, organization_ids: Iterable[UUID]) -> dict[UUID, Organization]:
    """Those that exist, seen or not: for actions that judge what somebody refers to."""
    query = select(Organization).where(Organization.organization_id.in_(set(organization_ids)))
    return {row.organization_id: row for row in await session.scalars(query)}


async def find_programmes(session: AsyncSession, programme_ids: Iterable[UUID]) -> dict[UUID, Programme]:
    query = select(Programme).where(Programme.programme_id.in_(set(programme_ids)))
    return {row.programme_id: row for row in await session.scalars(query)}


async def find_services(session: AsyncSession, service_ids: Iterable[UUID]) -> dict[UUID, Service]:
    query = select(Service).where(Service.service_id.in_(set(service_ids)))
    return {row.service_id: row for row in await session.scalars(query)}


async def every_organization(session: AsyncSession) -> list[Organization]:
    """All of them, for an import that looks for whom it knows already."""
    return list(await session.scalars(select(Organization).order_by(Organization.organization_id)))


async def services_of(
    session: AsyncSession, organization_ids: Iterable[UUID], for_update: bool = False
) -> list[Service]:
    """The services of these organisations, in the order of their ids (which is the order of locking)."""
    listed = literal(list(set(organization_ids)), ARRAY(Uuid))  # one parameter, however many organisations
    query = select(Service).where(Service.organization_id == any_(listed)).order_by(Service.service_id)
    return list(await session.scalars(query.with_for_update() if for_update else query))
