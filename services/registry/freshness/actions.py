"""Doubting a service, looking into a doubt, and what happens to a service that nobody confirms."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry import access
from services.registry.directory import actions as directory
from services.registry.directory import queries as services
from services.registry.directory.domain import Freshness, State
from services.registry.freshness import queries
from services.registry.freshness.domain import AlreadyResolved, NotPublished
from services.registry.freshness.models import Doubt
from services.registry.freshness.schemas import DoubtFields, DoubtIn, ResolutionIn
from services.registry.intervals import actions as intervals
from shared import clock
from shared.actor import Actor
from shared.errors import Forbidden
from shared.http import expect, patched

# doubts


async def doubt(session: AsyncSession, actor: Actor, service_id: UUID, body: DoubtIn) -> Doubt:
    """The field is doubtful until somebody has looked."""
    service = await services.get_service(session, actor, service_id, for_update=True)
    if service.state != State.PUBLISHED:
        raise NotPublished
    found = Doubt(service_id=service_id, organization_id=actor.org_id, **body.model_dump())
    session.add(found)
    await session.flush()
    await directory.mark_doubtful(session, actor, service, [*service.doubtful, body.field], body.field)
    return found


async def edit(
    session: AsyncSession, actor: Actor, service_id: UUID, doubt_id: UUID, expected: int, patch: dict[str, Any]
) -> Doubt:
    """Whoever reported it may say it better until somebody has looked."""
    service = await services.get_service(session, actor, service_id, for_update=True)
    found = await queries.get_doubt(session, actor, service_id, doubt_id, for_update=True)
    if found.organization_id != actor.org_id:
        raise Forbidden("only whoever reported it may do this")
    expect(found, expected)
    _require_open(found)
    body = patched(DoubtFields, DoubtFields.model_validate(found), patch)
    moved = body.field != found.field
    found.field, found.source, found.note = body.field, body.source, body.note
    found.touch()
    await session.flush()
    if moved and service.state == State.PUBLISHED:
        await directory.mark_doubtful(
            session, actor, service, await queries.open_fields(session, service_id), found.field
        )
    return found


async def resolve(
    session: AsyncSession, actor: Actor, service_id: UUID, doubt_id: UUID, expected: int, body: ResolutionIn
) -> Doubt:
    """By the organisation of the service or a curator: the field is doubtful no more, unless others doubt it too."""
    service = await services.get_service(session, actor, service_id, for_update=True)
    found = await queries.get_doubt(session, actor, service_id, doubt_id, for_update=True)
    access.require_runs(actor, service.organization_id, [service.country])
    expect(found, expected)
    _require_open(found)
    found.outcome, found.resolved_by, found.resolved_at = body.outcome, actor.org_id, clock.now()
    found.touch()
    await session.flush()
    left = await queries.open_fields(session, service_id)
    if service.state == State.PUBLISHED and set(left) != set(service.doubtful):
        await directory.mark_doubtful(session, actor, service, left)
    return found


def _require_open(found: Doubt) -> None:
    if found.outcome is not None:
        raise AlreadyResolved


# services that nobody confirms


async def go_stale(session: AsyncSession, service_id: UUID) -> None:
    """The day after the review was due: nothing happens if it was done meanwhile, or the service is gone."""
    service = await services.find_service_for_update(session, service_id)
    if service is None or service.state != State.PUBLISHED or service.review_by is None:
        return
    if service.review_by < clock.today() and service.freshness is Freshness.FRESH:
        await intervals.hide_later(session, service_id, str(service.type), service.review_by)
        await directory.age_service(session, service, Freshness.STALE)


async def hide(session: AsyncSession, service_id: UUID) -> None:
    """Overdue for too long: neither listed nor matched until somebody confirms it."""
    service = await services.find_service_for_update(session, service_id)
    if service is not None and service.freshness is Freshness.STALE:
        await directory.age_service(session, service, Freshness.HIDDEN)
