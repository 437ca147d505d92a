"""The faults. Each holds its victim at one moment, kills it there with -9, lets go and starts it again.

What holds it: SIGSTOP for a process that must not have gone on, a lock for one that must have come so far and no
further. That it has is read from the database, so no fault depends on luck.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient

from relink.deployment import Deployment
from relink.embedded_kafka import EmbeddedKafka
from tests.faults.lives import Life

PATIENCE_SECONDS = 180.0
MARKS = """
SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE outbox SET published_at%'
"""
CUT_OFF = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE outbox SET published_at%'
"""
"""A statement whose client is dead would go on once it has its lock, and mark what nobody waited for."""
WRITES = """
SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE relation = $1::text::regclass AND mode = 'RowExclusiveLock' AND NOT granted AND query NOT LIKE 'UPDATE outbox%'
"""
"""Who waits to write into a table, the mark of the relay apart."""
PROJECTED = "SELECT count(*) FROM timeline_referrals WHERE referral_id = $1::text::uuid"


@dataclass
class Stage:
    """What a fault plays on."""

    deployment: Deployment
    kafka: EmbeddedKafka

    @asynccontextmanager
    async def database(self, service: str) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self.deployment.settings[service].database_url.get_secret_value())
        try:
            yield connection
        finally:
            await connection.close(timeout=5)

    @asynccontextmanager
    async def stopped(self, service: str, kind: str) -> AsyncIterator[None]:
        """Inside, the process does nothing."""
        number = self.deployment.processes.of[service, kind].number
        os.kill(number, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(number, signal.SIGCONT)

    @asynccontextmanager
    async def locked(self, service: str, table: str) -> AsyncIterator[None]:
        """Inside, nobody writes into the table: whoever wants to waits."""
        async with self.database(service) as holder, holder.transaction():
            await holder.execute(f"LOCK TABLE {table} IN SHARE MODE")
            yield

    def kill(self, service: str, kind: str) -> None:
        self.deployment.processes.of[service, kind].kill()

    async def start(self, service: str, kind: str) -> None:
        self.deployment.processes.of[service, kind].start()
        await self.deployment.processes.ready()


Fault = Callable[[Stage, Life], Awaitable[None]]


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Return once the condition holds; TimeoutError, saying of what, when it never does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not await condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        await asyncio.sleep(0.02)


async def _somebody(database: asyncpg.Connection, question: str, *about: str) -> None:
    """Somebody has come as far as `question` asks."""

    async def there() -> bool:
        return bool(await database.fetchval(question, *about))

    await until(there, f"nobody comes so far: {question} {about}")


async def relay_after_a_commit(stage: Stage, life: Life) -> None:
    """The referral is committed, and its relay dies before it has read of it."""
    os.kill(stage.deployment.processes.of["referral", "worker"].number, signal.SIGSTOP)
    await life.send()
    stage.kill("referral", "worker")
    await stage.start("referral", "worker")


async def relay_between_send_and_mark(stage: Stage, life: Life) -> None:
    """The relay has sent, and dies while it marks: it will send again."""
    async with stage.database("referral") as holder, stage.database("referral") as watcher, holder.transaction():
        async with stage.stopped("referral", "worker"):
            await life.send()
            await holder.execute("SELECT FROM outbox WHERE published_at IS NULL FOR UPDATE")
        await _somebody(watcher, MARKS)
        stage.kill("referral", "worker")
        await watcher.execute(CUT_OFF)
    await stage.start("referral", "worker")


async def listener_in_the_middle_of_a_batch(stage: Stage, life: Life) -> None:
    """Monitoring has claimed the events and written a part of what they say, and dies before it commits."""
    async with stage.database("monitoring") as watcher, stage.locked("monitoring", "timeline_referrals"):
        await life.send()
        await _somebody(watcher, WRITES, "timeline_referrals")
        stage.kill("monitoring", "worker")
    await stage.start("monitoring", "worker")


async def listener_between_commit_and_position(stage: Stage, life: Life) -> None:
    """Monitoring has committed what it heard, and dies before the broker knows: it will hear it again."""
    async with stage.database("monitoring") as watcher:
        async with stage.locked("monitoring", "timeline_referrals"):
            await life.send()
            await _somebody(watcher, WRITES, "timeline_referrals")
            stage.kafka.signal(signal.SIGSTOP)
        await _somebody(watcher, PROJECTED, life.referral["referral_id"])
        stage.kill("monitoring", "worker")
        stage.kafka.signal(signal.SIGCONT)
    await stage.start("monitoring", "worker")


async def api_in_the_middle_of_a_request(stage: Stage, life: Life) -> None:
    """The referral's rows are written and not committed, and the API dies; the sender asks again."""
    async with stage.database("referral") as holder, stage.database("referral") as watcher, holder.transaction():
        await holder.execute("LOCK TABLE outbox IN SHARE MODE")
        sending = asyncio.create_task(life.send())
        await _somebody(watcher, WRITES, "outbox")
        stage.kill("referral", "api")
    await stage.start("referral", "api")
    await sending


async def leading_broker(stage: Stage, life: Life) -> None:
    """The broker that leads most partitions of the referrals dies, and comes back when the others have taken over."""
    leader = await _leader(stage.kafka.bootstrap)
    stage.kafka.kill(leader)
    await life.send()
    await stage.deployment.processes.ready()
    await asyncio.to_thread(stage.kafka.start, leader)


async def _leader(bootstrap: str) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        (topic,) = await admin.describe_topics(["relink.referral"])
        led: list[int] = [partition["leader"] for partition in topic["partitions"]]
        return max(led, key=led.count)
    finally:
        await admin.close()


FAULTS: tuple[Fault, ...] = (
    relay_after_a_commit,
    relay_between_send_and_mark,
    listener_in_the_middle_of_a_batch,
    listener_between_commit_and_position,
    api_in_the_middle_of_a_request,
    leading_broker,
)
