"""Outbox → relay → bus → listeners: in order, once in each database, and what cannot be applied set aside."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock, outbox
from shared.bus import brake
from shared.bus import consumer as consuming
from shared.bus.consumer import Braked, Consumer
from shared.bus.interface import Message, Subscription
from shared.bus.redrive import Redriven
from shared.bus.relay import send_unpublished
from shared.db import inbox, parked_events
from shared.db import outbox as outbox_table
from shared.errors import Unprocessable
from shared.events.referral import ConsentWithdrawn, PlacesChanged
from shared.events.registry import OrganizationChanged
from shared.ids import new_id
from tests.integration.shared.speaking import heard_by, listening, places, redrive_all, say, send
from tests.support.databases import Ground, Probe, probe_service


@pytest.fixture
async def probe(ground: Ground) -> AsyncIterator[Probe]:
    """A probe that hears nothing."""
    started = await ground.start(probe_service())
    yield started
    await started.runtime.close()


async def next_messages(subscription: Subscription) -> list[Message]:
    """What comes next, however long it takes."""
    async with asyncio.timeout(60):
        while not (batch := await subscription.poll(500, 1)):
            continue
    return batch


async def test_an_event_is_written_with_the_change_or_not_at_all(probe: Probe) -> None:
    async with probe.runtime.sessions() as session:
        await session.execute(select(1))
        await outbox.publish(session, places(new_id(), 1))
        await session.rollback()
        assert outbox.last_event(session) is None
        await session.commit()
    async with probe.runtime.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(outbox_table)) == 0


async def test_an_event_that_is_too_long_for_the_bus_is_refused_before_anything_is_written(probe: Probe) -> None:
    async with probe.runtime.sessions() as session:
        long = OrganizationChanged(version=1, organization_id=new_id(), name="x" * 63_000, kind="ngo", country="BE")
        with pytest.raises(Unprocessable, match="more than an event can tell"):
            await outbox.publish(session, long)
        assert outbox.last_event(session) is None


async def test_the_relay_sends_what_committed_late_although_its_number_is_lower(probe: Probe) -> None:
    """Undo `published_at IS NULL` in favour of `seq > last` and the first event is lost."""
    first, second = new_id(), new_id()
    connection = await asyncpg.connect(probe.settings.database_url.get_secret_value())
    sender = await probe.runtime.bus.sender()
    async with probe.runtime.sessions() as slow:
        await outbox.publish(slow, places(first, 1))
        rows = slow.sync_session.info.pop("outbox rows")
        await slow.execute(outbox_table.insert(), rows)  # numbered now, committed later
        await say(probe, places(second, 1))
        assert await send_unpublished(connection, sender) == 1
        await slow.commit()
    assert await send_unpublished(connection, sender) == 1
    subscription = await probe.runtime.bus.subscribe("test", ["relink.referral"])
    keys = [message.key for message in await next_messages(subscription)]
    assert keys == [str(second).encode(), str(first).encode()]
    for each in (subscription, sender):
        await each.close()
    await connection.close()


async def test_one_relay_a_database_sends_and_the_others_wait(probe: Probe) -> None:
    url = probe.settings.database_url.get_secret_value()
    one, two = await asyncpg.connect(url), await asyncpg.connect(url)
    lock = "SELECT pg_try_advisory_lock(hashtextextended('relay', 0))"
    assert await one.fetchval(lock)
    assert not await two.fetchval(lock)
    await one.close()
    assert await two.fetchval(lock)
    await two.close()


async def test_events_of_a_key_are_heard_in_order_and_once(ground: Ground) -> None:
    heard: list[int] = []

    async def hear(_: AsyncSession, event: PlacesChanged) -> None:
        heard.append(event.version)

    async with listening(ground, projection=hear) as probe:
        service_id = new_id()
        last = ""
        for version in range(1, 51):
            last = await say(probe, places(service_id, version))
        await heard_by(probe.runtime, last)
        assert heard == list(range(1, 51))
        connection = await asyncpg.connect(probe.settings.database_url.get_secret_value())
        await connection.execute("UPDATE outbox SET published_at = NULL")  # as after a crash between send and mark
        await connection.close()
        await heard_by(probe.runtime, await say(probe, places(service_id, 51)))
        assert heard == list(range(1, 52))


async def test_a_reaction_sees_what_the_projection_wrote(ground: Ground) -> None:
    order: list[str] = []

    async def project(_: AsyncSession, event: PlacesChanged) -> None:
        order.append(f"projected {event.version}")

    async def react(_: AsyncSession, event: PlacesChanged) -> None:
        order.append(f"reacted {event.version}")

    async with listening(ground, projection=project, reaction=react) as probe:
        service_id = new_id()
        last = await say(probe, *[places(service_id, version) for version in range(1, 21)])
        await heard_by(probe.runtime, last)
        for version in range(1, 21):
            assert order.index(f"projected {version}") < order.index(f"reacted {version}")


async def test_a_handler_that_always_fails_parks_its_key_and_nothing_else(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "RETRIES", (0.0, 0.0))
    bad, good = new_id(), new_id()
    healthy = False
    heard: list[tuple[UUID, int]] = []

    async def hear(_: AsyncSession, event: PlacesChanged) -> None:
        if event.service_id == bad and not healthy:
            raise LookupError("a message with data that must not be kept")
        heard.append((event.service_id, event.version))

    async with listening(ground, projection=hear) as probe:
        last = await say(probe, places(bad, 1), places(good, 1), places(bad, 2), places(good, 2))
        await heard_by(probe.runtime, last)
        await heard_by(probe.runtime, await say(probe, places(bad, 3)))
        assert heard == [(good, 1), (good, 2)]
        async with probe.runtime.sessions() as session:
            rows = (await session.execute(select(parked_events).order_by(parked_events.c.parked_id))).all()
        assert [row.key for row in rows] == [str(bad)] * 3
        assert rows[0].error.startswith("LookupError at test_events.py:")
        assert rows[1].error == "KeyIsParked"
        healthy = True
        assert await redrive_all(probe, rows[0].parked_id) == Redriven(applied=3, left=0)
        assert heard[2:] == [(bad, 1), (bad, 2), (bad, 3)]
        await heard_by(probe.runtime, await say(probe, places(bad, 4)))
        assert heard[-1] == (bad, 4)


async def test_what_is_no_event_is_set_aside_and_the_rest_goes_on(ground: Ground) -> None:
    heard: list[int] = []

    async def hear(_: AsyncSession, event: PlacesChanged) -> None:
        heard.append(event.version)

    async with listening(ground, projection=hear) as probe:
        await send(
            probe,
            Message("relink.referral", b"key", b"not json"),
            Message("relink.referral", b"", None),
            Message("relink.referral", b"\xff\xfe", b"{}"),
            Message("relink.referral", b"\0x", b"{}", [("a\0b", b"c\0d")]),
        )
        await heard_by(probe.runtime, await say(probe, places(new_id(), 7)))
        assert heard == [7]
        async with probe.runtime.sessions() as session:
            keys = list(await session.scalars(select(parked_events.c.key).order_by(parked_events.c.parked_id)))
        assert keys == ["key", None, None, None]


async def test_a_type_nobody_knows_is_passed_over(ground: Ground) -> None:
    async def hear(_: AsyncSession, event: PlacesChanged) -> None:
        raise AssertionError

    async with listening(ground, projection=hear) as probe:
        case_id = new_id()
        event = ConsentWithdrawn(version=1, case_id=case_id, occurred_at=clock.now(), consent_id=new_id())
        await heard_by(probe.runtime, await say(probe, event))
        async with probe.runtime.sessions() as session:
            assert await session.scalar(select(func.count()).select_from(parked_events)) == 0


async def test_a_bad_deploy_stops_the_consumer(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consuming, "RETRIES", ())

    async def refuse(_: AsyncSession, event: PlacesChanged) -> None:
        raise LookupError

    service = probe_service()
    service.projections.on(PlacesChanged)(refuse)
    probe = await ground.start(service)
    await say(probe, *[places(new_id(), 1) for _ in range(100)])
    connection = await asyncpg.connect(probe.settings.database_url.get_secret_value())
    sender = await probe.runtime.bus.sender()
    await send_unpublished(connection, sender)
    consumer = Consumer("referral", "projections", service.projections, probe.runtime.bus, probe.runtime.sessions)
    with pytest.raises(Braked):
        await consumer.run()
    async with probe.runtime.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(parked_events)) == brake.LIMITS[0].keys
        assert await session.scalar(select(func.count()).select_from(inbox)) == brake.LIMITS[0].keys
    await sender.close()
    await connection.close()
    await probe.runtime.close()


async def test_a_database_that_is_away_holds_the_event_and_parks_nothing(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "BACK_OFF", (0.0,))
    failures = 3
    heard: list[int] = []

    async def hear(_: AsyncSession, event: PlacesChanged) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise ConnectionRefusedError
        heard.append(event.version)

    async with listening(ground, projection=hear) as probe:
        last = await say(probe, places(new_id(), 1))
        await heard_by(probe.runtime, last)
        assert heard == [1]
        async with probe.runtime.sessions() as session:
            assert await session.scalar(select(func.count()).select_from(parked_events)) == 0


async def test_a_group_that_comes_late_starts_at_the_beginning_and_a_reaction_at_the_end(probe: Probe) -> None:
    await send(probe, Message("relink.registry", b"k", b"{}"))
    await probe.runtime.bus.begin_at_end(["late.reactions"], ["relink.registry"])
    topics = ["relink.registry"]
    assert await probe.runtime.bus.lag("late.projections", topics) == 1
    assert await probe.runtime.bus.lag("late.reactions", topics) == 0


async def test_the_outbox_marks_what_was_sent(ground: Ground) -> None:
    async def hear(_: AsyncSession, event: PlacesChanged) -> None: ...

    async with listening(ground, projection=hear) as probe:
        await heard_by(probe.runtime, await say(probe, places(new_id(), 1)))
        async with probe.runtime.sessions() as session:
            await session.execute(update(outbox_table).values(type=outbox_table.c.type))  # waits for the relay's mark
            unpublished = select(func.count()).select_from(outbox_table).where(outbox_table.c.published_at.is_(None))
            assert (await session.scalar(unpublished)) in (0, 1)


async def test_a_reaction_does_not_act_on_what_its_projections_could_not_apply(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "RETRIES", ())
    reacted: list[int] = []

    async def project(_: AsyncSession, event: PlacesChanged) -> None:
        raise LookupError

    async def react(_: AsyncSession, event: PlacesChanged) -> None:
        reacted.append(event.version)

    async with listening(ground, projection=project, reaction=react) as probe:
        await heard_by(probe.runtime, await say(probe, places(new_id(), 1)))
        assert reacted == []
        async with probe.runtime.sessions() as session:
            listeners = set(await session.scalars(select(parked_events.c.listener)))
        assert listeners == {"projections", "reactions"}


async def test_two_who_redrive_a_key_at_once_apply_its_event_once(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "RETRIES", ())
    key, healthy = new_id(), False
    heard: list[int] = []

    async def hear(_: AsyncSession, event: PlacesChanged) -> None:
        if not healthy:
            raise LookupError
        await asyncio.sleep(0.05)
        heard.append(event.version)

    async with listening(ground, projection=hear) as probe:
        await heard_by(probe.runtime, await say(probe, places(key, 1)))
        healthy = True
        done = await asyncio.gather(redrive_all(probe, 1), redrive_all(probe, 1))
        assert sorted(each.applied for each in done) == [0, 1]
        assert heard == [1]
