"""Changing the directory: load under lock, decide, say so. What is not published is not said."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry import access
from services.registry.areas import queries as areas
from services.registry.directory import domain, queries
from services.registry.directory.domain import Action, State
from services.registry.directory.models import Organization, Programme, Service
from services.registry.directory.schemas import (
    OrganizationFields,
    OrganizationIn,
    ProgrammeFields,
    ProgrammeIn,
    ServiceFields,
    ServiceIn,
)
from shared import clock, outbox
from shared.actor import Actor
from shared.errors import Conflict, Forbidden, Unprocessable, invalid
from shared.events.registry import (
    OrganizationChanged,
    ProgrammeChanged,
    ProgrammeClosed,
    ProgrammeConfirmed,
    ProgrammePublished,
    ServiceChanged,
    ServiceConfirmed,
    ServicePublished,
    ServiceRetired,
)
from shared.http import expect, patched

JSON_COLUMNS = {"identifiers", "contacts", "funding", "locations"}


class OrganizationExists(Conflict):
    """An organisation with this id exists"""


def _columns(body: BaseModel, *leave_out: str) -> dict[str, Any]:
    """What the body says, as the columns of its table hold it."""
    plain = body.model_dump(exclude=JSON_COLUMNS | set(leave_out))
    return plain | body.model_dump(mode="json", include=JSON_COLUMNS)


def _apply(row: Organization | Programme | Service, columns: dict[str, Any]) -> None:
    for name, value in columns.items():
        setattr(row, name, value)
    row.touch()


# organisations


async def create_organization(session: AsyncSession, actor: Actor, body: OrganizationIn) -> Organization:
    """A confirmed organisation; only the administrator chooses its id, and only a curator creates one."""
    access.require_curator(actor)
    given = {}
    if body.id is not None:
        if not access.is_administrator(actor):
            raise Forbidden("only the bootstrap administrator may choose the id of an organisation")
        if await session.get(Organization, body.id) is not None:
            raise OrganizationExists
        given = {"organization_id": body.id}
    organization = Organization(**_columns(body, "id"), **given)
    session.add(organization)
    await session.flush()
    await outbox.publish(session, _organization_changed(organization))
    return organization


async def edit_organization(
    session: AsyncSession, actor: Actor, organization_id: UUID, expected: int, patch: dict[str, Any]
) -> Organization:
    organization = await queries.get_organization(session, actor, organization_id, for_update=True)
    access.require_runs(actor, organization_id)
    expect(organization, expected)
    body = patched(OrganizationFields, OrganizationFields.model_validate(organization), patch)
    if not organization.lead:
        _require_fields(body, "kind", "country")
        if (body.kind, body.country) != (organization.kind, organization.country):
            access.require_curator(actor)  # safety check and transfer basis rest on them
    _apply(organization, _columns(body))
    if not organization.lead:
        await outbox.publish(session, _organization_changed(organization))
    return organization


async def confirm_organization(
    session: AsyncSession, actor: Actor, organization_id: UUID, expected: int
) -> Organization:
    """An organisation that was a lead is one of the registry from here on."""
    access.require_curator(actor)
    organization = await queries.get_organization(session, actor, organization_id, for_update=True)
    expect(organization, expected)
    domain.require_said(domain.ORGANIZATION_MUST_SAY, {"kind": organization.kind, "country": organization.country})
    _apply(organization, {"lead": False})
    await outbox.publish(session, _organization_changed(organization))
    return organization


def _organization_changed(organization: Organization) -> OrganizationChanged:
    return OrganizationChanged.model_validate(organization, from_attributes=True)


def _require_fields(body: BaseModel, *names: str) -> None:
    if missing := [name for name in names if getattr(body, name) is None]:
        raise Unprocessable(errors=[invalid(f"/{name}", "is needed here", "missing") for name in missing])


async def _require_organization(session: AsyncSession, actor: Actor, organization_id: UUID) -> None:
    """The organisation that is to run an entry exists, and the actor may enter things for it."""
    access.require_runs(actor, organization_id)
    if organization_id not in await queries.find_organizations(session, [organization_id]):
        raise Unprocessable(errors=[invalid("/organization_id", "no such organisation", "unknown_organization")])


async def _is_confirmed(session: AsyncSession, organization_id: UUID) -> bool:
    return not (await queries.find_organizations(session, [organization_id]))[organization_id].lead


# programmes


async def create_programme(session: AsyncSession, actor: Actor, body: ProgrammeIn) -> Programme:
    await _require_organization(session, actor, body.organization_id)
    await _require_programme_areas(session, body)
    programme = Programme(**_columns(body))
    session.add(programme)
    await session.flush()
    return programme


async def edit_programme(
    session: AsyncSession, actor: Actor, programme_id: UUID, expected: int, patch: dict[str, Any]
) -> Programme:
    programme = await queries.get_programme(session, actor, programme_id, for_update=True)
    access.require_runs(actor, programme.organization_id)
    expect(programme, expected)
    domain.decide(State(programme.state), Action.EDIT)
    body = patched(ProgrammeFields, ProgrammeFields.model_validate(programme), patch)
    await _require_programme_areas(session, body)
    _apply(programme, _columns(body))
    if programme.state == State.PUBLISHED:
        await _require_publishable_programme(session, programme)
        await outbox.publish(session, ProgrammeChanged.model_validate(programme, from_attributes=True))
    return programme


async def act_on_programme(
    session: AsyncSession, actor: Actor, programme_id: UUID, expected: int, action: Action
) -> Programme:
    """Publish, confirm or retire."""
    access.require_curator(actor)
    programme = await queries.get_programme(session, actor, programme_id, for_update=True)
    expect(programme, expected)
    before = State(programme.state)
    after = domain.decide(before, action)
    if action is Action.PUBLISH:
        await _require_publishable_programme(session, programme)
    _apply(programme, {"state": after} | _assured(action))
    if action is Action.PUBLISH:
        await outbox.publish(session, ProgrammePublished.model_validate(programme, from_attributes=True))
    elif action is Action.CONFIRM:
        await outbox.publish(session, ProgrammeConfirmed.model_validate(programme, from_attributes=True))
    elif before is State.PUBLISHED:
        await outbox.publish(session, ProgrammeClosed.model_validate(programme, from_attributes=True))
    return programme


def _assured(action: Action) -> dict[str, Any]:
    return {} if action is Action.RETIRE else {"confirmed_on": clock.today()}


async def _require_programme_areas(session: AsyncSession, body: ProgrammeFields) -> None:
    named = {f"/areas/{index}": code for index, code in enumerate(body.areas)}
    if not set(await areas.require_areas(session, named)) <= set(body.countries):
        raise Unprocessable(errors=[invalid("/areas", "lie outside the programme's countries", "other_country")])


async def _require_publishable_programme(session: AsyncSession, programme: Programme) -> None:
    confirmed = await _is_confirmed(session, programme.organization_id)
    said = {"organization_confirmed": confirmed, "countries": programme.countries}
    domain.require_said(domain.PROGRAMME_MUST_SAY, said)


# services


async def create_service(session: AsyncSession, actor: Actor, body: ServiceIn) -> Service:
    """A draft."""
    await _require_organization(session, actor, body.organization_id)
    columns = await _service_columns(session, actor, body)
    service = Service(organization_id=body.organization_id, **columns)
    session.add(service)
    await session.flush()
    return service


async def edit_service(
    session: AsyncSession, actor: Actor, service_id: UUID, expected: int, patch: dict[str, Any]
) -> Service:
    """Edit one's own service; what the patch names is no longer only inferred."""
    service = await queries.get_service(session, actor, service_id, for_update=True)
    access.require_runs(actor, service.organization_id)
    expect(service, expected)
    domain.decide(State(service.state), Action.EDIT)
    body = patched(ServiceFields, ServiceFields.model_validate(service), patch)
    columns = await _service_columns(session, actor, body)
    inferred = [name for name in service.inferred if name not in patch]
    _apply(service, columns | {"inferred": inferred})
    if service.state == State.PUBLISHED:
        await _require_publishable_service(session, service)
        await outbox.publish(session, ServiceChanged.model_validate(service, from_attributes=True))
    return service


