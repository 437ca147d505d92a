"""Reading review intervals: what was set, else the project's default."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.intervals.domain import DEFAULTS
from services.registry.intervals.models import ReviewInterval
from shared.errors import NotFound


def _default(service_type: str) -> ReviewInterval:
    days = DEFAULTS[service_type]
    return ReviewInterval(
        type=service_type, review_days=days.review_days, hide_days=days.hide_days, set_by=None, version=1
    )


async def get_interval(session: AsyncSession, service_type: str, for_update: bool = False) -> ReviewInterval:
    """The interval that holds for this kind of service; a default is not in the session."""
    if service_type not in DEFAULTS:
        raise NotFound
    found = await session.get(ReviewInterval, service_type, with_for_update=for_update or None)
    return found or _default(service_type)


async def every_interval(session: AsyncSession) -> list[ReviewInterval]:
    """One for each kind of service, in the order of the vocabulary."""
    found = {row.type: row for row in await session.scalars(select(ReviewInterval))}
    return [found.get(service_type) or _default(service_type) for service_type in DEFAULTS]
