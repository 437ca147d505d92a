"""Entering and editing mechanisms; every change is said, for the referral service routes by them."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry import access
from services.registry.areas import queries as areas
from services.registry.directory import queries as directory
from services.registry.mechanisms import domain, queries
from services.registry.mechanisms.models import Mechanism
from services.registry.mechanisms.schemas import MechanismFields, MechanismIn
from shared import outbox
from shared.actor import Actor
from shared.errors import Unprocessable, invalid
from shared.events.registry import MechanismChanged
from shared.http import expect, patched

JSON_COLUMNS = {"opening_hours", "contacts"}


async def create(session: AsyncSession, actor: Actor, body: MechanismIn) -> Mechanism:
    access.require_runs(actor, body.organization_id, body.countries)
    organization = (await directory.find_organizations(session, [body.organization_id])).get(body.organization_id)
    if organization is None or organization.lead:
        raise Unprocessable(errors=[invalid("/organization_id", "no such organisation", "unknown_organization")])
    columns = await _columns(session, None, body)
    mechanism = Mechanism(organization_id=body.organization_id, **columns)
    session.add(mechanism)
    await session.flush()
    await outbox.publish(session, MechanismChanged.model_validate(mechanism, from_attributes=True))
    return mechanism


async def edit(
    session: AsyncSession, actor: Actor, mechanism_id: UUID, expected: int, patch: dict[str, Any]
) -> Mechanism:
    mechanism = await queries.get_mechanism(session, mechanism_id, for_update=True)
    access.require_runs(actor, mechanism.organization_id, mechanism.countries)
    expect(mechanism, expected)
    body = patched(MechanismFields, MechanismFields.model_validate(mechanism), patch)
    access.require_runs(actor, mechanism.organization_id, body.countries)
    for name, value in (await _columns(session, mechanism_id, body)).items():
        setattr(mechanism, name, value)
    mechanism.touch()
    await outbox.publish(session, MechanismChanged.model_validate(mechanism, from_attributes=True))
    return mechanism


async def _columns(session: AsyncSession, mechanism_id: UUID | None, body: MechanismFields) -> dict[str, Any]:
    """The columns that the body fills; raises Unprocessable for what does not exist, MechanismCycle for a circle."""
    named = {f"/areas/{index}": code for index, code in enumerate(body.areas)}
    if not set(await areas.require_areas(session, named)) <= set(body.countries):
        raise Unprocessable(errors=[invalid("/areas", "lie outside the mechanism's countries", "other_country")])
    if body.parent_id is not None:
        tree = await queries.lock_tree(session)
        if body.parent_id not in tree:
            raise Unprocessable(errors=[invalid("/parent_id", "no such mechanism", "unknown_mechanism")])
        domain.require_no_cycle(mechanism_id, body.parent_id, tree)
    columns = body.model_dump(exclude={"organization_id", *JSON_COLUMNS})
    columns |= body.model_dump(mode="json", include=JSON_COLUMNS)
    return columns | {"covered_areas": await areas.covered_areas(session, body.areas or body.countries)}
