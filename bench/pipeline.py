"""How long after its commit a referral is visible in monitoring, on the PostgreSQL bus at a steady rate.

    transaction with outbox row → relay → bus → monitoring's projections → seen by a reader of monitoring's database

The clock starts when the referral service's outbox row is written, just before its transaction commits, so the commit
is in the figure; it stops when another connection to monitoring's database has read the referral. Both are the clock of
this machine. The referrals are said as the referral service says them, by `outbox.publish` in a transaction on its
database, and not through its HTTP API: what is measured is the way between the services.
"""

import asyncio
import contextlib
import statistics
import time
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bench.systems import Databases
from shared import clock, outbox
from shared.db import engine_for
from shared.events.referral import ReferralCreated
from shared.ids import new_id
from shared.outbox import RelinkSession

RATE = 100
SECONDS = 12
WARM_UP_SECONDS = 3
RUNS = 3
PATIENCE = 30.0
NEW = "SELECT referral_id FROM timeline_referrals WHERE first_at > clock_timestamp() - interval '5 s'"
ALL = "SELECT referral_id FROM timeline_referrals WHERE referral_id = ANY($1)"
WRITTEN = "SELECT subject, extract(epoch FROM written_at)::float8 AS at FROM outbox WHERE subject = ANY($1)"


@dataclass(frozen=True)
class Run:
    """Milliseconds from commit to visible, over all referrals of one run."""

    referrals: int
    p50: float
    p95: float
    p99: float
    slowest: float


def _summed_up(milliseconds: list[float]) -> Run:
    cuts = statistics.quantiles(milliseconds, n=100, method="inclusive")
    return Run(len(milliseconds), cuts[49], cuts[94], cuts[98], max(milliseconds))


def median_of(runs: list[Run]) -> Run:
    """The median of each figure over the runs."""
    middle = {name: statistics.median(getattr(run, name) for run in runs) for name in ("p50", "p95", "p99", "slowest")}
    return Run(sum(run.referrals for run in runs), **middle)


class Observer:
    """Reads monitoring's database whenever it says that something was heard, and notes when it saw what."""

    def __init__(self) -> None:
        self.seen_at: dict[UUID, float] = {}
        self._woken = asyncio.Event()

    async def watch(self, url: str) -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.add_listener("heard", lambda *_: self._woken.set())
            while True:
                await self._woken.wait()
                self._woken.clear()
                rows = await connection.fetch(NEW)
                now = time.time()
                for row in rows:
                    self.seen_at.setdefault(row["referral_id"], now)
        finally:
            await connection.close()


def _referral() -> ReferralCreated:
    return ReferralCreated(
        version=1,
        referral_id=new_id(),
        case_id=new_id(),
        occurred_at=clock.now(),
        status="submitted",
        service_id=new_id(),
        need="vocational_training",
        priority="normal",
        owner_id=new_id(),
        organization_id=new_id(),
        acted_by=new_id(),
        leg=1,
        place="held",
        decision_id=new_id(),
    )


async def _say(sessions: async_sessionmaker[AsyncSession]) -> UUID:
    event = _referral()
    async with sessions() as session:
        await outbox.publish(session, event)
        await session.commit()
    return event.referral_id


async def _load(sessions: async_sessionmaker[AsyncSession], seconds: float) -> list[UUID]:
    """RATE referrals a second, evenly, each in a transaction of its own, whether or not earlier ones are through."""
    began = time.perf_counter()
    said = []
    for number in range(int(RATE * seconds)):
        await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
        said.append(asyncio.create_task(_say(sessions)))
    return list(await asyncio.gather(*said))


async def _until_all_are_visible(connection: asyncpg.Connection, referrals: list[UUID]) -> None:
    until = time.monotonic() + PATIENCE
    while len(await connection.fetch(ALL, referrals)) < len(referrals):
        assert time.monotonic() < until, "monitoring did not hear everything"
        await asyncio.sleep(0.05)


async def measure(databases: Databases) -> list[Run]:
    """RUNS runs, after a warm-up; every referral must have arrived, and exactly as many as were sent."""
    engine = engine_for(databases.referral, 5)
    sessions = async_sessionmaker(engine, sync_session_class=RelinkSession)
    referral, monitoring = await asyncpg.connect(databases.referral), await asyncpg.connect(databases.monitoring)
    observer = Observer()
    watching = asyncio.create_task(observer.watch(databases.monitoring))
    runs = []
    try:
        await _until_all_are_visible(monitoring, await _load(sessions, WARM_UP_SECONDS))
        for _ in range(RUNS):
            sent = await _load(sessions, SECONDS)
            await _until_all_are_visible(monitoring, sent)
            await asyncio.sleep(0.2)  # the observer reads once more
            written_at = {row["subject"]: row["at"] for row in await referral.fetch(WRITTEN, sent)}
            runs.append(_summed_up([(observer.seen_at[each] - written_at[each]) * 1000 for each in sent]))
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        await monitoring.close()
        await referral.close()
        await engine.dispose()
    return runs
