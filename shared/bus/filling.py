"""Filling: what the bus holds goes through a projection's handlers into its shadow tables.

A handler finds those tables and no others: one that publishes, or writes elsewhere, fails instead of doing it again.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import shadow
from shared.bus import parking
from shared.bus.heard import Heard, opened
from shared.bus.interface import Message, Positions, Replay
from shared.bus.listeners import Projections
from shared.bus.reading import AT_ONCE
from shared.bus.weather import is_transient

BATCH = 4000
POLL_SECONDS = 0.2
TELL_SECONDS = 2.0
INTO_THE_SHADOW = text(
    f"SELECT set_config('search_path', '{shadow.SCHEMA}', true), set_config('synchronous_commit', 'off', true)"
)
"""Nothing is lost by it: the exchange commits with care, and all that was written before with it."""
SET_ASIDE = """
SELECT key, event_id, topic, "partition", "offset" FROM parked_events WHERE listener = 'projections'
UNION ALL
SELECT NULL, event_id, topic, "partition", "offset" FROM discarded_events WHERE listener = 'projections'
"""
HEARD = "SELECT event_id FROM inbox WHERE listener = 'projections' AND event_id = ANY($1)"


class Failed(Exception):
    """An event cannot be applied: which one and where the handler failed, nothing of what it says."""


class Filling:
    """The shadow tables on their way: how many events were read, and which were left out."""

    def __init__(
        self,
        handlers: Projections,
        sessions: Callable[[], AsyncSession],
        connection: asyncpg.Connection,
        tell: Callable[[str], None],
    ) -> None:
        self.read = 0
        self.left_out: list[Heard] = []
        self._listeners = handlers
        self._events = {event.type_name(): event for event in handlers.handlers}
        self._sessions = sessions
        self._connection = connection
        self._tell = tell
        self._began = self._told_at = time.monotonic()
        self._at: Positions = {}

    async def follow(self, reading: Replay) -> None:
        """All that is on the bus by now is applied. The next batch is read while PostgreSQL writes the last."""
        ends = self._ahead(await reading.ends())
        polling: asyncio.Task[list[Heard]] | None = None

        def poll_meanwhile() -> None:
            nonlocal polling
            if ends and polling is None:
                polling = asyncio.create_task(self._poll(reading))

        try:
            while ends:
                batch = await (polling or self._poll(reading))
                polling = None
                if not batch:  # what has expired meanwhile does not come any more
                    there = await reading.ends()
                    ends = {place: end for place, end in ends.items() if place in there}
                ends = self._ahead(ends)
                self.read += len(batch)
                await self._apply(await self._keep(batch), poll_meanwhile)
                self._say_how_far(sum(end - self._at.get(place, 0) for place, end in ends.items()))
        finally:
            if polling is not None:
                polling.cancel()

    async def take_in_what_was_redriven(self) -> None:
        """What is still left out is set aside now, while nobody else writes."""
        once_left_out, self.left_out = self.left_out, []
        await self._apply(await self._keep(once_left_out), lambda: None)

    async def _poll(self, reading: Replay) -> list[Heard]:
        batch = await reading.poll(BATCH, POLL_SECONDS)
        for message in batch:
            self._at[message.topic, message.partition] = message.offset + 1
        await reading.commit(batch)  # nothing is read again
        heard = []
        for number, message in enumerate(batch, start=1):
            heard.append(opened(message, self._events))
            if number % AT_ONCE == 0:  # the last batch is to be on its way to PostgreSQL meanwhile
                await asyncio.sleep(0)
        return heard

    def _ahead(self, ends: Positions) -> Positions:
        return {place: end for place, end in ends.items() if self._at.get(place, 0) < end}

    def _say_how_far(self, to_go: int) -> None:
        now = time.monotonic()
        if now - self._told_at >= TELL_SECONDS:
            self._told_at = now
            self._tell(f"{self.read:,} events, {to_go:,} to go, {self.read / (now - self._began):,.0f}/s")

    async def _keep(self, batch: list[Heard]) -> list[Heard]:
        """The batch without what the listener has parked or discarded, or will park behind an event of its key."""
        rows = await self._connection.fetch(SET_ASIDE)
        if not rows:
            return batch
        ids = {row["event_id"] for row in rows} - {None}
        places = {(row["topic"], row["partition"], row["offset"]) for row in rows}
        keys = {row["key"] for row in rows} - {None}
        waiting = [each.event_id for each in batch if each.event_id and parking.key_text(each.message.key) in keys]
        heard = {row["event_id"] for row in await self._connection.fetch(HEARD, waiting)}
        unheard = set(waiting) - heard
        kept: list[Heard] = []
        for each in batch:
            message = each.message
            aside = each.event_id in ids or each.event_id in unheard
            aside = aside or (message.topic, message.partition, message.offset) in places
            (self.left_out if aside else kept).append(each)
        return kept

    async def _apply(self, batch: Sequence[Heard], meanwhile: Callable[[], None]) -> None:
        """In one transaction; where that fails, in halves, down to the event that is to blame."""
        try:
            await self._write(batch, meanwhile)
        except Exception as error:
            if is_transient(error):
                raise
            if len(batch) > 1:
                middle = len(batch) // 2
                await self._apply(batch[:middle], meanwhile)
                await self._apply(batch[middle:], meanwhile)
                return
            raise Failed(_told(batch[0].message, error)) from error

    async def _write(self, batch: Sequence[Heard], meanwhile: Callable[[], None]) -> None:
        for each in batch:
            each.readable()
        if events := [each.event for each in batch if each.event is not None]:
            async with self._sessions() as session:
                await session.execute(INTO_THE_SHADOW)
                meanwhile()  # what it begins has its first turn when the handler's statement is on its way
                await self._listeners.apply(session, events)
                await session.commit()


def _told(message: Message, error: Exception) -> str:
    return (
        f"{parking.where(error)}, on the event at {message.topic}, partition {message.partition}, "
        f"offset {message.offset}; it is not parked"
    )
