"""The consumer: bus → inbox and effect in one transaction → commit → offset.

*Reject is not retry.* When infrastructure fails the partition is held and tried again, later and later. When an event
is malformed or its handler keeps failing, its key is parked: it and everything later of that key goes, in order, to
`parked_events` in the same transaction as the inbox, and the rest goes on. Many parked keys in a short time is a bad
deploy, not bad events: the consumer stops and says so.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import ValidationError
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus import parking
from shared.bus.envelope import Envelope, NotACloudEvent, read
from shared.bus.interface import Bus, Message, Subscription
from shared.bus.listeners import Listeners, Projections
from shared.db import inbox
from shared.events import Event
from shared.metrics import Metrics
from shared.traces import SILENT, Traces

log = logging.getLogger(__name__)

POLL_LIMIT = 500
POLL_SECONDS = 5.0
RETRIES = (0.05, 0.2, 0.8)
"""Pauses before a failing event is tried again; after the last its key is parked."""
BACK_OFF = (0.1, 0.5, 2.0, 5.0, 15.0)
NOT_YET_SECONDS = (0.005, 0.005, 0.02, 0.1, 0.5)
"""Pauses of a reaction that waits for the projections, growing while nothing moves."""
BRAKE_KEYS = 20
BRAKE_SECONDS = 60.0
TRANSIENT_STATES = ("08", "25006", "40", "53", "55P03", "57P0", "58")
"""SQLSTATE classes that say 'not now': connection, read-only, rollback, resources, lock, shutdown, system."""


CLAIM = text(
    "INSERT INTO inbox (listener, event_id) SELECT :listener, unnest(CAST(:ids AS uuid[]))"
    " ON CONFLICT DO NOTHING RETURNING event_id"
)


class Braked(Exception):
    """Too many keys were parked in a short time: somebody must look before this goes on."""


class NotYet(Exception):
    """A reaction must wait for the service's own projections."""


