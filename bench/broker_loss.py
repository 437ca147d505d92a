"""`python -m bench.broker_loss`: three brokers, a steady rate, and the one that leads is killed (kill -9).

Two figures, in seconds after the kill: until the last referral that waited longer than a second for monitoring was seen
there, and until the last answer of monitoring's `readyz` that was not 200. None may be missing.
"""

import asyncio
import time
from dataclasses import dataclass

import httpx
import uvloop
from aiokafka.admin import AIOKafkaAdminClient

from bench import latency
from bench.systems import Stage, stage
from relink.ports import free_port

BEFORE, AFTER = 5.0, 40.0
LATE_SECONDS = 1.0
LIMIT = 15.0


@dataclass(frozen=True)
class Loss:
    """Seconds after the kill, and over how many referrals."""

    lag_gone: float
    ready: float
    slowest: float
    referrals: int


async def measure() -> Loss:
    """One loss."""
    async with stage("kafka", nodes=3) as prepared:
        port = free_port()
        settings = prepared.settings["monitoring"].model_copy(update={"port": port})
        prepared.settings["monitoring"] = settings
        async with (
            prepared.running("referral", "monitoring", "readiness"),
            latency.product(prepared.databases) as way,
            latency.observing(way) as observer,
        ):
            await latency.load(way, observer, BEFORE)
            await observer.until_all_are_seen()
            unready = asyncio.create_task(_last_unready(port, AFTER + BEFORE))
            loading = asyncio.create_task(latency.load(way, observer, AFTER))
            await asyncio.sleep(BEFORE)
            killed_at = time.time()
            await _kill_the_leader(prepared)
            said = await loading
            await observer.until_all_are_seen()
            written_at = {row["id"]: row["at"] for row in await way.source.fetch(way.written, said)}
            seen_at = observer.seen_at
            late = [seen_at[each] for each in said if seen_at[each] - written_at[each] > LATE_SECONDS]
            slowest = max(seen_at[each] - written_at[each] for each in said)
            return Loss(
                max(0.0, max(late, default=killed_at) - killed_at),
                max(0.0, await unready - killed_at),
                slowest,
                len(said),
            )


async def _kill_the_leader(prepared: Stage) -> None:
    """The broker that leads the referral service's first partition."""
    broker, settings = prepared.broker, prepared.settings["referral"]
    if broker is None:
        raise RuntimeError("there is no broker to lose")
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        (topic,) = await admin.describe_topics([f"{settings.kafka_prefix}relink.referral"])
    finally:
        await admin.close()
    leader = next(each["leader"] for each in topic["partitions"] if each["partition"] == 0)
    broker.kill(leader)


async def _last_unready(port: int, seconds: float) -> float:
    """When monitoring last said that it was not ready."""
    last, until = 0.0, time.monotonic() + seconds
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5) as http:
        while time.monotonic() < until:
            try:
                ready = (await http.get("/monitoring/readyz")).is_success
            except httpx.HTTPError:
                ready = False
            if not ready:
                last = time.time()
            await asyncio.sleep(0.2)
    return last


if __name__ == "__main__":
    loss = uvloop.run(measure())
    print("| | measured | limit |", "| --- | --- | --- |", sep="\n")
    print(f"| loss of a broker of three: no referral is late any more | {loss.lag_gone:.1f} s | ≤ {LIMIT:g} s |")
    print(f"| loss of a broker of three: ready | {loss.ready:.1f} s | ≤ {LIMIT:g} s |")
    print(f"| the longest that one of {loss.referrals:,} referrals took | {loss.slowest:.1f} s | |")
