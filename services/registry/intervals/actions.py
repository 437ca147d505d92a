"""Setting review intervals. They hold for what is assured from then on; what was assured keeps its date."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry import access
from services.registry.intervals import queries
from services.registry.intervals.domain import GOES_STALE, HIDES, begins, day_after
from services.registry.intervals.models import ReviewInterval
from services.registry.intervals.schemas import IntervalFields
from shared import clock, timers
from shared.actor import Actor
from shared.http import expect, patched


async def edit(
    session: AsyncSession, actor: Actor, service_type: str, expected: int, patch: dict[str, Any]
) -> ReviewInterval:
    """Set by a curator of all countries, for all of them."""
    access.require_curator_of_all(actor)
    interval = await queries.get_interval(session, service_type, for_update=True)
    expect(interval, expected)
    body = patched(IntervalFields, IntervalFields.model_validate(interval), patch)
    interval.review_days, interval.hide_days, interval.set_by = body.review_days, body.hide_days, actor.org_id
    interval.touch()
    session.add(interval)
    await session.flush()
    return interval


async def begin(session: AsyncSession, service_id: UUID, service_type: str) -> date:
    """Somebody has just assured the service: the day by which it is to be reviewed; the timers are set anew."""
    interval = await queries.get_interval(session, service_type)
    review_by = clock.today() + timedelta(days=interval.review_days)
    await stop(session, service_id)
    await timers.set(session, GOES_STALE, service_id, begins(day_after(review_by)))
    return review_by


async def hide_later(session: AsyncSession, service_id: UUID, service_type: str, review_by: date) -> None:
    """The service has gone stale: it hides after the days set for its kind, if it ever does."""
    interval = await queries.get_interval(session, service_type)
    if interval.hide_days is not None:
        await timers.set(session, HIDES, service_id, begins(day_after(review_by, interval.hide_days)))


async def stop(session: AsyncSession, service_id: UUID) -> None:
    """Nobody needs to review the service any more."""
    await timers.clear(session, service_id, GOES_STALE, HIDES)
