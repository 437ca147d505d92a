"""Reading the directory. Leads and drafts are seen by their organisation and by curators; else they do not exist."""

from collections.abc import Iterable
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, Uuid, any_, false, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from services.registry import access
from services.registry.directory import search
from services.registry.directory.domain import FRESHNESS, Freshness, State
from services.registry.directory.filters import Compared, Wanted
from services.registry.directory.models import Organization, Programme, Service
from services.registry.history import queries as history
from services.registry.history.models import Change
from shared.actor import Actor
from shared.errors import NotFound
from shared.http import Page, PageRequest, page_of

Entry = TypeVar("Entry", Organization, Programme, Service)
_COUNTRY: dict[type[Any], InstrumentedAttribute[Any]] = {
    Organization: Organization.country,
    Programme: Programme.countries,
    Service: Service.country,
}
"""Where an entry says which country it belongs to: its curators see it."""


def _visible(actor: Actor, entry: type[Entry]) -> Select[Any]:
    """Every query that somebody asks for begins here. What was published stays readable: referrals name it."""
    if issubclass(entry, Organization):
        public = ~Organization.lead
    else:
        public = (entry.state == State.PUBLISHED) | ((entry.state == State.RETIRED) & entry.confirmed_on.is_not(None))
    return select(entry).where(access.visible(actor, entry.organization_id, public, _COUNTRY[entry]))


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


async def page_of_services(session: AsyncSession, actor: Actor, page: PageRequest, wanted: Wanted) -> Page[Service]:
    """Services that are all that is wanted, the fresh before the stale; hidden ones for their organisation and curators
    only."""
    return await page_of(
        session,
        search.narrow(_listed(actor), wanted),
        page,
        by=(Service.staleness, Service.service_id),
    )


def _listed(actor: Actor) -> Select[Any]:
    hidden = FRESHNESS.index(Freshness.HIDDEN)
    return _visible(actor, Service).where(
        access.visible(actor, Service.organization_id, Service.staleness != hidden, Service.country)
    )


async def page_of_reviews(
    session: AsyncSession, actor: Actor, page: PageRequest, until: date, compared: Compared
) -> Page[Service]:
    """Published services that the actor answers for, and whose review is due by then or a field of which is doubtful,
    the longest overdue first."""
    answers = access.visible(actor, Service.organization_id, false(), Service.country)
    query = select(Service).where(
        answers, Service.state == State.PUBLISHED, or_(Service.review_by <= until, Service.doubtful != [])
    )
    return await page_of(session, search.narrow(query, compared), page, by=(Service.review_by, Service.service_id))


# history


async def history_of_organization(
    session: AsyncSession, actor: Actor, page: PageRequest, organization_id: UUID
) -> Page[Change]:
    found = await get_organization(session, actor, organization_id)
    inside = access.runs(actor, organization_id, [found.country])
    return await history.page_of_changes(session, page, organization_id, all_of_it=inside)


async def history_of_programme(
    session: AsyncSession, actor: Actor, page: PageRequest, programme_id: UUID
) -> Page[Change]:
    found = await get_programme(session, actor, programme_id)
    inside = access.runs(actor, found.organization_id, found.countries)
    return await history.page_of_changes(session, page, programme_id, all_of_it=inside)


async def history_of_service(session: AsyncSession, actor: Actor, page: PageRequest, service_id: UUID) -> Page[Change]:
    found = await get_service(session, actor, service_id)
    inside = access.runs(actor, found.organization_id, [found.country])
    return await history.page_of_changes(session, page, service_id, all_of_it=inside)


# for actions


async def find_service_for_update(session: AsyncSession, service_id: UUID) -> Service | None:
    """Under lock, for the system itself."""
    found: Service | None = await session.get(Service, service_id, with_for_update=True)
    return found


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
