"""What the registry and the referral service say, written down: one statement an event, in any order, however often."""

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.monitoring.known.models import CaseState, KnownOrganization, KnownService
from services.monitoring.tables import table_of
from shared.bus.listeners import Projections
from shared.events.referral import (
    CaseArrived,
    CaseChanged,
    CaseClosed,
    CaseDeparted,
    CaseRegistered,
    ReturnCancelled,
)
from shared.events.registry import (
    OrganizationChanged,
    ServiceChanged,
    ServiceConfirmed,
    ServicePublished,
    ServiceRetired,
)

projections = Projections()

UNKNOWN = "unknown"


def _keep_newest(table: Table) -> Insert:
    """Write the row unless the table holds a newer version of it."""
    (key,) = table.primary_key
    statement = insert(table)
    said = statement.excluded
    newer = {column.name: said[column.name] for column in table.c if column is not key}
    return statement.on_conflict_do_update(index_elements=[key], set_=newer, where=table.c.version < said.version)


KEEP_ORGANIZATION = _keep_newest(table_of(KnownOrganization))
KEEP_SERVICE = _keep_newest(table_of(KnownService))
KEEP_CASE_STATE = insert(table_of(CaseState)).on_conflict_do_nothing()


@projections.on(OrganizationChanged)
async def remember_organization(session: AsyncSession, event: OrganizationChanged) -> None:
    await session.execute(
        KEEP_ORGANIZATION,
        {
            "organization_id": event.organization_id,
            "version": event.version,
            "name": event.name,
            "kind": event.kind,
            "country": event.country,
        },
    )


@projections.on(ServicePublished, ServiceChanged, ServiceConfirmed, ServiceRetired)
async def remember_service(
    session: AsyncSession, event: ServicePublished | ServiceChanged | ServiceConfirmed | ServiceRetired
) -> None:
    await session.execute(
        KEEP_SERVICE,
        {
            "service_id": event.service_id,
            "version": event.version,
            "organization_id": event.organization_id,
            "name": event.name,
            "type": event.type,
            "dimension": event.dimension,
        },
    )


@projections.on(CaseRegistered, CaseChanged, CaseDeparted, CaseArrived, ReturnCancelled, CaseClosed)
async def remember_case(
    session: AsyncSession,
    event: CaseRegistered | CaseChanged | CaseDeparted | CaseArrived | ReturnCancelled | CaseClosed,
) -> None:
    first = event.members[0] if event.members else None
    state = {
        "case_id": event.case_id,
        "version": event.version,
        "at": event.occurred_at,
        "owner_id": event.owner_id,
        "member_state": event.member_state,
        "country_of_origin": event.country_of_origin,
        "area": event.area,
        "return_type": event.return_type,
        "phase": event.phase,
        "sex": first.sex if first else UNKNOWN,
        "age_band": first.age_band if first else UNKNOWN,
        "members": len(event.members),
    }
    await session.execute(KEEP_CASE_STATE, state)
