"""Events for a service that has nothing but the plumbing: said, sent, heard and redriven."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from relink.embedded import EmbeddedPostgres
from shared import outbox
from shared.bus import parked
from shared.bus.interface import Message
from shared.bus.redrive import Redriven, redrive
from shared.errors import NotCaughtUp
from shared.events.referral import PlacesChanged
from shared.http.auth import Trust
from shared.http.read_after import wait_until_past
from shared.runtime import Runtime
from tests.support.databases import Ground, Probe, probe_service


def places(service_id: UUID, version: int) -> PlacesChanged:
    return PlacesChanged(
        version=version, service_id=service_id, set_aside=1, held=0, offered=0, used=0, queued=0, free=1
    )


async def say(probe: Probe, *events: Any) -> str:
    async with probe.runtime.sessions() as session:
        for event in events:
            await outbox.publish(session, event)
        await session.commit()
        last = outbox.last_event(session)
    assert last is not None
    return last


async def send(probe: Probe, *messages: Message) -> None:
    sender = await probe.runtime.bus.sender()
    await sender.send(messages)
    await sender.close()


async def heard_by(runtime: Runtime, last: str) -> None:
    """The service has heard that event, however long it takes."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(NotCaughtUp):
                await wait_until_past(runtime, last)
                return


async def redrive_all(probe: Probe, parked_id: int) -> Redriven:
    """What `parked_id` is the first event of, redriven in the service's own way."""
    async with probe.runtime.sessions() as session:
        key = await parked.find(session, parked_id)
    assert key is not None
    return await redrive(probe.service.worker(probe.runtime).consumers[key.listener], probe.runtime.sessions, key)


@asynccontextmanager
async def listening(
    server: EmbeddedPostgres | Ground, trust: Trust | None = None, **handlers: Callable[..., Any]
) -> AsyncIterator[Probe]:
    """A probe whose worker runs, with `projection` and `reaction` hearing PlacesChanged."""
    service = probe_service()
    if "projection" in handlers:
        service.projections.on(PlacesChanged)(handlers["projection"])
    if "reaction" in handlers:
        service.reactions.on(PlacesChanged)(handlers["reaction"])
    ground = server if isinstance(server, Ground) else Ground(server)
    probe = await ground.start(service, trust)
    task = asyncio.create_task(service.worker(probe.runtime).run())
    try:
        yield probe
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await probe.runtime.close()
