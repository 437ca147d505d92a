"""The bus of one machine: a table in PostgreSQL, durable and in order, with an offset for each group.

A batch takes its offsets from the topic's row and holds that row's lock until it commits, so offsets become visible in
order (tailing a sequence would skip rows that commit late). A group's reader holds an advisory lock: one at a time.
"""

import asyncio
import base64
import contextlib
import json
from collections.abc import Sequence

import asyncpg

from shared.bus.interface import Headers, Message, Positions, UnknownTopic

SCHEMA = """
CREATE TABLE IF NOT EXISTS topics (topic text PRIMARY KEY, next_offset bigint NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS messages (
    topic text NOT NULL REFERENCES topics, "offset" bigint NOT NULL, key bytea, value bytea, headers text NOT NULL,
    sent_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (topic, "offset"));
CREATE TABLE IF NOT EXISTS positions (
    reader text NOT NULL, topic text NOT NULL REFERENCES topics, next_offset bigint NOT NULL,
    PRIMARY KEY (reader, topic));
CREATE OR REPLACE FUNCTION announce() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('messages', topic) FROM (SELECT DISTINCT topic FROM added) t; RETURN NULL; END $$;
CREATE OR REPLACE TRIGGER messages_announced AFTER INSERT ON messages REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION announce();
"""
GRANTS = """
GRANT USAGE ON SCHEMA public TO {role};
GRANT SELECT, INSERT, UPDATE ON topics, positions TO {role};
GRANT SELECT, INSERT ON messages TO {role};
"""
SEND = """
WITH taken AS (UPDATE topics SET next_offset = next_offset + cardinality($2::bytea[]) WHERE topic = $1
               RETURNING next_offset - cardinality($2::bytea[]) AS base)
INSERT INTO messages (topic, "offset", key, value, headers)
SELECT $1, taken.base + sent.place - 1, sent.key, sent.value, sent.headers
FROM taken, unnest($2::bytea[], $3::bytea[], $4::text[]) WITH ORDINALITY AS sent(key, value, headers, place)
"""
NEXT = """
SELECT m.topic, m."offset", m.key, m.value, m.headers
FROM unnest($1::text[], $2::bigint[]) AS at(topic, next_offset)
CROSS JOIN LATERAL (
    SELECT * FROM messages WHERE messages.topic = at.topic AND messages."offset" >= at.next_offset
    ORDER BY "offset" LIMIT $3) m
ORDER BY m.topic, m."offset" LIMIT $3
"""
POSITIONS = "SELECT topic, next_offset FROM positions WHERE reader = $1 AND topic = ANY($2)"
KEEP = """
INSERT INTO positions (reader, topic, next_offset) SELECT $1, * FROM unnest($2::text[], $3::bigint[])
ON CONFLICT (reader, topic) DO UPDATE SET next_offset = greatest(positions.next_offset, excluded.next_offset)
"""
LAG = """
SELECT coalesce(sum(t.next_offset - greatest(p.next_offset, coalesce(
    (SELECT min("offset") FROM messages m WHERE m.topic = t.topic), t.next_offset))), 0)
FROM topics t LEFT JOIN positions p ON p.topic = t.topic AND p.reader = $1 WHERE t.topic = ANY($2)
"""
"""What has expired is nobody's to read: it does not count."""
ENDS = """
SELECT topic, next_offset FROM topics t
WHERE topic = ANY($1) AND EXISTS (SELECT FROM messages m WHERE m.topic = t.topic)
"""
UNKNOWN_TOPIC = "the bus has no topic {}: run migrate"


class PostgresSender:
    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def send(self, messages: Sequence[Message]) -> None:
        """One statement for each topic: a batch is on the bus whole or not at all."""
        for topic in dict.fromkeys(message.topic for message in messages):
            batch = [message for message in messages if message.topic == topic]
            sent = await self._connection.execute(
                SEND, topic, [m.key for m in batch], [m.value for m in batch], [_to_text(m.headers) for m in batch]
            )
            if sent == "INSERT 0 0":
                raise UnknownTopic(UNKNOWN_TOPIC.format(topic))

    async def close(self) -> None:
        await self._connection.close(timeout=2)


class _Reading:
    """Reads topics from positions of its own; what `commit` keeps and `rewind` goes back to is for those below."""

    def __init__(self, connection: asyncpg.Connection, topics: Sequence[str]) -> None:
        self._connection = connection
        self._topics = list(topics)
        self._at: dict[str, int] = dict.fromkeys(topics, 0)
        self._woken = asyncio.Event()

    def _hear(self, _connection: object, _pid: int, _channel: str, topic: object) -> None:
        if topic in self._topics:
            self._woken.set()

    async def poll(self, limit: int, wait: float) -> list[Message]:
        self._woken.clear()
        if not (rows := await self._next(limit)):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._woken.wait()
            rows = await self._next(limit)
        for row in rows:
            self._at[row["topic"]] = max(self._at[row["topic"]], row["offset"] + 1)
        return [
            Message(row["topic"], row["key"], row["value"], _from_text(row["headers"]), 0, row["offset"])
            for row in rows
        ]

    async def _next(self, limit: int) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self._connection.fetch(NEXT, list(self._at), list(self._at.values()), limit)
        return rows

    async def close(self) -> None:
        await self._connection.close(timeout=2)  # closed, not pooled: an advisory lock goes with it


