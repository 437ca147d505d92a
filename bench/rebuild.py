"""`python -m bench.rebuild [N] [--bus kafka|postgresql]`: how fast monitoring's timeline is rebuilt from N events.

The bus is filled with cases that are under way at the same time; of eight events the timeline hears seven. The figure
is that of the whole rebuild, from making the shadow tables to their exchange, with the work of bus and database in it:
they share the machine.
"""

import argparse
import time
from itertools import islice

import uvloop

from bench.journeys import journeys
from bench.systems import stage
from services.monitoring.app import service
from shared import clock
from shared.bus.envelope import to_message
from shared.bus.interface import Message
from shared.events import Event, topic_of
from shared.garbage import keep_what_is_loaded
from shared.http.auth import Trust
from shared.ids import new_id
from shared.rebuild import Rebuilt, projection_of, rebuild
from shared.runtime import Runtime

EVENTS = 1_000_000
LIMIT = 15_000
"""Events a second."""
BATCH = 2000


def _message(event: Event) -> Message:
    return to_message(
        topic_of(event.speaker()),
        event_id=new_id(),
        type_name=event.type_name(),
        subject=event.subject,
        key=event.partition_key,
        version=event.version,
        occurred_at=clock.now(),
        traceparent=None,
        data=event.model_dump_json(),
    )


async def _fill(runtime: Runtime, count: int) -> None:
    began = time.monotonic()
    sender = await runtime.bus.sender()
    events = journeys(count)
    while batch := [_message(event) for event in islice(events, BATCH)]:
        await sender.send(batch)
    await sender.close()
    print(f"filled in {time.monotonic() - began:.1f} s")


async def measure(count: int, bus: str) -> Rebuilt:
    """One rebuild of `count` events, on servers of its own."""
    async with stage(bus) as prepared:
        settings = prepared.settings["monitoring"]
        runtime = service.runtime(settings, Trust(settings.origin, []))
        try:
            await _fill(runtime, count)
            keep_what_is_loaded()  # as the command does
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
    done = uvloop.run(measure(asked.events, asked.bus))
    rate = done.read / done.seconds
    print(
        f"{asked.bus}: {done.read:,} events in {done.seconds:.1f} s, {rate:,.0f}/s, {rate / LIMIT:.2f} of {LIMIT:,}/s"
    )


if __name__ == "__main__":
    main()
