"""Discarded events: what was parked and is given up, with who gave it up, when and why. What it said is gone.

The inbox still says that the listener has met the event, so it is not applied when it comes again; what fills a
projection anew leaves it out.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, delete, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus.interface import Message
from shared.bus.parked import ParkedKey
from shared.db import discarded_events as table
from shared.db import parked_events

KEPT = ("listener", "key", "event_id", "type", "topic", "partition", "offset", "error", "parked_at")


@dataclass(frozen=True)
class Decision:
    """Whose it is to give events up: a client and its organisation, or a person at a terminal; and why."""

    by: str
    reason: str
    org_id: UUID | None = None


async def discard(session: AsyncSession, parked: ParkedKey, decision: Decision, whole_key: bool = False) -> int:
    """Give up the key's first event, or all of them, and say how many; none if the first is parked no more."""
    first = select(parked_events.c.parked_id).where(parked_events.c.parked_id == parked.parked_id)
    # Locked before anything is deleted: what is being parked behind it has then committed, and is seen.
    if await session.scalar(first.with_for_update()) is None:
        return 0
    given_up = parked_events.c.parked_id == parked.parked_id
    if whole_key and parked.key is not None:
        given_up = and_(parked_events.c.listener == parked.listener, parked_events.c.key == parked.key)
    gone = delete(parked_events).where(given_up).returning(*(parked_events.c[name] for name in KEPT)).cte("gone")
    why = [literal(decision.by), literal(decision.org_id, table.c.org_id.type), literal(decision.reason)]
    kept = insert(table).from_select([*KEPT, "discarded_by", "org_id", "reason"], select(gone, *why))
    return len((await session.scalars(kept.returning(table.c.discarded_id))).all())


async def has(session: AsyncSession, listener: str, message: Message) -> bool:
    """Whether the listener has discarded the message at this place of the bus."""
    query = select(table.c.discarded_id).where(
        table.c.listener == listener,
        table.c.topic == message.topic,
        table.c.partition == message.partition,
        table.c.offset == message.offset,
    )
    return await session.scalar(query.limit(1)) is not None
