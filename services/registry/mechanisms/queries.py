"""Reading mechanisms. They are public: whoever may read the registry may read them all."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.mechanisms.models import Mechanism
from shared.errors import NotFound
from shared.http import Page, PageRequest, page_of

_TREE_LOCK = 7_301_001
"""Key of the advisory lock under which the tree of mechanisms changes."""


async def get_mechanism(session: AsyncSession, mechanism_id: UUID, for_update: bool = False) -> Mechanism:
    found = await session.get(Mechanism, mechanism_id, with_for_update=for_update)
    if found is None:
        raise NotFound
    return found


async def find_mechanisms(session: AsyncSession, mechanism_ids: Iterable[UUID]) -> dict[UUID, Mechanism]:
    query = select(Mechanism).where(Mechanism.mechanism_id.in_(set(mechanism_ids)))
    return {row.mechanism_id: row for row in await session.scalars(query)}


async def page_of_mechanisms(
    session: AsyncSession,
    page: PageRequest,
    *,
    country: str | None,
    organization_id: UUID | None,
    active: bool | None,
) -> Page[Mechanism]:
    query = select(Mechanism)
    if country is not None:
        query = query.where(Mechanism.countries.contains([country]))
    if organization_id is not None:
        query = query.where(Mechanism.organization_id == organization_id)
    if active is not None:
        query = query.where(Mechanism.active == active)
    return await page_of(session, query, page, by=(Mechanism.mechanism_id,))


async def lock_tree(session: AsyncSession) -> dict[UUID, UUID | None]:
    """Child → parent of all mechanisms; nobody else changes the tree until the transaction ends.

    Two edits that are each sound could otherwise close a circle together.
    """
    await session.execute(select(func.pg_advisory_xact_lock(_TREE_LOCK)))
    rows = await session.execute(select(Mechanism.mechanism_id, Mechanism.parent_id))
    return {row.mechanism_id: row.parent_id for row in rows}
