"""Changing the directory: load under lock, decide, say so. What is not published is not said."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry import access
from services.registry.areas import queries as areas
from services.registry.directory import checking, domain, queries
from services.registry.directory.changing import begin, change, columns_of, say
from services.registry.directory.domain import FRESHNESS, Action, Freshness, State
from services.registry.directory.models import Organization, Programme, Service
from services.registry.directory.schemas import (
    OrganizationFields,
    OrganizationIn,
    ProgrammeFields,
    ProgrammeIn,
    ServiceFields,
    ServiceIn,
)
from services.registry.intervals import actions as intervals
from shared import clock
from shared.actor import Actor
from shared.errors import Conflict, Forbidden
from shared.events.registry import (
    OrganizationChanged,
    ProgrammeChanged,
    ProgrammeClosed,
    ProgrammeConfirmed,
    ProgrammePublished,
    ServiceChanged,
    ServiceConfirmed,
    ServiceDoubted,
    ServicePublished,
    ServiceRetired,
    ServiceWentStale,
)
from shared.http import expect, patched


class OrganizationExists(Conflict):
    """An organisation with this id exists"""


# organisations


async def create_organization(session: AsyncSession, actor: Actor, body: OrganizationIn) -> Organization:
    """A confirmed organisation; only the administrator chooses its id, and only a curator creates one."""
    access.require_curator(actor, [body.country])
    given = {}
    if body.id is not None:
        if not access.is_administrator(actor):
            raise Forbidden("only the bootstrap administrator may choose the id of an organisation")
        if await session.get(Organization, body.id) is not None:
            raise OrganizationExists
        given = {"organization_id": body.id}
    organization = Organization(**columns_of(body, "id"), **given)
    session.add(organization)
    await session.flush()
    begin(session, actor, organization)
    await say(session, _organization_changed(organization))
    return organization


async def edit_organization(
    session: AsyncSession, actor: Actor, organization_id: UUID, expected: int, patch: dict[str, Any]
) -> Organization:
    organization = await queries.get_organization(session, actor, organization_id, for_update=True)
    access.require_runs(actor, organization_id, [organization.country])
    expect(organization, expected)
    body = patched(OrganizationFields, OrganizationFields.model_validate(organization), patch)
    if not organization.lead:
        checking.require_fields(body, "kind", "country")
        if (body.kind, body.country) != (organization.kind, organization.country):
            for country in (organization.country, body.country):  # safety check and transfer basis rest on them
                access.require_curator(actor, [country])
    change(session, actor, organization, columns_of(body))
    if not organization.lead:
        await say(session, _organization_changed(organization))
    return organization


async def confirm_organization(
    session: AsyncSession, actor: Actor, organization_id: UUID, expected: int
) -> Organization:
    """An organisation that was a lead is one of the registry from here on."""
    organization = await queries.get_organization(session, actor, organization_id, for_update=True)
    access.require_curator(actor, [organization.country])
    expect(organization, expected)
    domain.require_said(domain.ORGANIZATION_MUST_SAY, {"kind": organization.kind, "country": organization.country})
    change(session, actor, organization, {"lead": False})
    await say(session, _organization_changed(organization))
    return organization


def _organization_changed(organization: Organization) -> OrganizationChanged:
    return OrganizationChanged.model_validate(organization, from_attributes=True)


# programmes


async def create_programme(session: AsyncSession, actor: Actor, body: ProgrammeIn) -> Programme:
    access.require_runs(actor, body.organization_id, body.countries)
    await checking.organization_that_runs(session, body.organization_id)
    await checking.require_programme_areas(session, body)
    programme = Programme(**columns_of(body))
    session.add(programme)
    await session.flush()
    begin(session, actor, programme)
    return programme


async def edit_programme(
    session: AsyncSession, actor: Actor, programme_id: UUID, expected: int, patch: dict[str, Any]
) -> Programme:
    programme = await queries.get_programme(session, actor, programme_id, for_update=True)
    access.require_runs(actor, programme.organization_id, programme.countries)
    expect(programme, expected)
    domain.decide(State(programme.state), Action.EDIT)
    body = patched(ProgrammeFields, ProgrammeFields.model_validate(programme), patch)
    await checking.require_programme_areas(session, body)
    change(session, actor, programme, columns_of(body))
    if programme.state == State.PUBLISHED:
        await checking.require_publishable_programme(session, programme)
        await say(session, ProgrammeChanged.model_validate(programme, from_attributes=True))
    return programme


async def act_on_programme(
    session: AsyncSession, actor: Actor, programme_id: UUID, expected: int, action: Action
) -> Programme:
    """Publish, confirm or retire."""
    programme = await queries.get_programme(session, actor, programme_id, for_update=True)
    _require_may(actor, action, programme.organization_id, programme.countries)
    expect(programme, expected)
    before = State(programme.state)
    after = domain.decide(before, action)
    if action is Action.PUBLISH:
        await checking.require_publishable_programme(session, programme)
    change(session, actor, programme, {"state": after} | _assured(actor, action))
    if action is Action.PUBLISH:
        await say(session, ProgrammePublished.model_validate(programme, from_attributes=True))
    elif action is Action.CONFIRM:
        await say(session, ProgrammeConfirmed.model_validate(programme, from_attributes=True))
    elif before is State.PUBLISHED:
        await say(session, ProgrammeClosed.model_validate(programme, from_attributes=True))
    return programme


def _require_may(actor: Actor, action: Action, organization_id: UUID, countries: Iterable[str | None]) -> None:
    """An organisation assures that its own entry is right; what is shown to everybody, a curator decides."""
    if action is Action.CONFIRM:
        access.require_runs(actor, organization_id, countries)
    else:
        access.require_curator(actor, countries)


def _assured(actor: Actor, action: Action) -> dict[str, Any]:
    return {} if action is Action.RETIRE else {"confirmed_on": clock.today(), "confirmed_by": actor.org_id}


# services


async def create_service(session: AsyncSession, actor: Actor, body: ServiceIn) -> Service:
    """A draft."""
    access.require_runs(actor, body.organization_id)
    await checking.organization_that_runs(session, body.organization_id)
    columns = await checking.service_columns(session, actor, body)
    access.require_runs(actor, body.organization_id, [columns["country"]])
    service = Service(organization_id=body.organization_id, **columns)
    session.add(service)
    await session.flush()
    begin(session, actor, service)
    return service


async def edit_service(
    session: AsyncSession, actor: Actor, service_id: UUID, expected: int, patch: dict[str, Any]
) -> Service:
    """Edit one's own service; what the patch names is no longer only inferred."""
    service = await queries.get_service(session, actor, service_id, for_update=True)
    access.require_runs(actor, service.organization_id, [service.country])
    expect(service, expected)
    domain.decide(State(service.state), Action.EDIT)
    body = patched(ServiceFields, ServiceFields.model_validate(service), patch)
    columns = await checking.service_columns(session, actor, body, service)
    inferred = [name for name in service.inferred if name not in patch]
    change(session, actor, service, columns | {"inferred": inferred})
    if service.state == State.PUBLISHED:
        await checking.require_publishable_service(session, service)
        await say(session, ServiceChanged.model_validate(service, from_attributes=True))
    return service


