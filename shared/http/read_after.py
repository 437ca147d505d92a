"""Read your writes across services: `Relink-After: <service>:<event id>, …` waits until this service is past.

Every listener puts every event it meets into its inbox, heard or not, so "past" is one look-up. An event of a service
that nobody here listens to counts as past.
"""

import asyncio
import time
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from shared.db import inbox
from shared.errors import Malformed, NotCaughtUp
from shared.events import SPEAKERS
from shared.runtime import Runtime

MOST = 8
WAIT_SECONDS = 2.0


def parse(header: str) -> list[tuple[str, UUID]]:
    """The events a header names, each once; Malformed when it names too many, or none that could exist."""
    named = list(dict.fromkeys(part.strip() for part in header.split(",") if part.strip()))
    if not 1 <= len(named) <= MOST:
        raise Malformed(f"Relink-After takes one to {MOST} events")
    events: list[tuple[str, UUID]] = []
    for each in named:
        service, _, event_id = each.partition(":")
        try:
            event = (service, UUID(event_id))
        except ValueError as error:
            raise Malformed("Relink-After must be <service>:<event id>") from error
        if service not in SPEAKERS:
            raise Malformed("Relink-After names a service that does not exist")
        if event not in events:
            events.append(event)
    return events


async def wait_until_past(runtime: Runtime, header: str) -> None:
    """Return once every listener of this service is past the events; NotCaughtUp (503) after two seconds."""
    wanted = [
        and_(inbox.c.listener == listener, inbox.c.event_id == event_id)
        for service, event_id in parse(header)
        for listener, topics in runtime.hears.items()
        if f"relink.{service}" in topics
    ]
    if not wanted:
        return
    await runtime.ears.open()
    woken = runtime.ears.listen()
    until = time.monotonic() + WAIT_SECONDS
    try:
        while True:
            woken.clear()
            async with runtime.sessions() as session:
                past = await session.scalar(select(func.count()).select_from(inbox).where(or_(*wanted)))
            if past == len(wanted):
                return
            try:
                async with asyncio.timeout(until - time.monotonic()):
                    await woken.wait()
            except TimeoutError as error:
                raise NotCaughtUp(headers={"Retry-After": "1"}) from error
    finally:
        runtime.ears.forget(woken)
