"""Republish: what a service has said goes out once more, from its outbox to a topic that only rebuilds read.

The outbox keeps every event, so it is the archive when topics have expired. An event keeps its id, time and version:
a rebuild that meets it here and on the live topic, or twice here, writes it once. No listener reads the topic, so
nothing acts on it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import asyncpg

from shared.bus.interface import Bus
from shared.bus.relay import message_of
from shared.events import replay_of, topic_of

BATCH = 2000
TELL_EVERY = 100_000
ARCHIVE = """
SELECT event_id, type, subject, key, version, occurred_at, traceparent, data FROM outbox
WHERE published_at IS NOT NULL
    AND occurred_at >= coalesce($1::timestamptz, '-infinity') AND occurred_at < coalesce($2::timestamptz, 'infinity')
ORDER BY seq
"""
"""What is not published yet is the relay's business."""


async def republish(
    speaker: str,
    database_url: str,
    bus: Bus,
    since: datetime | None = None,
    until: datetime | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> int:
    """How many events of `since` ≤ time < `until` are durably on the replay topic, in their old order."""
    topic = replay_of(topic_of(speaker))
    sent = 0
    connection = await asyncpg.connect(database_url)
    try:
        sender = await bus.sender()
        try:
            async with connection.transaction(readonly=True):
                archive = await connection.cursor(ARCHIVE, since, until)
                while rows := await archive.fetch(BATCH):
                    await sender.send([replace(message_of(row), topic=topic) for row in rows])
                    sent += len(rows)
                    if sent % TELL_EVERY == 0:
                        tell(f"{sent:,} events")
        finally:
            await sender.close()
    finally:
        await connection.close(timeout=2)
    return sent
