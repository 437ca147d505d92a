"""History once more: what expired is republished for rebuilds, who joins late catches up, and nobody acts on it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from relink.embedded import EmbeddedPostgres
from relink.rebuild import rebuild as rebuild_command
from relink.rebuild import republish as republish_command
from relink.services import SERVICES
from services.eligibility.app import service as eligibility
from services.monitoring.app import service as monitoring_service
from services.referral.app import service as referral_service
from shared import clock, migrations, outbox
from shared.bus.envelope import read
from shared.bus.interface import Message
from shared.bus.listeners import Projections
from shared.bus.relay import send_unpublished
from shared.bus.republish import republish
from shared.events import Event, replay_of, topic_of
from shared.events.referral import CaseErased, ReferralCreated
from shared.rebuild import CannotRebuild, Projection, projection_of, rebuild
from shared.runtime import open_bus
from shared.service import Service
from shared.settings import Settings
from tests.integration.monitoring.events import SENT_AT, Journey, Said, case, delivered_and_confirmed
from tests.support.living import Living, beside, expire, living, send, settings_of

PATIENCE = 60.0
REFERRAL = topic_of("referral")
TIMELINE = ("timeline_entries", "timeline_participants", "timeline_referrals")


@pytest.fixture(params=["postgresql", "kafka"])
async def settings(request: pytest.FixtureRequest, postgres: EmbeddedPostgres) -> Settings:
    """Of a monitoring service that does not exist yet, on an empty bus of either kind."""
    kafka = request.getfixturevalue("kafka") if request.param == "kafka" else None
    return await settings_of(postgres, "monitoring", kafka)


def acting() -> tuple[Service, list[UUID]]:
    """Monitoring with a reaction, and the referrals on whose sending it acted."""
    service = Service("monitoring", 8004, monitoring_service.base, monitoring_service.modules)
    acted: list[UUID] = []

    @service.reactions.on(ReferralCreated)
    async def act(_: AsyncSession, event: ReferralCreated) -> None:
        acted.append(event.referral_id)

    return service, acted


async def until(acted: list[UUID], *referrals: UUID) -> None:
    deadline = time.monotonic() + PATIENCE
    while not set(referrals) <= set(acted):
        assert time.monotonic() < deadline, "nobody acted"
        await asyncio.sleep(0.02)


async def ready(service: Living) -> bool:
    answer = await service.http.get(f"/{service.service.name}/readyz")
    assert answer.json()["checks"]["caught_up"] is (answer.status_code == 200)
    return answer.status_code == 200


async def test_who_joins_late_catches_up_before_it_is_ready_and_acts_only_on_what_comes(settings: Settings) -> None:
    before = [delivered_and_confirmed() for _ in range(3)]
    await send(settings, *[said.message() for journey in before for said in journey.said])
    service, acted = acting()
    async with living(service, settings) as late:
        assert not await ready(late)
        now = Journey().sent()
        async with late.working():
            deadline = time.monotonic() + PATIENCE
            while not await ready(late):
                assert time.monotonic() < deadline, "it does not catch up"
                await asyncio.sleep(0.02)
            known = {row[1] for row in await late.rows("timeline_referrals")}
            assert known == {journey.referral_id for journey in before}
            await late.send(now.said[0].message())
            await until(acted, now.referral_id)
        assert acted == [now.referral_id]


@asynccontextmanager
async def speaking(postgres: EmbeddedPostgres, settings: Settings) -> AsyncIterator[Living]:
    """The referral service on the same bus."""
    async with living(referral_service, await beside(postgres, "referral", settings)) as referral:
        yield referral


async def say(referral: Living, *events: Event) -> None:
    """The referral service has said it, and its relay has published it."""
    async with referral.runtime.sessions() as session:
        for event in events:
            await outbox.publish(session, event)
        await session.commit()
    connection, sender = await asyncpg.connect(referral.url), await referral.runtime.bus.sender()
    while await send_unpublished(connection, sender):
        pass
    await sender.close()
    await connection.close()


async def on(service: Living, topic: str, count: int) -> list[Message]:
    reading = await service.runtime.bus.replay([topic])
    found: list[Message] = []
    deadline = time.monotonic() + PATIENCE
    while len(found) < count:
        assert time.monotonic() < deadline
        found += await reading.poll(1000, 0.2)
    await reading.close()
    return found


async def test_what_expired_comes_back_by_republishing_and_nobody_acts_again(
    settings: Settings, postgres: EmbeddedPostgres
) -> None:
    service, acted = acting()
    journeys = [delivered_and_confirmed() for _ in range(2)]
    events = [said.event for journey in journeys for said in journey.said]
    async with speaking(postgres, settings) as referral, living(service, settings) as monitoring:
        async with monitoring.working():
            await say(referral, *events)
            await monitoring.until_heard()
            await until(acted, *(journey.referral_id for journey in journeys))
        heard = await monitoring.rows(*TIMELINE)
        said = await on(referral, REFERRAL, len(events))
        await expire(settings, REFERRAL)
        assert await monitoring.runtime.bus.lag("nobody", [REFERRAL]) == 0
        async with monitoring.working():
            for _ in range(2):  # interrupted, and done again
                assert await republish("referral", referral.url, referral.runtime.bus) == len(events)
            now = Journey().sent()
            await say(referral, now.said[0].event)
            await monitoring.until_heard()
            await until(acted, now.referral_id)
            await monitoring.execute("DELETE FROM timeline_entries")
            done = await rebuild(projection_of(service, "timeline"), monitoring.runtime)
        assert sorted(acted) == sorted([*(journey.referral_id for journey in journeys), now.referral_id])
        assert done.read == 2 * len(events) + 1
        rebuilt = await monitoring.rows(*TIMELINE)
        assert [row for row in rebuilt if now.referral_id not in row] == heard
        assert len(rebuilt) > len(heard)
        again = await on(referral, replay_of(REFERRAL), 2 * len(events))
        assert set(map(_told, again)) == set(map(_told, said))


def _told(message: Message) -> tuple[object, ...]:
    """What a message says of its event, wherever it lies."""
    envelope = read(message)
    return envelope.id, envelope.time, envelope.aggregateversion, envelope.type, message.key, message.value


async def test_the_bus_of_one_machine_is_read_across_what_expired(postgres: EmbeddedPostgres) -> None:
    settings = await settings_of(postgres, "monitoring")
    await send(settings, *[said.message() for said in delivered_and_confirmed().said])
    connection = await asyncpg.connect(settings.bus_url.get_secret_value())
    await connection.execute('DELETE FROM messages WHERE "offset" < 5')
    await connection.close()
    bus = open_bus(settings)
    assert await bus.lag("late", [REFERRAL]) == 2
    for reading in (await bus.subscribe("late", [REFERRAL]), await bus.replay([REFERRAL])):
        batch = await reading.poll(10, 0)
        assert [message.offset for message in batch] == [5, 6]
        await reading.commit(batch)
        await reading.close()
    assert await bus.lag("late", [REFERRAL]) == 0
    await bus.close()


async def test_only_the_time_asked_for_is_republished(postgres: EmbeddedPostgres) -> None:
    settings = await settings_of(postgres, "monitoring")
    async with speaking(postgres, settings) as referral:
        for day in (1, 2, 3):
            clock.move_to(datetime(2026, 3, day, 9, tzinfo=UTC))
            await say(referral, Journey().sent().said[0].event)
        since, until_then = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, 9, tzinfo=UTC)
        assert await republish("referral", referral.url, referral.runtime.bus, since, until_then) == 1
        (only,) = await on(referral, replay_of(REFERRAL), 1)
        assert read(only).time.date() == since.date()


async def test_a_rebuild_does_not_bring_back_what_was_erased(postgres: EmbeddedPostgres) -> None:
    settings = await settings_of(postgres, "eligibility")
    said = [case(case_id := Journey().case_id), case(case_id, 2)]
    said.append(Said(CaseErased(version=3, case_id=case_id, occurred_at=SENT_AT + timedelta(days=1))))
    messages = [each.message() for each in said]
    async with living(eligibility, settings) as service:
        await service.send(*messages, *messages[:2])  # old ones once more, behind the erasure
        await service.hear_all()
        before = await service.rows("known_cases")
        assert len(before) == 1
        assert "NG012" not in before[0]
        await rebuild(projection_of(eligibility, "known"), service.runtime)
        assert await service.rows("known_cases") == before


async def test_every_projection_can_be_rebuilt(postgres: EmbeddedPostgres) -> None:
    for service in SERVICES:
        projecting = [module for module in service.modules if find_spec(f"{module}.projections")]
        assert bool(projecting) is bool(service.projections.handlers)
        async with living(service, await settings_of(postgres, service.name)) as alive:
            for module in projecting:
                projection = projection_of(service, module.rpartition(".")[2])
                assert projection.tables
                assert (await rebuild(projection, alive.runtime)).read == 0
            assert await migrations.differences(alive.runtime.engine, service.base.metadata) == []


def test_what_is_no_projection_or_more_than_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CannotRebuild, match="monitoring has no such projection; it has: known, timeline"):
        projection_of(monitoring_service, "indicators")
    monkeypatch.setattr("shared.rebuild.ACTING_ROOMS", ("api",))
    with pytest.raises(CannotRebuild, match="timeline also has api, so its tables hold what no event tells"):
        projection_of(monitoring_service, "timeline")


async def test_the_commands_say_what_they_did_and_why_they_cannot(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = await settings_of(postgres, "monitoring")
    async with speaking(postgres, settings) as referral, living(monitoring_service, settings) as monitoring:
        await say(referral, Journey().sent().said[0].event)
        for service in (referral, monitoring):
            monkeypatch.setenv(f"RELINK_{service.service.name.upper()}_DATABASE_URL", service.url)
        monkeypatch.setenv("RELINK_BUS_URL", settings.bus_url.get_secret_value())
        monkeypatch.setattr(referral_service, "keeps_keys", False)
        for command, words, told in (
            (republish_command, ("referral", "2020-01-01", None), "referral: published 1 events again, for rebuilds"),
            (rebuild_command, ("monitoring", "timeline"), "timeline: rebuilt from 2 events in "),
        ):
            await asyncio.to_thread(command, *words)
            assert told in capsys.readouterr().out
        for command, words, told in (
            (rebuild_command, ("nobody", "timeline"), "there is no such service; there are registry, "),
            (rebuild_command, ("monitoring", "x"), "monitoring has no such projection; it has: known, timeline."),
            (republish_command, ("referral", "yesterday", None), "a time is written 2026-03-01 or "),
        ):
            with pytest.raises(SystemExit, match=told):
                await asyncio.to_thread(command, *words)


async def test_a_projection_that_publishes_cannot_be_rebuilt(postgres: EmbeddedPostgres) -> None:
    settings = await settings_of(postgres, "monitoring")
    projections = Projections()

    @projections.on(ReferralCreated)
    async def publish(session: AsyncSession, event: ReferralCreated) -> None:
        await outbox.publish(session, event)

    async with living(monitoring_service, settings) as service:
        await service.send(Journey().sent().said[0].message())
        with pytest.raises(CannotRebuild, match=r"ProgrammingError at .*, on the event at relink.referral"):
            await rebuild(Projection(projections, ["timeline_entries"]), service.runtime)
        assert await service.rows("outbox") == []