async def act_on_service(
    session: AsyncSession, actor: Actor, service_id: UUID, expected: int, action: Action
) -> Service:
    """Publish, confirm or retire."""
    access.require_curator(actor)
    service = await queries.get_service(session, actor, service_id, for_update=True)
    expect(service, expected)
    before = State(service.state)
    after = domain.decide(before, action)
    if action is Action.PUBLISH:
        await _require_publishable_service(session, service)
        service.covered_areas = await areas.covered_areas(session, service.areas)
        service.inferred = []
    _apply(service, {"state": after} | _assured(action))
    if action is Action.PUBLISH:
        await outbox.publish(session, ServicePublished.model_validate(service, from_attributes=True))
    elif action is Action.CONFIRM:
        await outbox.publish(session, ServiceConfirmed.model_validate(service, from_attributes=True))
    elif before is State.PUBLISHED:
        await outbox.publish(session, ServiceRetired.model_validate(service, from_attributes=True))
    return service


async def _service_columns(session: AsyncSession, actor: Actor, body: ServiceFields) -> dict[str, Any]:
    """The columns that the body fills, with the country of its areas; raises Unprocessable for what does not exist."""
    named = {f"/areas/{index}": code for index, code in enumerate(body.areas)}
    placed = {f"/locations/{index}/area": place.area for index, place in enumerate(body.locations) if place.area}
    countries = await areas.require_areas(session, named)
    elsewhere = set(await areas.require_areas(session, placed)) - set(countries)
    if len(countries) > 1 or (countries and elsewhere):
        pointer = "/areas" if len(countries) > 1 else "/locations"
        raise Unprocessable(errors=[invalid(pointer, "do not lie in one country", "several_countries")])
    if body.programme_id is not None:
        await _require_programme(session, actor, body.programme_id)
    columns = _columns(body, "organization_id", "places")
    return columns | {
        "country": countries[0] if countries else None,
        "covered_areas": await areas.covered_areas(session, body.areas),
        "places_stated": body.places is not None,
        "set_aside": body.places.set_aside if body.places else None,
    }


async def _require_programme(session: AsyncSession, actor: Actor, programme_id: UUID) -> None:
    """The programme exists and the actor may see it (another organisation may run it)."""
    found = (await queries.find_programmes(session, [programme_id])).get(programme_id)
    seen = found is not None and (
        found.state == State.PUBLISHED or access.is_curator(actor) or found.organization_id == actor.org_id
    )
    if not seen:
        raise Unprocessable(errors=[invalid("/programme_id", "no such programme", "unknown_programme")])


async def _require_publishable_service(session: AsyncSession, service: Service) -> None:
    said = {
        name: getattr(service, name) for name in ("type", "dimension", "level", "areas", "places_stated", "contacts")
    }
    confirmed = await _is_confirmed(session, service.organization_id)
    found_by_import = service.imported_as is not None
    domain.require_said(
        domain.SERVICE_MUST_SAY, said | {"organization_confirmed": confirmed, "found_by_import": found_by_import}
    )