def is_transient(error: BaseException) -> bool:
    """Is it the infrastructure that failed, so that the same event may well succeed later?"""
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None) or ""
        return error.connection_invalidated or state.startswith(TRANSIENT_STATES)
    if isinstance(error, asyncpg.PostgresError):
        return (getattr(error, "sqlstate", None) or "").startswith(TRANSIENT_STATES)
    return isinstance(error, OSError | TimeoutError | PoolTimeout | asyncpg.InterfaceError)


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
        self._handlers = {event.type_name(): (event, handlers) for event, handlers in listeners.handlers.items()}
        self._bus = bus
        self._sessions = sessions
        self._metrics = metrics or Metrics(service)
        self._traces = traces
        self._after_topics = set(after.topics()) if after is not None else set()
        self._parkings: list[float] = []

    async def run(self) -> None:
        """Until cancelled or braked."""
        failures, waits = 0, 0
        while True:
            subscription: Subscription | None = None
            try:
                subscription = await self._bus.subscribe(self.group, self.topics)
                while True:
                    if not (batch := await subscription.poll(POLL_LIMIT, POLL_SECONDS)):
                        continue
                    done = await self.consume(batch)
                    if done:
                        await subscription.commit(batch[:done])
                        self._metrics.well(self.listener)
                        failures, waits = 0, 0
                    if done < len(batch):  # the projections are behind
                        await subscription.rewind()
                        await asyncio.sleep(NOT_YET_SECONDS[min(waits, len(NOT_YET_SECONDS) - 1)])
                        waits += 1
            except Braked:
                log.critical(
                    "%s: stopped, %s keys parked in a short time; look before starting it again", self.group, BRAKE_KEYS
                )
                raise
            except Exception as error:
                # A PostgresError that is raised bare comes from the bus: whatever it is, no event is to blame.
                if not (is_transient(error) or isinstance(error, asyncpg.PostgresError)):
                    raise
                pause = BACK_OFF[min(failures, len(BACK_OFF) - 1)]
                failures += 1
                self._metrics.backed_off(self.listener, failures)
                log.warning("%s: %s, trying again in %s s", self.group, type(error).__name__, pause)
                await asyncio.sleep(pause)
            finally:
                if subscription is not None:
                    await subscription.close()

    async def consume(self, batch: list[Message]) -> int:
        """Apply a batch: projections in one transaction if nothing fails, reactions event by event.

        A reaction locks what it acts on, and locks of several aggregates in one transaction would have no order.
        Returns how many of the batch, from its beginning, are done with: fewer when a reaction must wait.
        """
        if self.listener != "projections":
            for number, message in enumerate(batch):
                try:
                    await self._apply_or_park(message)
                except NotYet:
                    return number
            return len(batch)
        try:
            await self._apply(batch)
        except Exception as error:
            if is_transient(error):
                raise
            log.info(
                "%s: a batch of %s failed with %s, going event by event", self.group, len(batch), type(error).__name__
            )
            for message in batch:
                await self._apply_or_park(message)
        return len(batch)

    async def _apply_or_park(self, message: Message) -> None:
        for attempt in range(len(RETRIES) + 1):
            try:
                await self._apply([message])
            except NotYet:
                raise
            except Exception as error:
                if is_transient(error):
                    raise
                if attempt == len(RETRIES) or isinstance(error, NotACloudEvent):  # nothing makes that one readable
                    await self._park(message, error, attempt + 1)
                    return
                self._metrics.retried(self.listener)
                await asyncio.sleep(RETRIES[attempt])
            else:
                return

    async def _park(self, message: Message, error: Exception, attempts: int) -> None:
        async with self._sessions() as session:
            new = await parking.park(session, self.listener, message, _event_id(message), error, attempts)
            if (event_id := _event_id(message)) is not None:
                await self._claim(session, [event_id])
            await session.commit()
        if new:  # not one that was parked before a crash, or before the brake
            self._metrics.parked(self.listener)
            log.error("%s: parked a key after %s: %s", self.group, attempts, type(error).__name__)
            self._brake()

    def _brake(self) -> None:
        now = time.monotonic()
        self._parkings = [at for at in self._parkings if now - at < BRAKE_SECONDS] + [now]
        if len(self._parkings) >= BRAKE_KEYS:
            raise Braked

    async def _claim(self, session: AsyncSession, event_ids: list[UUID]) -> set[UUID]:
        """Which of these are heard for the first time (and are from now on in the inbox)."""
        return set(await session.scalars(CLAIM, {"listener": self.listener, "ids": list(dict.fromkeys(event_ids))}))

    async def _apply(self, batch: list[Message]) -> None:
        """The batch in one transaction. What cannot be read fails the batch and is parked when it comes alone."""
        envelopes = [(message, read(message)) for message in batch]
        async with self._sessions() as session:
            await self._wait_for_projections(session, batch, envelopes)
            fresh = await self._claim(session, [envelope.event_id for _, envelope in envelopes])
            # A reaction does not act on what its service's projections have not applied.
            listeners = [self.listener, "projections"] if self._after_topics else [self.listener]
            parked = await parking.parked_keys(session, listeners, [message.key for message in batch])
            heard = len(fresh)
            with self._tracing(envelope for _, envelope in envelopes if envelope.event_id in fresh):
                for message, envelope in envelopes:
                    if envelope.event_id not in fresh:
                        continue
                    fresh.discard(envelope.event_id)  # the same event twice in one batch is applied once
                    if parking.key_text(message.key) in parked:
                        await parking.park(session, self.listener, message, envelope.event_id, parking.KeyIsParked(), 0)
                    else:
                        await self._handle(session, envelope)
                await session.commit()
        self._metrics.applied(self.listener, heard)

    def _tracing(self, envelopes: Iterable[Envelope]) -> AbstractContextManager[object]:
        carried = [(each.type, each.event_id, each.traceparent) for each in envelopes if each.type in self._handlers]
        return self._traces.events("consumer", self.group, carried)

    async def _wait_for_projections(
        self, session: AsyncSession, batch: list[Message], envelopes: list[tuple[Message, Envelope]]
    ) -> None:
        ids = {envelope.event_id for message, envelope in envelopes if message.topic in self._after_topics}
        if not ids:
            return
        heard = select(inbox.c.event_id).where(inbox.c.listener == "projections", inbox.c.event_id.in_(ids))
        if ids - set(await session.scalars(heard)):
            raise NotYet

    async def _handle(self, session: AsyncSession, envelope: Envelope) -> None:
        known = self._handlers.get(envelope.type)
        if known is None:
            return  # not for us, or newer than we are: readers ignore types that they do not know
        event_class, handlers = known
        event = _event(event_class, envelope.data)
        for handler in handlers:
            await handler(session, event)

    async def redrive(self, key: str) -> int:
        """Run what is parked under `key` again, in order, each in a transaction of its own; stop at the first failure.

        Returns how many are still parked.
        """
        while (row := await self._first_parked(key)) is not None:
            parked_id, message = row
            envelope = read(message)
            async with self._sessions() as session:
                if await parking.forget(session, parked_id):  # else somebody else is at it
                    with self._tracing([envelope]):
                        await self._handle(session, envelope)
                        await session.commit()
        return 0

    async def _first_parked(self, key: str) -> tuple[int, Message] | None:
        async with self._sessions() as session:
            return await parking.first(session, self.listener, key)


def _event(event_class: type[Event], data: dict[str, Any]) -> Event:
    try:
        return event_class.model_validate(data)
    except ValidationError as error:
        raise NotACloudEvent("data does not fit the event's class") from error


def _event_id(message: Message) -> UUID | None:
    try:
        return read(message).event_id
    except NotACloudEvent:
        return None