async def act_on_service(
    session: AsyncSession, actor: Actor, service_id: UUID, expected: int, action: Action
) -> Service:
    """Publish, confirm or retire."""
    service = await queries.get_service(session, actor, service_id, for_update=True)
    _require_may(actor, action, service.organization_id, [service.country])
    expect(service, expected)
    before = State(service.state)
    columns = {"state": domain.decide(before, action)} | _assured(actor, action)
    if action is Action.PUBLISH:
        await checking.require_publishable_service(session, service)
        columns |= {"covered_areas": await areas.covered_areas(session, service.areas), "inferred": []}
    change(session, actor, service, columns | await _freshness(session, service, action))
    if action is Action.PUBLISH:
        await say(session, ServicePublished.model_validate(service, from_attributes=True))
    elif action is Action.CONFIRM:
        await say(session, ServiceConfirmed.model_validate(service, from_attributes=True))
    elif before is State.PUBLISHED:
        await say(session, ServiceRetired.model_validate(service, from_attributes=True))
    return service


async def _freshness(session: AsyncSession, service: Service, action: Action) -> dict[str, Any]:
    """What is assured is fresh until its next review; what is retired needs none."""
    if action is Action.RETIRE:
        await intervals.stop(session, service.service_id)
        return {"review_by": None, "staleness": 0}
    review_by = await intervals.begin(session, service.service_id, str(service.type))
    return {"review_by": review_by, "staleness": 0}


async def age_service(session: AsyncSession, service: Service, freshness: Freshness) -> None:
    """The published service, held under lock, is as stale as this from here on; the system does it, and says so."""
    change(session, None, service, {"staleness": FRESHNESS.index(freshness)})
    await say(session, ServiceWentStale.model_validate(service, from_attributes=True))


async def mark_doubtful(
    session: AsyncSession, actor: Actor, service: Service, fields: Iterable[str], doubted: str | None = None
) -> None:
    """These fields of the published service, held under lock, are doubtful; `doubted` is the one just reported."""
    change(session, actor, service, {"doubtful": sorted(set(fields))})
    if doubted is None:
        await say(session, ServiceChanged.model_validate(service, from_attributes=True))
    else:
        told = ServiceChanged.model_validate(service, from_attributes=True).model_dump()
        await say(session, ServiceDoubted(**told, field=doubted))
