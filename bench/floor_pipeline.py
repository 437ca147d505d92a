"""The floor of the event pipeline: what the machine allows without any of the product's duties.

    commit (row, outbox row, NOTIFY) → relay → Kafka, or a table → inbox and effect, one transaction a poll → commit

It parks nothing, compares no versions, elects nobody, traces nothing, validates nothing and starts nothing again: a
figure to compare with. `python -m bench.floor_pipeline relay|project`, with a `Floor` as JSON in FLOOR.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

RELAYED, POLLED = 1000, 2000
TABLES = """
CREATE TABLE referrals (referral_id uuid PRIMARY KEY, body text NOT NULL);
CREATE TABLE outbox (seq bigserial PRIMARY KEY, event_id uuid NOT NULL, key text NOT NULL, type text NOT NULL,
    data text NOT NULL, written_at timestamptz NOT NULL DEFAULT clock_timestamp(), published_at timestamptz);
CREATE INDEX ON outbox (seq) WHERE published_at IS NULL;
CREATE TABLE messages (place bigserial PRIMARY KEY, key text NOT NULL, event_id text NOT NULL, type text NOT NULL,
    data text NOT NULL);
CREATE TABLE position (place bigint NOT NULL);
INSERT INTO position VALUES (0);
CREATE TABLE inbox (event_id uuid PRIMARY KEY);
CREATE TABLE effects (event_id uuid NOT NULL, key text NOT NULL, at timestamptz NOT NULL, status text);
"""
SAY = """
WITH referral AS (INSERT INTO referrals VALUES ($1, $5)),
     said AS (INSERT INTO outbox (event_id, key, type, data) VALUES ($2, $3, $4, $5))
SELECT pg_notify('outbox', '')
"""
UNSENT = "SELECT seq, event_id, key, type, data FROM outbox WHERE published_at IS NULL ORDER BY seq LIMIT $1"
MARK = "UPDATE outbox SET published_at = clock_timestamp() WHERE seq = ANY($1)"
SEND = """
WITH sent AS (INSERT INTO messages (key, event_id, type, data)
              SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]))
SELECT pg_notify('messages', '')
"""
NEXT = "SELECT place, key, event_id, data FROM messages WHERE place > $1 ORDER BY place LIMIT $2"
EFFECT = """
WITH fresh AS (INSERT INTO inbox SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING RETURNING event_id),
     effect AS (INSERT INTO effects SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[])
                AS event(event_id, key, at, status) JOIN fresh USING (event_id))
SELECT pg_notify('heard', '')
"""


@dataclass(frozen=True)
class Floor:
    """Where it runs: its database, and a broker's addresses or none."""

    database: str
    kafka: str = ""
    topic: str = "floor"

    def environment(self) -> dict[str, str]:
        return {"FLOOR": json.dumps(asdict(self))}


async def prepare(floor: Floor, partitions: int) -> None:
    """Tables and topic, empty."""
    connection = await asyncpg.connect(floor.database)
    try:
        await connection.execute(TABLES)
    finally:
        await connection.close()
    if floor.kafka:
        admin = AIOKafkaAdminClient(bootstrap_servers=floor.kafka)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(floor.topic, partitions, 1)])
        finally:
            await admin.close()


async def _woken(event: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            await event.wait()
    event.clear()


async def _listening(floor: Floor, channel: str) -> tuple[asyncpg.Connection, asyncio.Event]:
    connection, event = await asyncpg.connect(floor.database), asyncio.Event()
    await connection.add_listener(channel, lambda *_: event.set())
    return connection, event


async def relay(floor: Floor) -> None:
    """Outbox → Kafka, or → table. A loss of the mark is a message twice, as in the product."""
    connection, event = await _listening(floor, "outbox")
    await connection.execute("SET synchronous_commit = off")
    send = await _kafka_sender(floor) if floor.kafka else await _table_sender(floor)
    while True:
        if rows := await connection.fetch(UNSENT, RELAYED):
            await send(rows)
            await connection.execute(MARK, [row["seq"] for row in rows])
        else:
            await _woken(event)


async def _kafka_sender(floor: Floor) -> Any:
    producer = AIOKafkaProducer(
        bootstrap_servers=floor.kafka, acks="all", enable_idempotence=True, linger_ms=0, max_batch_size=262_144
    )
    await producer.start()

    async def send(rows: Sequence[asyncpg.Record]) -> None:
        acknowledged = [
            await producer.send(
                floor.topic,
                key=row["key"].encode(),
                value=row["data"].encode(),
                headers=[
                    ("ce_specversion", b"1.0"),
                    ("ce_id", str(row["event_id"]).encode()),
                    ("ce_type", row["type"].encode()),
                ],
            )
            for row in rows
        ]
        await asyncio.gather(*acknowledged)

    return send


async def _table_sender(floor: Floor) -> Any:
    connection = await asyncpg.connect(floor.database)

    async def send(rows: Sequence[asyncpg.Record]) -> None:
        ids = [str(row["event_id"]) for row in rows]
        await connection.execute(SEND, *([row[n] for row in rows] if n else ids for n in ("key", "", "type", "data")))

    return send


async def project(floor: Floor) -> None:
    """Kafka, or table → inbox and effect."""
    await (_project_kafka if floor.kafka else _project_table)(floor)


async def _apply(connection: asyncpg.Connection, ids: list[UUID], keys: list[str], data: list[Any]) -> None:
    said = [json.loads(each) for each in data]
    async with connection.transaction():
        at = [datetime.fromisoformat(each["occurred_at"]) for each in said]
        await connection.execute(EFFECT, ids, keys, at, [each.get("status") for each in said])


async def _project_kafka(floor: Floor) -> None:
    connection = await asyncpg.connect(floor.database)
    consumer = AIOKafkaConsumer(
        floor.topic,
        bootstrap_servers=floor.kafka,
        group_id=floor.topic,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    while True:
        polled = await consumer.getmany(timeout_ms=200, max_records=POLLED)
        if messages := [message for partition in polled.values() for message in partition]:
            ids = [UUID(dict(message.headers)["ce_id"].decode()) for message in messages]
            keys = [message.key.decode() for message in messages]
            await _apply(connection, ids, keys, [message.value for message in messages])
            await consumer.commit()


async def _project_table(floor: Floor) -> None:
    connection = await asyncpg.connect(floor.database)
    bus, event = await _listening(floor, "messages")
    await bus.execute("SET synchronous_commit = off")
    place = await bus.fetchval("SELECT place FROM position")
    while True:
        if rows := await bus.fetch(NEXT, place, POLLED):
            ids = [UUID(row["event_id"]) for row in rows]
            await _apply(connection, ids, [row["key"] for row in rows], [row["data"] for row in rows])
            place = rows[-1]["place"]
            await bus.execute("UPDATE position SET place = $1", place)
        else:
            await _woken(event)


if __name__ == "__main__":
    uvloop.run({"relay": relay, "project": project}[sys.argv[1]](Floor(**json.loads(os.environ["FLOOR"]))))
