"""A poll is a batch: one transaction, one call of each handler, and what fails in it is found without the rest."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from relink.embedded import EmbeddedPostgres
from shared import clock
from shared.bus import consumer as consuming
from shared.bus import reading as reading_bus
from shared.bus import relay
from shared.bus.consumer import Consumer
from shared.bus.envelope import to_message
from shared.bus.interface import Message
from shared.bus.listeners import Projections
from shared.bus.reading import BACKLOG, Reading
from shared.bus.weather import BUS_FAULTS
from shared.db import inbox, parked_events
from shared.db import outbox as outbox_table
from shared.events.referral import PlacesChanged
from shared.ids import new_id
from tests.integration.shared.speaking import places, say, send
from tests.support.brokers import kafka_settings
from tests.support.databases import Ground, Probe, probe_service, start_probe

TOPIC = "relink.registry"
offsets = itertools.count()


def message(event: PlacesChanged, data: str | None = None, kind: str = "PlacesChanged") -> Message:
    sent = to_message(
        "relink.referral",
        event_id=new_id(),
        type_name=f"relink.referral.{kind}",
        subject=event.subject,
        key=event.partition_key,
        version=event.version,
        occurred_at=clock.now(),
        traceparent=None,
        data=event.model_dump_json() if data is None else data,
    )
    return replace(sent, offset=next(offsets))


class Batches:
    """A projection that hears PlacesChanged in batches and cannot apply those of the services named `bad`."""

    def __init__(self) -> None:
        self.bad: set[UUID] = set()
        self.calls = 0
        self.heard: list[list[PlacesChanged]] = []

    async def hear(self, session: AsyncSession, events: Sequence[PlacesChanged]) -> None:
        self.calls += 1
        if self.bad & {event.service_id for event in events}:
            raise LookupError
        self.heard.append(list(events))

    def consumer(self, probe: Probe) -> Consumer:
        projections = Projections()
        projections.on_batch(PlacesChanged)(self.hear)
        return Consumer("referral", "projections", projections, probe.runtime.bus, probe.runtime.sessions)


async def count(probe: Probe, query: str) -> int:
    async with probe.runtime.sessions() as session:
        return int(await session.scalar(text(query)) or 0)


async def test_a_batch_is_one_call_and_one_transaction(probe: Probe) -> None:
    batches = Batches()
    said = [places(new_id(), number) for number in range(1, 6)]
    assert await batches.consumer(probe).consume([message(event) for event in said]) == 5
    assert batches.heard == [said]
    assert await count(probe, "SELECT count(*) FROM inbox") == 5
    assert await count(probe, "SELECT count(DISTINCT xmin::text) FROM inbox") == 1


async def test_an_event_that_fails_parks_its_key_and_the_rest_of_the_batch_is_applied_once(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "RETRIES", (0.0,))
    batches, bad = Batches(), new_id()
    batches.bad = {bad}
    said = [places(bad if number in (20, 40) else new_id(), number) for number in range(1, 65)]
    assert await batches.consumer(probe).consume([message(event) for event in said]) == 64
    applied = [event for batch in batches.heard for event in batch]
    assert applied == [event for event in said if event.service_id != bad]
    assert batches.calls < 32, "it is found by halving, not event by event"
    async with probe.runtime.sessions() as session:
        parked = (await session.execute(select(parked_events).order_by(parked_events.c.parked_id))).all()
        assert await session.scalar(select(func.count()).select_from(inbox)) == 64
    assert [(row.key, row.error.split(" ")[0]) for row in parked] == [
        (str(bad), "LookupError"),
        (str(bad), "KeyIsParked"),
    ]


async def test_the_same_event_twice_in_a_batch_is_applied_once(probe: Probe) -> None:
    batches = Batches()
    once, again = message(places(new_id(), 1)), message(places(new_id(), 1))
    await batches.consumer(probe).consume([once, again, once])
    await batches.consumer(probe).consume([again])
    assert [len(batch) for batch in batches.heard] == [2]


async def test_the_data_of_a_type_that_nobody_hears_stay_closed(probe: Probe) -> None:
    batches = Batches()
    of_later = message(places(new_id(), 1), data="{no JSON", kind="SaidByANewerVersion")
    await batches.consumer(probe).consume([of_later, message(places(new_id(), 2))])
    assert [[event.version for event in batch] for batch in batches.heard] == [[2]]
    assert await count(probe, "SELECT count(*) FROM inbox") == 2
    assert await count(probe, "SELECT count(*) FROM parked_events") == 0


async def test_data_that_do_not_fit_are_parked_alone(probe: Probe) -> None:
    batches = Batches()
    good = places(new_id(), 1)
    unfit = [message(places(new_id(), 1), data=data) for data in ("{no JSON", "[]", '{"version": 1}')]
    await batches.consumer(probe).consume([*unfit, message(good)])
    assert batches.heard == [[good]]
    assert await count(probe, "SELECT count(*) FROM parked_events WHERE error LIKE 'NotACloudEvent%'") == 3


async def test_batches_come_after_what_is_heard_one_by_one() -> None:
    projections, order = Projections(), []

    @projections.on_batch(PlacesChanged)
    async def together(_: AsyncSession, events: Sequence[PlacesChanged]) -> None:
        order.append([event.version for event in events])

    @projections.on(PlacesChanged)
    async def each(_: AsyncSession, event: PlacesChanged) -> None:
        order.append([event.version])

    async with AsyncSession() as session:
        await projections.apply(session, [places(new_id(), 1), places(new_id(), 2)])
    assert order == [[1], [2], [1, 2]]


@pytest.fixture(params=["postgresql", "kafka"])
async def on_each_bus(request: pytest.FixtureRequest, postgres: EmbeddedPostgres) -> AsyncIterator[Probe]:
    """A probe on each bus in turn, whose topics have one partition."""
    kafka = None
    if request.param == "kafka":
        kafka = kafka_settings(request.getfixturevalue("kafka"), kafka_partitions=1)
    started = await Ground(postgres, kafka).start(probe_service())
    yield started
    await started.runtime.close()


async def reading_of(probe: Probe) -> Reading[int]:
    """One after the other reads as the same group; a message is read as the number that it says."""
    subscription = await probe.runtime.bus.subscribe("readers", [TOPIC])
    return Reading(subscription, BACKLOG, lambda each: int(each.value or b""))


async def next_of(reading: Reading[int]) -> list[int]:
    async with asyncio.timeout(60):
        while not (batch := await reading.next()):
            continue
    return batch


def numbered(numbers: Sequence[int]) -> list[Message]:
    return [Message(TOPIC, b"k", str(number).encode(), [], 0, number) for number in numbers]


async def test_what_was_read_ahead_and_not_done_is_read_again(on_each_bus: Probe) -> None:
    """Undo this and a worker that is stopped loses a batch."""
    await send(on_each_bus, *numbered(range(3 * BACKLOG)))
    heard: list[int] = []
    for _ in range(3):
        reading = await reading_of(on_each_bus)
        batch = await next_of(reading)
        heard += batch
        await asyncio.sleep(0)  # the next one is under way
        await reading.done(numbered(batch))
        await reading.close()
    assert heard == list(range(len(heard)))
    assert len(heard) >= 3


async def test_what_is_not_done_is_not_behind_us(on_each_bus: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """The position moves only after the work, also when more was read meanwhile."""
    monkeypatch.setattr(reading_bus, "KEEP_SECONDS", 0.0)
    await send(on_each_bus, *numbered(range(2 * BACKLOG)))
    bus = on_each_bus.runtime.bus
    reading = await reading_of(on_each_bus)
    first = await next_of(reading)
    assert await bus.lag("readers", [TOPIC]) == 2 * BACKLOG
    await reading.done(numbered(first))
    assert await bus.lag("readers", [TOPIC]) == 2 * BACKLOG - len(first)
    second = await next_of(reading)
    assert await bus.lag("readers", [TOPIC]) == 2 * BACKLOG - len(first)
    assert [*first, *second] == list(range(len(first) + len(second)))
    await reading.close()


async def test_a_position_is_kept_soon_although_nothing_more_comes(on_each_bus: Probe) -> None:
    await send(on_each_bus, *numbered(range(3)))
    reading = await reading_of(on_each_bus)
    seen: list[int] = []
    while len(seen) < 3:
        batch = await next_of(reading)
        seen += batch
        await reading.done(numbered(batch))
    async with asyncio.timeout(60):
        assert await reading.next() == []
    assert await on_each_bus.runtime.bus.lag("readers", [TOPIC]) == 0
    await reading.close()


async def test_what_went_out_before_a_failure_is_marked(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what did not is not: the next sender begins at the first that is not marked."""
    monkeypatch.setattr(relay, "BATCH", 2)
    probe = await start_probe(postgres, probe_service())
    await say(probe, *[places(new_id(), number) for number in range(1, 7)])
    async with probe.runtime.sessions() as session:  # of a topic that nobody made
        fifth = select(outbox_table.c.seq).order_by(outbox_table.c.seq).offset(4).limit(1).scalar_subquery()
        await session.execute(
            outbox_table.update().where(outbox_table.c.seq == fifth).values(type="relink.nobody.Said")
        )
        await session.commit()
    connection = await asyncpg.connect(probe.settings.database_url.get_secret_value())
    sender = await probe.runtime.bus.sender()
    with pytest.raises(BUS_FAULTS):
        await relay.send_unpublished(connection, sender)
    marked = "SELECT version FROM outbox WHERE published_at IS NOT NULL ORDER BY seq"
    assert [row["version"] for row in await connection.fetch(marked)] == [1, 2, 3, 4]
    for each in (sender, connection, probe.runtime):
        await each.close()
