"""The consumer: bus → inbox and effect in one transaction → commit → offset.

Projections apply a poll in one transaction; what fails in it is found by halving and set aside, the rest goes on.

*Reject is not retry.* When infrastructure fails the partition is held and tried again, later and later. When an event
is malformed or its handler keeps failing, its key is parked: it and everything later of that key goes, in order, to
`parked_events` in the same transaction as the inbox, and the rest goes on. Many parked keys in a short time is a bad
deploy, not bad events: the consumer stops and says so.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus import brake, claiming, parking
from shared.bus.claiming import NotYet
from shared.bus.envelope import NotACloudEvent
from shared.bus.heard import Heard, opened
from shared.bus.interface import Bus, Message
from shared.bus.listeners import Listeners, Projections
from shared.bus.reading import Reading
from shared.bus.weather import BUS_FAULTS, is_transient
from shared.events import Event
from shared.metrics import Metrics
from shared.traces import SILENT, Carried, Traces

log = logging.getLogger(__name__)

MOST = {"projections": 2000, "reactions": 100}
"""Messages a poll: for projections what a transaction takes on under a backlog, for reactions what is read again when
they must wait."""
RETRIES = (0.05, 0.2, 0.8)
"""Pauses before a failing event is tried again; after the last its key is parked."""
BACK_OFF = (0.1, 0.5, 2.0, 5.0, 15.0)
NOT_YET_SECONDS = (0.005, 0.005, 0.02, 0.1, 0.5)
"""Pauses of a reaction that waits for the projections, growing while nothing moves."""


class Braked(Exception):
    """Too many keys were parked in a short time: somebody must look before this goes on."""


class Consumer:
    """One listener group of one service (`projections` or `reactions`)."""

    def __init__(
        self,
        service: str,
        listener: str,
        listeners: Listeners,
        bus: Bus,
        sessions: Callable[[], AsyncSession],
        after: Projections | None = None,
        metrics: Metrics | None = None,
        traces: Traces = SILENT,
    ) -> None:
        self.listener = listener
        self.group = f"{service}.{listener}"
        self.topics = listeners.topics()
        self._listeners = listeners
        self._events = {event.type_name(): event for event in listeners.handlers}
        self._most = MOST[listener]
        self._bus = bus
        self._sessions = sessions
        self._metrics = metrics or Metrics(service)
        self._traces = traces
        self._after_topics = set(after.topics()) if after is not None else set()

    async def run(self) -> None:
        """Until cancelled or braked."""
        failures, waits = 0, 0
        while True:
            reading: Reading[Heard] | None = None
            try:
                reading = Reading(await self._bus.subscribe(self.group, self.topics), self._most, self._open)
                await self._brake()  # not before: a standby waits in `subscribe` until another has stopped
                while True:
                    if not (batch := await reading.next()):
                        continue
                    done = await self._consume(batch)
                    if done:
                        await reading.done([heard.message for heard in batch[:done]])
                        self._metrics.well(self.listener)
                        failures, waits = 0, 0
                    if done < len(batch):  # the projections are behind
                        await reading.rewind()
                        await asyncio.sleep(NOT_YET_SECONDS[min(waits, len(NOT_YET_SECONDS) - 1)])
                        waits += 1
            except Braked as braked:
                log.critical("%s: stopped, %s; look before starting it again", self.group, braked)
                raise
            except Exception as error:
                # What is raised bare and a bus can raise comes from the bus: whatever it is, no event is to blame.
                if not (is_transient(error) or isinstance(error, BUS_FAULTS)):
                    raise
                pause = BACK_OFF[min(failures, len(BACK_OFF) - 1)]
                failures += 1
                self._metrics.backed_off(self.listener, failures)
                log.warning("%s: %s, trying again in %s s", self.group, type(error).__name__, pause)
                await asyncio.sleep(pause)
            finally:
                if reading is not None:
                    await reading.close()

    async def consume(self, messages: Sequence[Message]) -> int:
        """Apply what was polled, and say how many, from the beginning, are done with."""
        return await self._consume([self._open(message) for message in messages])

    async def _consume(self, batch: Sequence[Heard]) -> int:
        """Projections in one transaction if nothing fails, reactions event by event.

        A reaction locks what it acts on, and locks of several aggregates in one transaction would have no order.
        Fewer than all are done with when a reaction must wait.
        """
        if self.listener == "projections":
            await self._apply_in_parts(batch)
            return len(batch)
        passed: list[Heard] = []
        for number, heard in enumerate(batch):
            if not self._concerns_us(heard):
                passed.append(heard)
                continue
            await self._pass_over(passed)  # in order: who is told that an event is past relies on those before it
            passed = []
            try:
                await self._apply_or_park(heard)
            except NotYet:
                return number
        await self._pass_over(passed)
        return len(batch)

    async def _pass_over(self, batch: Sequence[Heard]) -> None:
        """Nothing is done about these: together they go to the inbox, which says how far this listener is."""
        if batch:
            async with self._sessions() as session:
                await session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
                new = await claiming.enter_all(session, self.listener, [heard.readable() for heard in batch])
            self._metrics.applied(self.listener, new)

    def _concerns_us(self, heard: Heard) -> bool:
        """Whether a reaction has anything to do with it."""
        if heard.unreadable is not None:
            return True
        return heard.event is not None and bool(self._listeners.hearing(heard.event))

    async def _apply_in_parts(self, batch: Sequence[Heard]) -> None:
        """All at once, or where that fails the first half and then the second, down to the event that is to blame."""
        if len(batch) == 1:
            await self._apply_or_park(batch[0])
            return
        try:
            await self._apply(batch)
        except Exception as error:
            if is_transient(error):
                raise
            log.info("%s: a batch of %s failed with %s, halving it", self.group, len(batch), type(error).__name__)
            middle = len(batch) // 2
            await self._apply_in_parts(batch[:middle])
            await self._apply_in_parts(batch[middle:])

    async def _apply_or_park(self, heard: Heard) -> None:
        for attempt in range(len(RETRIES) + 1):
            try:
                await self._apply([heard])
            except NotYet:
                raise
            except Exception as error:
                if is_transient(error):
                    raise
                if attempt == len(RETRIES) or isinstance(error, NotACloudEvent):  # nothing makes that one readable
                    await self._park(heard, error, attempt + 1)
                    return
                self._metrics.retried(self.listener)
                await asyncio.sleep(RETRIES[attempt])
            else:
                return

    async def _park(self, heard: Heard, error: Exception, attempts: int) -> None:
        async with self._sessions() as session:
            new = await parking.park(session, self.listener, heard.message, heard.event_id, error, attempts)
            if heard.event_id is not None:
                await claiming.enter(session, self.listener, heard.event_id)
            await session.commit()
        if new:  # not one that was parked before a crash, or before the brake
            self._metrics.parked(self.listener)
            log.error("%s: parked a key after %s: %s", self.group, attempts, type(error).__name__)
            await self._brake()

    async def _brake(self) -> None:
        async with self._sessions() as session:
            limit = await brake.reached(session, self.listener)
        if limit is not None:
            raise Braked(f"{limit.keys} keys parked within {limit.seconds} seconds")

    async def _apply(self, batch: Sequence[Heard]) -> None:
        """The batch in one transaction. What cannot be read fails the batch and is parked when it comes alone."""
        async with self._sessions() as session:
            claimed = await claiming.claim(session, self.listener, batch, self._after_topics)
            fresh, parked = set(claimed.event_ids), claimed.parked_keys
            events: list[Event] = []
            said: list[Heard] = []
            for heard in batch:
                if (event_id := heard.readable()) not in fresh:
                    continue
                fresh.discard(event_id)  # the same event twice in one batch is applied once
                if parked and parking.key_text(heard.message.key) in parked:
                    await parking.park(session, self.listener, heard.message, event_id, parking.KeyIsParked(), 0)
                elif heard.event is not None:
                    events.append(heard.event)
                    said.append(heard)
            with self._traces.events("consumer", self.group, said, _carried):
                await self._listeners.apply(session, events)
                await session.commit()
        self._metrics.applied(self.listener, len(claimed.event_ids))

    async def apply_parked(self, session: AsyncSession, message: Message, claimed: bool) -> None:
        """Apply a message that was parked; `claimed` says that its event is in the inbox since then."""
        heard = self._open(message)
        event_id = heard.readable()
        if claimed or await claiming.enter(session, self.listener, event_id):
            with self._traces.events("consumer", self.group, [heard], _carried):
                await self._listeners.apply(session, [heard.event] if heard.event else [])

    def _open(self, message: Message) -> Heard:
        return opened(message, self._events)


def _carried(heard: Heard) -> Carried:
    return heard.event.type_name() if heard.event else "unknown", heard.event_id, heard.traceparent
