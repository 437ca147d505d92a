"""What the registry and the referral service say, written down: one statement a batch, in any order, however often."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
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
from shared.newest import as_json, keep_newest, rows_with

projections = Projections()

UNKNOWN = "unknown"

_STATE = {column.name: column.type for column in table_of(CaseState).columns}
KEEP_CASE_STATES = (
    insert(table_of(CaseState)).from_select(list(_STATE), select(rows_with(_STATE, "said"))).on_conflict_do_nothing()
)

Service = ServicePublished | ServiceChanged | ServiceConfirmed | ServiceRetired
Case = CaseRegistered | CaseChanged | CaseDeparted | CaseArrived | ReturnCancelled | CaseClosed


@projections.on_batch(OrganizationChanged)
async def remember_organizations(session: AsyncSession, events: Sequence[OrganizationChanged]) -> None:
    told = {"organization_id", "version", "name", "kind", "country"}
    await keep_newest(session, KnownOrganization, [event.model_dump(include=told) for event in events])


@projections.on_batch(ServicePublished, ServiceChanged, ServiceConfirmed, ServiceRetired)
async def remember_services(session: AsyncSession, events: Sequence[Service]) -> None:
    told = {"service_id", "version", "organization_id", "name", "type", "dimension"}
    await keep_newest(session, KnownService, [event.model_dump(include=told) for event in events])


@projections.on_batch(CaseRegistered, CaseChanged, CaseDeparted, CaseArrived, ReturnCancelled, CaseClosed)
async def remember_cases(session: AsyncSession, events: Sequence[Case]) -> None:
    rows = []
    for event in events:
        first = event.members[0] if event.members else None
        about = {
            "at": event.occurred_at,
            "sex": first.sex if first else UNKNOWN,
            "age_band": first.age_band if first else UNKNOWN,
            "members": len(event.members),
        }
        rows.append(vars(event) | about)
    await session.execute(KEEP_CASE_STATES, as_json(rows))
