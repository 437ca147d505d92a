"""The relay: outbox → bus, one sender per database.

It reads `published_at IS NULL ORDER BY seq`, never `seq > last`: sequence numbers become visible out of order. An
advisory lock on a direct connection elects it; the connection is closed on exit, so that the standby need not wait.
"""

import asyncio
import contextlib
import logging

import asyncpg

from shared.bus.envelope import to_message
from shared.bus.interface import Bus, Message, Sender
from shared.bus.weather import BUS_FAULTS
from shared.metrics import Metrics
from shared.traces import SILENT, Carried, Traces

log = logging.getLogger(__name__)

FETCHED = 4000
"""Rows that are read at once; all are marked before the next are read."""
BATCH = 1000
"""Rows that are sent at once: while one batch goes out, the one before is marked."""
LOOK_AGAIN = 5.0
"""Seconds after which the relay looks without being woken: LISTEN/NOTIFY wakes it and is never the guarantee."""
BACK_OFF = (0.1, 0.5, 2.0, 5.0)

UNSENT = """
SELECT seq, event_id, type, subject, key, version, occurred_at, traceparent, data
FROM outbox WHERE published_at IS NULL ORDER BY seq LIMIT $1
"""
MARK = "UPDATE outbox SET published_at = clock_timestamp() WHERE seq = ANY($1)"
"""The mark is business-free bookkeeping: the machine's time."""


class Relay:
    def __init__(self, database_url: str, bus: Bus, metrics: Metrics, traces: Traces) -> None:
        self._url = database_url
        self._bus = bus
        self._metrics = metrics
        self._traces = traces

    async def run(self) -> None:
        """Until cancelled. After any failure a new sender starts again at the first unpublished row."""
        failures = 0
        while True:
            try:
                async with contextlib.AsyncExitStack() as stack:
                    connection = await asyncpg.connect(self._url)
                    stack.push_async_callback(connection.close, timeout=2)
                    await connection.execute("SELECT pg_advisory_lock(hashtextextended('relay', 0))")
                    await connection.execute("SET synchronous_commit = off")  # a mark that is lost is a message twice
                    sender = await self._bus.sender()
                    stack.push_async_callback(sender.close)
                    failures = 0
                    self._metrics.well("relay")
                    await self._send_for_ever(connection, sender)
            except BUS_FAULTS as error:
                pause = BACK_OFF[min(failures, len(BACK_OFF) - 1)]
                failures += 1
                self._metrics.backed_off("relay", failures)
                log.warning("relay: %s, starting again in %s s", type(error).__name__, pause)
                await asyncio.sleep(pause)

    async def _send_for_ever(self, connection: asyncpg.Connection, sender: Sender) -> None:
        woken = asyncio.Event()
        await connection.add_listener("outbox", lambda *_: woken.set())
        while True:
            woken.clear()
            if sent := await send_unpublished(connection, sender, self._traces):
                self._metrics.sent(sent)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN):
                    await woken.wait()


async def send_unpublished(connection: asyncpg.Connection, sender: Sender, traces: Traces = SILENT) -> int:
    """Send some of what is committed and not yet published, mark it, and say how many it was.

    If sending fails, what was sent before is marked, so that little is sent again.
    """
    rows = await connection.fetch(UNSENT, FETCHED)
    marking: asyncio.Task[str] | None = None
    try:
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            with traces.events("producer", "relay", batch, _carried):
                await sender.send([message_of(row) for row in batch])
            if marking:
                await marking  # a connection does one thing at a time
            marking = asyncio.create_task(connection.execute(MARK, [row["seq"] for row in batch]))
    finally:
        if marking:
            await marking
    return len(rows)


def _carried(row: asyncpg.Record) -> Carried:
    return row["type"], row["event_id"], row["traceparent"]


def message_of(row: asyncpg.Record) -> Message:
    """A row of the outbox as a message of its speaker's topic."""
    return to_message(
        row["type"].rpartition(".")[0],
        event_id=row["event_id"],
        type_name=row["type"],
        subject=row["subject"],
        key=row["key"],
        version=row["version"],
        occurred_at=row["occurred_at"],
        traceparent=row["traceparent"],
        data=row["data"],
    )
