"""Reading foreign facts. The name of an organisation or service is no secret to those who may see its id."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, Subquery, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from services.monitoring.known.models import CaseState, KnownOrganization, KnownService


async def find_organization_names(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Organisation → name, of those that were heard of."""
    query = select(KnownOrganization.organization_id, KnownOrganization.name).where(
        KnownOrganization.organization_id.in_(set(ids))
    )
    return {row.organization_id: row.name for row in await session.execute(query)}


async def find_services(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, KnownService]:
    """Service → what is known of it, of those that were heard of."""
    query = select(KnownService).where(KnownService.service_id.in_(set(ids)))
    return {service.service_id: service for service in await session.scalars(query)}


def services_of(organization_id: UUID) -> Select[UUID]:
    """The ids of the services that this organisation gives, of those that were heard of."""
    return select(KnownService.service_id).where(KnownService.organization_id == organization_id)


def cases_as_of(as_of: datetime | None) -> Subquery:
    """One row a case: its state after the last event that had happened by then (None: after the last one heard)."""
    query = select(CaseState).order_by(CaseState.case_id, CaseState.version.desc())
    if as_of is not None:
        query = query.where(CaseState.at <= as_of)
    return query.ext(distinct_on(CaseState.case_id)).subquery("cases")
