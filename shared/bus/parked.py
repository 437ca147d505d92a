"""What is parked, key by key, as operators see it: never what the events say."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, and_, cast, func, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import Select

from shared.db import parked_events as table


@dataclass(frozen=True)
class ParkedKey:
    """What is parked under one key of one listener, told by its first event. Without a key each message is alone."""

    parked_id: int
    """Of the first event: it is another once that is gone, so nobody acts on what he has not seen."""
    listener: str
    key: str | None
    events: int
    types: list[str]
    parked_at: datetime
    error: str
    attempts: int


def heads() -> Select[Any]:
    """Every parked key, in the columns of `ParkedKey`; order and page it by `table.c.parked_id`."""
    earlier, each = table.alias(), table.alias()
    same_key = (each.c.listener == table.c.listener) & (each.c.key == table.c.key)
    told = (
        select(
            func.count().label("events"),
            func.coalesce(
                func.array_agg(each.c.type.distinct()).filter(each.c.type.is_not(None)), cast([], ARRAY(Text))
            ).label("types"),
        )
        .where(or_(each.c.parked_id == table.c.parked_id, same_key))
        .lateral()
    )
    behind = and_(
        earlier.c.listener == table.c.listener,
        earlier.c.key == table.c.key,
        earlier.c.parked_id < table.c.parked_id,
    )
    return (
        select(
            table.c.parked_id,
            table.c.listener,
            table.c.key,
            told.c.events,
            told.c.types,
            table.c.parked_at,
            table.c.error,
            table.c.attempts,
        )
        .join_from(table, told, true())
        .where(~select(earlier.c.parked_id).where(behind).exists())
    )


async def find(session: AsyncSession, parked_id: int) -> ParkedKey | None:
    """The key whose first parked event has this number."""
    row = (await session.execute(heads().where(table.c.parked_id == parked_id))).one_or_none()
    return None if row is None else ParkedKey(**row._mapping)


async def count_of(session: AsyncSession, parked: ParkedKey) -> int:
    """How many events are still parked under the key."""
    same_key = (table.c.listener == parked.listener) & (table.c.key == parked.key)
    query = select(func.count()).where(or_(table.c.parked_id == parked.parked_id, same_key))
    return await session.scalar(query) or 0
