"""Claiming: in one round trip an event goes to the inbox, and its transaction learns whether it may apply it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus import parking
from shared.bus.heard import Heard

CLAIM = text("""
WITH behind AS (
    SELECT FROM unnest(CAST(:after_projections AS uuid[])) AS said (event_id)
    WHERE NOT EXISTS (SELECT FROM inbox WHERE listener = 'projections' AND inbox.event_id = said.event_id)
), claimed AS (
    INSERT INTO inbox (listener, event_id)
    SELECT :listener, said.event_id FROM unnest(CAST(:event_ids AS uuid[])) AS said (event_id)
    WHERE NOT EXISTS (SELECT FROM behind)
    ON CONFLICT DO NOTHING RETURNING event_id
)
SELECT EXISTS (SELECT FROM behind), ARRAY(SELECT event_id FROM claimed), EXISTS (
    SELECT FROM parked_events
    WHERE listener = ANY(CAST(:parked_by AS text[])) AND key = ANY(CAST(:keys AS text[]))
)
""")
"""As arrays: a statement that is the same for a batch of any size."""

ENTER = text(
    "INSERT INTO inbox (listener, event_id) SELECT :listener, unnest(CAST(:event_ids AS uuid[]))"
    " ON CONFLICT DO NOTHING RETURNING event_id"
)


class NotYet(Exception):
    """A reaction must wait for the service's own projections."""


@dataclass(frozen=True)
class Claimed:
    """The ids that are heard for the first time, and the keys behind whose parked events an event must wait."""

    event_ids: set[UUID]
    parked_keys: set[str]


async def claim(session: AsyncSession, listener: str, batch: Sequence[Heard], after_topics: set[str]) -> Claimed:
    """The events of the batch are in the listener's inbox from now on. All of it can be read.

    Raises NotYet, and claims nothing, while the projections have not applied one that lies in `after_topics`.
    """
    event_ids = list(dict.fromkeys(heard.readable() for heard in batch))
    keys = [heard.message.key for heard in batch]
    # A reaction does not act on what its service's projections have set aside.
    parked_by = [listener, "projections"] if after_topics else [listener]
    told = {
        "listener": listener,
        "event_ids": event_ids,
        "after_projections": [heard.event_id for heard in batch if heard.message.topic in after_topics],
        "parked_by": parked_by,
        "keys": parking.key_texts(keys),
    }
    behind, claimed, some_are_parked = (await session.execute(CLAIM, told)).one()
    if behind:
        raise NotYet
    # Who claimed the others may have parked a key meanwhile, which this statement has not seen.
    if some_are_parked or len(claimed) < len(event_ids):
        return Claimed(set(claimed), await parking.parked_keys(session, parked_by, keys))
    return Claimed(set(claimed), set())


async def enter_all(session: AsyncSession, listener: str, event_ids: Sequence[UUID]) -> int:
    """The events are in the inbox; how many of them newly."""
    told = {"listener": listener, "event_ids": list(dict.fromkeys(event_ids))}
    return len((await session.execute(ENTER, told)).all())


async def enter(session: AsyncSession, listener: str, event_id: UUID) -> bool:
    """The event is in the inbox; whether that is new."""
    return await enter_all(session, listener, [event_id]) == 1
