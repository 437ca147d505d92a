"""What must hold before an entry is written or published: what it names exists, what publishing asks for is said."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry import access
from services.registry.areas import queries as areas
from services.registry.directory import domain, queries
from services.registry.directory.changing import columns_of
from services.registry.directory.domain import State
from services.registry.directory.models import Organization, Programme, Service
from services.registry.directory.schemas import ProgrammeFields, ServiceFields
from shared import clock
from shared.actor import Actor
from shared.errors import Unprocessable, invalid


def require_fields(body: BaseModel, *names: str) -> None:
    if missing := [name for name in names if getattr(body, name) is None]:
        raise Unprocessable(errors=[invalid(f"/{name}", "is needed here", "missing") for name in missing])


async def organization_that_runs(session: AsyncSession, organization_id: UUID) -> Organization:
    """The organisation for which an entry is made; raises Unprocessable if there is none."""
    found = (await queries.find_organizations(session, [organization_id])).get(organization_id)
    if found is None:
        raise Unprocessable(errors=[invalid("/organization_id", "no such organisation", "unknown_organization")])
    return found


async def _is_confirmed(session: AsyncSession, organization_id: UUID) -> bool:
    return not (await queries.find_organizations(session, [organization_id]))[organization_id].lead


# programmes


async def require_programme_areas(session: AsyncSession, body: ProgrammeFields) -> None:
    named = {f"/areas/{index}": code for index, code in enumerate(body.areas)}
    if not set(await areas.require_areas(session, named)) <= set(body.countries):
        raise Unprocessable(errors=[invalid("/areas", "lie outside the programme's countries", "other_country")])


async def require_publishable_programme(session: AsyncSession, programme: Programme) -> None:
    confirmed = await _is_confirmed(session, programme.organization_id)
    said = {"organization_confirmed": confirmed, "countries": programme.countries}
    domain.require_said(domain.PROGRAMME_MUST_SAY, said)


# services


async def service_columns(
    session: AsyncSession, actor: Actor, body: ServiceFields, held: Service | None = None
) -> dict[str, Any]:
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
    columns = columns_of(body, "organization_id", "places")
    columns |= {
        "country": countries[0] if countries else None,
        "covered_areas": await areas.covered_areas(session, body.areas),
        "places_stated": body.places is not None,
        "set_aside": body.places.set_aside if body.places else None,
    }
    before = held or Service(places_stated=False)
    if any(columns[name] != getattr(before, name) for name in domain.CAPACITY):
        columns["capacity_updated_at"] = clock.now()
    return columns


async def _require_programme(session: AsyncSession, actor: Actor, programme_id: UUID) -> None:
    """The programme exists and the actor may see it (another organisation may run it)."""
    found = (await queries.find_programmes(session, [programme_id])).get(programme_id)
    seen = found is not None and (
        found.state == State.PUBLISHED or access.runs(actor, found.organization_id, found.countries)
    )
    if not seen:
        raise Unprocessable(errors=[invalid("/programme_id", "no such programme", "unknown_programme")])


async def require_publishable_service(session: AsyncSession, service: Service) -> None:
    names = ("type", "dimension", "level", "areas", "places_stated", "contacts")
    said = {name: getattr(service, name) for name in names}
    said["organization_confirmed"] = await _is_confirmed(session, service.organization_id)
    said["found_by_import"] = service.imported_as is not None
    domain.require_said(domain.SERVICE_MUST_SAY, said)
