"""`python -m bench.rebuild [N] [--bus kafka|postgresql]`: how fast monitoring's timeline is rebuilt from N events.

The bus is filled with referrals that are under way at the same time, each told from its sending to the acknowledged
outcome; every event is one that the timeline hears. Then the projection is rebuilt, from the first poll to the exchange
of the tables; the work of bus and database is in the figure, since they share the machine.
"""

import argparse
import asyncio
import contextlib
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import asyncpg
import uvloop

from relink.embedded import EmbeddedPostgres
from relink.embedded_kafka import EmbeddedKafka
from services.monitoring.app import service
from shared.bus import postgres as postgres_bus
from shared.bus.envelope import to_message
from shared.bus.interface import Bus, Message
from shared.events import TOPICS, Event, topic_of
from shared.events import referral as says
from shared.http.auth import Trust
from shared.ids import new_id
from shared.rebuild import Rebuilt, projection_of, rebuild
from shared.runtime import open_bus
from shared.settings import Settings

EVENTS = 1_000_000
TARGET = 15_000
"""Events a second."""
UNDER_WAY = 1000
BATCH = 2000
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
JOURNEY: tuple[tuple[type[Event], str, int, str, dict[str, object]], ...] = (
    (says.ReferralCreated, "submitted", 1, "held", {}),
    (says.ReferralReceived, "received", 1, "held", {}),
    (says.ReferralPassedOn, "submitted", 2, "held", {"how": "planned"}),
    (says.ReferralAccepted, "accepted", 2, "held", {}),
    (says.ServiceDelivered, "completed", 2, "released", {"outcome": "service_delivered"}),
    (says.ReceiptConfirmed, "completed", 2, "released", {}),
    (says.OutcomeAcknowledged, "completed", 2, "released", {}),
)
"""What is said of a referral, with its status, leg and place."""


def _referral() -> Iterator[Event]:
    referral_id, case_id, owner, hub, provider, service_id, decision = (new_id() for _ in range(7))
    for version, (kind, status, leg, place, more) in enumerate(JOURNEY, 1):
        yield kind.model_validate(
            {
                "version": version,
                "referral_id": referral_id,
                "case_id": case_id,
                "occurred_at": BEGIN + timedelta(hours=version),
                "status": status,
                "service_id": service_id,
                "need": "vocational_training",
                "priority": "normal",
                "owner_id": owner,
                "organization_id": hub if leg == 1 else provider,
                "from_organization_id": hub,
                "acted_by": owner,
                "decision_id": decision,
                "leg": leg,
                "place": place,
                **more,
            }
        )


def _events() -> Iterator[Event]:
    """Without end: UNDER_WAY referrals at a time, whichever comes next."""
    chosen = random.Random(4)
    under_way = [_referral() for _ in range(UNDER_WAY)]
    while True:
        number = chosen.randrange(UNDER_WAY)
        if (event := next(under_way[number], None)) is None:
            under_way[number] = _referral()
        else:
            yield event


def _message(event: Event) -> Message:
    return to_message(
        topic_of("referral"),
        event_id=new_id(),
        type_name=event.type_name(),
        subject=event.subject,
        key=event.partition_key,
        version=event.version,
        occurred_at=BEGIN,
        traceparent=None,
        data=event.model_dump_json(),
    )


async def _fill(bus: Bus, count: int) -> None:
    sender = await bus.sender()
    events = islice(_events(), count)
    while batch := [_message(event) for event in islice(events, BATCH)]:
        await sender.send(batch)
    await sender.close()


async def _settings(server: EmbeddedPostgres, bootstrap: str | None) -> Settings:
    connection = await asyncpg.connect(server.url())
    for name in ("monitoring", "bus"):
        await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    own = {"service": "monitoring", "database_url": server.url("monitoring"), "bus_url": server.url("bus")}
    if bootstrap:
        one_node = {"kafka_replication": 1, "kafka_min_insync": 1}
        return Settings.model_validate(own | {"bus": "kafka", "kafka": bootstrap} | one_node)
    connection = await asyncpg.connect(server.url("bus"))
    await connection.execute(postgres_bus.SCHEMA)
    await connection.close()
    return Settings.model_validate(own)


async def measure(count: int, bus: str) -> Rebuilt:
    """One rebuild of `count` events, on servers of its own."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relink-bench-")))
        server = stack.enter_context(EmbeddedPostgres(folder / "postgres", "of no use elsewhere"))
        broker = stack.enter_context(EmbeddedKafka(folder / "kafka")) if bus == "kafka" else None
        settings = await _settings(server, broker.bootstrap if broker else None)
        opened = open_bus(settings)
        await opened.make_topics(TOPICS)
        await service.migrate(settings)
        began = time.monotonic()
        await _fill(opened, count)
        await opened.close()
        print(f"filled in {time.monotonic() - began:.1f} s")
        runtime = service.runtime(settings, Trust(settings.origin, []))
        try:
            done = await rebuild(projection_of(service, "timeline"), runtime, print)
        finally:
            await runtime.close()
        assert (done.read, done.left_out) == (count, 0)
        return done


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("events", nargs="?", type=int, default=EVENTS)
    words.add_argument("--bus", choices=("postgresql", "kafka"), default="postgresql")
    asked = words.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        done = runner.run(measure(asked.events, asked.bus))
    rate = done.read / done.seconds
    print(
        f"{asked.bus}: {done.read:,} events in {done.seconds:.1f} s, {rate:,.0f}/s ({rate / TARGET:.2f} of the target)"
    )


if __name__ == "__main__":
    main()