class PostgresSubscription(_Reading):
    """The reading of a group: one process at a time, by an advisory lock; its position is kept."""

    def __init__(self, connection: asyncpg.Connection, group: str, topics: Sequence[str]) -> None:
        super().__init__(connection, topics)
        self._group = group

    async def open(self) -> None:
        await self._connection.execute("SELECT pg_advisory_lock(hashtextextended($1, 0))", f"reader {self._group}")
        await self._connection.execute("SET synchronous_commit = off")  # a position that is lost is read again, once
        await self._connection.add_listener("messages", self._hear)
        await self.rewind()

    async def rewind(self) -> None:
        known = {
            row["topic"]: row["next_offset"]
            for row in await self._connection.fetch(POSITIONS, self._group, self._topics)
        }
        self._at = {topic: known.get(topic, 0) for topic in self._topics}

    async def commit(self, messages: Sequence[Message]) -> None:
        done = _next_offsets(messages)
        await self._connection.execute(KEEP, self._group, list(done), list(done.values()))


class PostgresReplay(_Reading):
    """A reading from the earliest message that leaves no trace on the bus."""

    def __init__(self, connection: asyncpg.Connection, topics: Sequence[str]) -> None:
        super().__init__(connection, topics)
        self._done: dict[str, int] = dict.fromkeys(topics, 0)

    async def rewind(self) -> None:
        self._at = dict(self._done)

    async def commit(self, messages: Sequence[Message]) -> None:
        self._done |= _next_offsets(messages)

    async def ends(self) -> Positions:
        rows = await self._connection.fetch(ENDS, self._topics)
        return {(row["topic"], 0): row["next_offset"] for row in rows}


def _next_offsets(messages: Sequence[Message]) -> dict[str, int]:
    """Topic → the offset behind the last of these messages."""
    done: dict[str, int] = {}
    for message in messages:
        done[message.topic] = max(done.get(message.topic, 0), message.offset + 1)
    return done


class PostgresBus:
    """`url`: `postgresql://…` of the bus database, as a role that `GRANTS` was run for."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: asyncpg.Pool | None = None

    async def _connections(self) -> asyncpg.Pool:
        if self._pool is None:
            self._pool = await asyncpg.create_pool(self._url, min_size=0, max_size=2)
        return self._pool

    async def make_topics(self, topics: Sequence[str]) -> None:
        pool = await self._connections()
        await pool.execute("INSERT INTO topics (topic) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", list(topics))

    async def topic_faults(self, topics: Sequence[str]) -> list[str]:
        known = {row["topic"] for row in await (await self._connections()).fetch("SELECT topic FROM topics")}
        return [UNKNOWN_TOPIC.format(topic) for topic in topics if topic not in known]

    async def begin_at_end(self, groups: Sequence[str], topics: Sequence[str]) -> None:
        pool = await self._connections()
        for group in groups:
            await pool.execute(
                "INSERT INTO positions (reader, topic, next_offset) SELECT $1, topic, next_offset FROM topics"
                " WHERE topic = ANY($2) ON CONFLICT DO NOTHING",
                group,
                list(topics),
            )

    async def sender(self) -> PostgresSender:
        return PostgresSender(await asyncpg.connect(self._url))

    async def subscribe(self, group: str, topics: Sequence[str]) -> PostgresSubscription:
        subscription = PostgresSubscription(await asyncpg.connect(self._url), group, topics)
        try:
            await subscription.open()
        except BaseException:  # a standby that is stopped while it waits must not keep its connection
            await subscription.close()
            raise
        return subscription

    async def replay(self, topics: Sequence[str]) -> PostgresReplay:
        return PostgresReplay(await asyncpg.connect(self._url), topics)

    async def lag(self, group: str, topics: Sequence[str]) -> int:
        return int(await (await self._connections()).fetchval(LAG, group, list(topics)))

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()


def _to_text(headers: Headers) -> str:
    """Names and values; a value that is text stands as it is, any other as base64 in a list."""
    try:
        return json.dumps([(name, None if value is None else value.decode()) for name, value in headers])
    except UnicodeDecodeError:
        return json.dumps([(name, _value_as_json(value)) for name, value in headers])


def _value_as_json(value: bytes | None) -> str | list[str] | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return [base64.b64encode(value or b"").decode()]


def _from_text(kept: str) -> Headers:
    return [
        (name, value.encode() if isinstance(value, str) else None if value is None else base64.b64decode(value[0]))
        for name, value in json.loads(kept)
    ]
