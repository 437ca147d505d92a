"""Reading what changed. Whether somebody may see the resource is asked where it lives, before this is."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.history.models import Change
from shared.http import Page, PageRequest, page_of


async def page_of_changes(
    session: AsyncSession, page: PageRequest, resource_id: UUID, *, all_of_it: bool
) -> Page[Change]:
    """The changes of one resource, the oldest first; those that are not public only with `all_of_it`."""
    query = select(Change).where(Change.resource_id == resource_id)
    return await page_of(session, query if all_of_it else query.where(Change.public), page, by=(Change.change_id,))
