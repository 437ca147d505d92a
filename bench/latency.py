"""How long after its commit a referral is visible in monitoring, at a steady rate.

    transaction with outbox row → relay → bus → monitoring's projections → seen by a reader of monitoring's database

The clock starts when the outbox row is written, just before its transaction commits, so the commit is in the figure; it
stops when another connection to the reading database has read the effect. Both are the clock of this machine. The
referrals are said as the referral service says them, by `outbox.publish` in a transaction on its database, and not
through its HTTP API: what is measured is the way between the services. The floor is measured in the same way.
"""

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import async_sessionmaker

from bench import floor_pipeline
from bench.floor_pipeline import Floor
from bench.journeys import created
from bench.systems import Databases
from shared import outbox
from shared.db import engine_for
from shared.ids import new_id
from shared.outbox import RelinkSession

RATE = 100
SECONDS = 12
WARM_UP_SECONDS = 3
PATIENCE = 300.0


@dataclass(frozen=True)
class Figures:
    """Milliseconds from commit to visible."""

    p50: float
    p95: float
    p99: float
    slowest: float


@dataclass(frozen=True)
class Way:
    """`say` begins it and tells the id under which it is looked for; both statements take such ids."""

    say: Callable[[], Awaitable[UUID]]
    source: asyncpg.Connection
    target: asyncpg.Connection
    written: str
    seen: str


@asynccontextmanager
async def product(databases: Databases) -> AsyncIterator[Way]:
    engine = engine_for(databases.referral, 5)
    sessions = async_sessionmaker(engine, sync_session_class=RelinkSession)

    async def say() -> UUID:
        event = created()
        async with sessions() as session:
            await outbox.publish(session, event)
            await session.commit()
        return event.referral_id

    source, target = await asyncpg.connect(databases.referral), await asyncpg.connect(databases.monitoring)
    try:
        yield Way(
            say,
            source,
            target,
            "SELECT subject AS id, extract(epoch FROM written_at)::float8 AS at FROM outbox WHERE subject = ANY($1)",
            "SELECT referral_id AS id FROM timeline_referrals WHERE referral_id = ANY($1)",
        )
    finally:
        await source.close()
        await target.close()
        await engine.dispose()


@asynccontextmanager
async def floor(where: Floor) -> AsyncIterator[Way]:
    pool = await asyncpg.create_pool(where.database, min_size=5, max_size=10)

    async def say() -> UUID:
        event, event_id = created(), new_id()
        await pool.execute(
            floor_pipeline.SAY,
            event.referral_id,
            event_id,
            str(event.partition_key),
            event.type_name(),
            event.model_dump_json(),
        )
        return event_id

    source, target = await asyncpg.connect(where.database), await asyncpg.connect(where.database)
    try:
        yield Way(
            say,
            source,
            target,
            "SELECT event_id AS id, extract(epoch FROM written_at)::float8 AS at FROM outbox WHERE event_id = ANY($1)",
            "SELECT event_id AS id FROM inbox WHERE event_id = ANY($1)",
        )
    finally:
        await source.close()
        await target.close()
        await pool.close()


class Observer:
    """Whenever the target says that something was heard, looks for what it waits for, and notes when it saw it."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._waiting: set[UUID] = set()
        self._woken = asyncio.Event()
        self.seen_at: dict[UUID, float] = {}

    def wait_for(self, wanted: UUID) -> None:
        self._waiting.add(wanted)
        self._woken.set()

    async def watch(self) -> None:
        await self._way.target.add_listener("heard", lambda *_: self._woken.set())
        while True:
            await self._woken.wait()
            self._woken.clear()
            if self._waiting:
                rows = await self._way.target.fetch(self._way.seen, list(self._waiting))
                now = time.time()
                self.seen_at |= {row["id"]: now for row in rows}
                self._waiting -= {row["id"] for row in rows}

    async def until_all_are_seen(self) -> None:
        until = time.monotonic() + PATIENCE
        while self._waiting:
            assert time.monotonic() < until, f"{len(self._waiting)} did not arrive"
            await asyncio.sleep(0.05)


async def load(way: Way, observer: Observer, seconds: float) -> list[UUID]:
    """RATE a second, evenly, each in a transaction of its own, whether or not earlier ones are through."""

    async def say() -> UUID:
        said = await way.say()
        observer.wait_for(said)
        return said

    began = time.perf_counter()
    said = []
    for number in range(int(RATE * seconds)):
        await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
        said.append(asyncio.create_task(say()))
    return list(await asyncio.gather(*said))


@asynccontextmanager
async def observing(way: Way) -> AsyncIterator[Observer]:
    observer = Observer(way)
    watching = asyncio.create_task(observer.watch())
    try:
        yield observer
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


async def measure(way: Way) -> Figures:
    """One run after a warm-up. All must arrive."""
    async with observing(way) as observer:
        await load(way, observer, WARM_UP_SECONDS)
        await observer.until_all_are_seen()
        said = await load(way, observer, SECONDS)
        await observer.until_all_are_seen()
    written_at = {row["id"]: row["at"] for row in await way.source.fetch(way.written, said)}
    took = [(observer.seen_at[each] - written_at[each]) * 1000 for each in said]
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    return Figures(cuts[49], cuts[94], cuts[98], max(took))


def median_of(runs: list[Figures]) -> Figures:
    """The median of each figure over the runs."""
    return Figures(*(statistics.median(each) for each in zip(*(vars(run).values() for run in runs), strict=True)))
