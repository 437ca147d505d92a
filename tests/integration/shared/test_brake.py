"""The brake: a bad deploy stops, whoever starts it again, and goes on once somebody has looked."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from relink.embedded import EmbeddedPostgres
from shared.bus import brake
from shared.bus import consumer as consuming
from shared.bus.consumer import Braked
from shared.bus.relay import send_unpublished
from shared.db import parked_events
from shared.events.referral import PlacesChanged
from shared.ids import new_id
from tests.integration.shared.speaking import places, say
from tests.support.databases import Probe, connected, probe_service, start_probe
from tests.support.tokens import Issuer

SOON = 60
"""Seconds within which what must happen has happened, on the slowest machine."""
KEYS = brake.LIMITS[0].keys


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def refusing(postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, issuer: Issuer) -> AsyncIterator[Probe]:
    """A bad deploy: it refuses all of three times as many keys as stop it. Only its consumer is there to run."""
    monkeypatch.setattr(consuming, "RETRIES", ())

    async def refuse(_: AsyncSession, event: PlacesChanged) -> None:
        raise LookupError

    service = probe_service()
    service.projections.on(PlacesChanged)(refuse)
    probe = await start_probe(postgres, service, issuer.trust())
    await say(probe, *[places(new_id(), 1) for _ in range(3 * KEYS)])
    sender = await probe.runtime.bus.sender()
    async with connected(probe) as connection:
        await send_unpublished(connection, sender)
    await sender.close()
    yield probe
    await probe.runtime.close()


async def run_until_braked(probe: Probe) -> int:
    """Start the consumer as a supervisor does; say how many events are parked once it has stopped."""
    with pytest.raises(Braked):
        await asyncio.wait_for(probe.service.worker(probe.runtime).consumers["projections"].run(), SOON)
    return await count_parked(probe)


async def count_parked(probe: Probe) -> int:
    async with probe.runtime.sessions() as session:
        return await session.scalar(select(func.count()).select_from(parked_events)) or 0


async def pass_time(probe: Probe, seconds: int) -> None:
    """What was parked was parked so much earlier."""
    async with connected(probe) as connection:
        await connection.execute(f"UPDATE parked_events SET parked_at = parked_at - interval '{seconds} seconds'")


async def test_a_bad_deploy_that_is_started_again_parks_nothing_more_and_says_why(
    refusing: Probe, caplog: pytest.LogCaptureFixture
) -> None:
    assert await run_until_braked(refusing) == KEYS
    caplog.clear()
    for _ in range(3):
        assert await run_until_braked(refusing) == KEYS
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.CRITICAL]
    assert (
        said
        == [f"referral.projections: stopped, {KEYS} keys parked within 60 seconds; look before starting it again"] * 3
    )
