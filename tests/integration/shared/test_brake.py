"""The brake: a bad deploy stops, whoever starts it again, and goes on once somebody has looked."""

import asyncio
import logging
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from relink.embedded import EmbeddedPostgres
from shared.bus import brake, discards, parked
from shared.bus import consumer as consuming
from shared.bus.consumer import Braked
from shared.bus.interface import Message
from shared.bus.relay import send_unpublished
from shared.db import parked_events
from shared.events.referral import PlacesChanged
from shared.ids import new_id
from tests.integration.shared.speaking import heard_by, listening, places, say, send
from tests.support.databases import Probe, probe_service, start_probe
from tests.support.tokens import Issuer

SOON = 60
"""Seconds within which what must happen has happened, on the slowest machine."""
KEYS = 20
MINUTE, HOUR = 600, 36_000
"""Longer than they are outside of tests: however slow a machine is, they do not pass by themselves."""
LOOKED = discards.Decision(by="tests", reason="looked at")


@pytest.fixture(autouse=True)
def _long_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [limit.keys for limit in brake.LIMITS] == [KEYS, 3 * KEYS]
    monkeypatch.setattr(brake, "LIMITS", (brake.Limit(KEYS, MINUTE), brake.Limit(3 * KEYS, HOUR)))


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def refusing(postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, issuer: Issuer) -> AsyncIterator[Probe]:
    """A bad deploy, not yet started: it refuses everything, and there are four times as many keys as stop it."""
    monkeypatch.setattr(consuming, "RETRIES", ())

    async def refuse(_: AsyncSession, event: PlacesChanged) -> None:
        raise LookupError

    service = probe_service()
    service.projections.on(PlacesChanged)(refuse)
    probe = await start_probe(postgres, service, issuer.trust())
    await say(probe, *[places(new_id(), 1) for _ in range(4 * KEYS)])
    sender = await probe.runtime.bus.sender()
    connection = await asyncpg.connect(probe.settings.database_url.get_secret_value())
    await send_unpublished(connection, sender)
    await connection.close()
    await sender.close()
    yield probe
    await probe.runtime.close()


async def run(probe: Probe) -> None:
    """The listener as a supervisor starts it, until it stops."""
    async with asyncio.timeout(SOON):
        await probe.service.worker(probe.runtime).consumers["projections"].run()


async def parked_after_a_run(probe: Probe) -> int:
    """How many events are parked once the brake has stopped the listener."""
    with pytest.raises(Braked):
        await run(probe)
    return await count_parked(probe)


async def count_parked(probe: Probe) -> int:
    async with probe.runtime.sessions() as session:
        return await session.scalar(select(func.count()).select_from(parked_events)) or 0


async def pass_time(probe: Probe, seconds: int) -> None:
    """Everything that is parked was parked so much earlier."""
    earlier = text("UPDATE parked_events SET parked_at = parked_at - make_interval(secs => :seconds)")
    async with probe.runtime.sessions() as session:
        await session.execute(earlier, {"seconds": seconds})
        await session.commit()


async def discard(probe: Probe, most: int) -> None:
    async with probe.runtime.sessions() as session:
        for row in (await session.execute(parked.heads().limit(most))).all():
            await discards.discard(session, parked.ParkedKey(**row._mapping), LOOKED)
        await session.commit()


async def test_a_bad_deploy_that_is_started_again_parks_nothing_more_and_says_why(
    refusing: Probe, caplog: pytest.LogCaptureFixture
) -> None:
    assert await parked_after_a_run(refusing) == KEYS
    caplog.clear()
    for _ in range(3):
        assert await parked_after_a_run(refusing) == KEYS
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.CRITICAL]
    stopped = (
        f"referral.projections: stopped, {KEYS} keys parked within {MINUTE} seconds; look before starting it again"
    )
    assert said == [stopped] * 3


async def test_a_standby_that_takes_over_from_a_bad_deploy_parks_nothing_more(refusing: Probe) -> None:
    ended = await asyncio.gather(run(refusing), run(refusing), return_exceptions=True)
    assert [type(each) for each in ended] == [Braked, Braked]
    assert await count_parked(refusing) == KEYS


async def test_a_bad_deploy_that_is_started_again_all_night_parks_a_bounded_number_an_hour(refusing: Probe) -> None:
    for night in range(1, 4):
        assert await parked_after_a_run(refusing) == night * KEYS
        await pass_time(refusing, MINUTE)
    assert await parked_after_a_run(refusing) == 3 * KEYS
    await pass_time(refusing, HOUR)
    assert await parked_after_a_run(refusing) == 4 * KEYS


async def test_the_brake_is_off_once_one_of_its_keys_was_discarded(refusing: Probe) -> None:
    assert await parked_after_a_run(refusing) == KEYS
    await discard(refusing, 1)
    assert await parked_after_a_run(refusing) == KEYS  # one more was parked, and that was again one too many


async def test_what_could_not_be_read_and_was_discarded_is_not_parked_again(postgres: EmbeddedPostgres) -> None:
    """The listener stopped before it could say how far it had come, so it meets the same messages again."""
    heard: list[int] = []

    async def hear(_: AsyncSession, event: PlacesChanged) -> None:
        heard.append(event.version)

    service = probe_service()
    service.projections.on(PlacesChanged)(hear)
    probe = await start_probe(postgres, service)
    await send(probe, *[Message("relink.referral", None, b"not json") for _ in range(KEYS)])
    assert await parked_after_a_run(probe) == KEYS
    await discard(probe, KEYS)
    task = asyncio.create_task(service.worker(probe.runtime).run())
    await heard_by(probe.runtime, await say(probe, places(new_id(), 1)))
    assert heard == [1]
    assert await count_parked(probe) == 0
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await probe.runtime.close()


async def test_events_that_wait_behind_one_bad_key_do_not_set_the_brake(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "RETRIES", ())

    async def refuse(_: AsyncSession, event: PlacesChanged) -> None:
        raise LookupError

    async with listening(postgres, projection=refuse) as probe:
        key = new_id()
        await heard_by(probe.runtime, await say(probe, *[places(key, version) for version in range(1, 2 * KEYS)]))
        await heard_by(probe.runtime, await say(probe, places(key, 2 * KEYS)))
        assert await count_parked(probe) == 2 * KEYS
        async with probe.runtime.sessions() as session:
            assert await brake.keys_parked(session, "projections", HOUR) == 1


async def test_health_fails_while_the_brake_is_on(refusing: Probe, issuer: Issuer) -> None:
    transport = httpx.ASGITransport(refusing.service.api(refusing.runtime))
    headers = issuer.headers("ops", "ops:health")

    async with httpx.AsyncClient(transport=transport, base_url="http://relink", headers=headers) as http:
        before = await http.get("/referral/health")
        assert (await parked_after_a_run(refusing)) == KEYS
        braked = await http.get("/referral/health")
    assert before.json()["checks"]["projections:brake"][0] == {
        "componentType": "component", "observedValue": 0, "observedUnit": "keys", "status": "pass"
    }  # fmt: skip
    assert (braked.status_code, braked.json()["status"]) == (503, "fail")
    assert braked.json()["checks"]["projections:brake"][0]["observedValue"] == KEYS
