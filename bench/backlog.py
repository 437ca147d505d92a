"""How fast a backlog goes: the relay from outbox to bus, and then a projection from the bus to tables.

A rate is taken between the first progress that is seen and the last, so neither the start of a process nor its joining
a group is in it. Nothing else runs meanwhile but PostgreSQL, the broker, and who looks on.
"""

import asyncio
import time
from dataclasses import dataclass

import asyncpg

from bench.journeys import journeys
from bench.systems import Stage
from shared import clock
from shared.ids import new_id

EVENTS = 100_000
PATIENCE = 300.0
LOOK_SECONDS = 0.2
SENT = "SELECT $1::int - count(*) FROM outbox WHERE published_at IS NULL"
APPLIED = "SELECT least($1::int, count(*)) FROM inbox"


@dataclass(frozen=True)
class Rates:
    """Events a second; None where it was not measured."""

    relay: float
    projection: float | None


async def product(stage: Stage, project: bool) -> Rates:
    """The referral service's relay, alone in its process, then monitoring's worker: case states and the timeline.

    With all that events cost there: outbox and inbox, envelopes, validation, versions, parked keys.
    """
    source, target = await asyncpg.connect(stage.databases.referral), await asyncpg.connect(stage.databases.monitoring)
    try:
        await source.execute("TRUNCATE outbox")
        await target.execute(
            "TRUNCATE inbox, known_case_states, timeline_entries, timeline_referrals, timeline_participants"
        )
        await source.copy_records_to_table(
            "outbox",
            records=[
                (new_id(), e.type_name(), e.subject, e.partition_key, e.version, clock.now(), e.model_dump_json())
                for e in journeys(EVENTS)
            ],
            columns=("event_id", "type", "subject", "key", "version", "occurred_at", "data"),
        )
        relayed = await _rate(stage, "relay", source, SENT)
        return Rates(relayed, await _rate(stage, "monitoring", target, APPLIED) if project else None)
    finally:
        await source.close()
        await target.close()


async def floor(stage: Stage, project: bool) -> Rates:
    """The same events through the floor."""
    connection = await asyncpg.connect(stage.floor.database)
    try:
        await connection.execute("TRUNCATE outbox, inbox, effects")
        await connection.copy_records_to_table(
            "outbox",
            records=[(new_id(), str(e.partition_key), e.type_name(), e.model_dump_json()) for e in journeys(EVENTS)],
            columns=("event_id", "key", "type", "data"),
        )
        relayed = await _rate(stage, "floor relay", connection, SENT)
        return Rates(relayed, await _rate(stage, "floor project", connection, APPLIED) if project else None)
    finally:
        await connection.close()


async def _rate(stage: Stage, process: str, connection: asyncpg.Connection, progress: str) -> float:
    begun: tuple[float, int] | None = None
    until = time.monotonic() + PATIENCE
    async with stage.running(process):
        while (done := int(await connection.fetchval(progress, EVENTS))) < EVENTS:
            now = time.monotonic()
            assert now < until, f"{process}: {done} of {EVENTS} done in time"
            if begun is None and done:
                begun = (now, done)
            await asyncio.sleep(LOOK_SECONDS if begun else 0.01)
        now = time.monotonic()
    assert begun is not None, "too fast to be seen"
    return (EVENTS - begun[1]) / (now - begun[0])
