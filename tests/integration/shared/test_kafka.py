"""What holds on Kafka only: partitions move between readers, sends fail in the middle, brokers come and go."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from relink.embedded import EmbeddedPostgres
from shared.bus.interface import Bus, Message, Subscription
from shared.bus.kafka.closing import closed
from shared.bus.weather import BUS_FAULTS
from shared.db import outbox
from shared.events import TOPICS
from shared.events.referral import PlacesChanged
from shared.ids import new_id
from shared.runtime import open_bus
from shared.settings import Settings
from tests.integration.shared.speaking import heard_by, listening, places, say
from tests.support.brokers import kafka_settings
from tests.support.databases import Ground, Probe, probe_service
from tests.support.guarded import Guarded

PATIENCE = 60.0
TOPIC = "relink.referral"


@pytest.fixture
def settings(kafka: str) -> Settings:
    return kafka_settings(kafka)


@pytest.fixture
async def bus(settings: Settings) -> AsyncIterator[Bus]:
    opened = open_bus(settings)
    await opened.make_topics(TOPICS)
    yield opened
    await opened.close()


async def send(bus: Bus, *messages: Message) -> None:
    sender = await bus.sender()
    await sender.send(messages)
    await sender.close()


async def read(subscription: Subscription, count: int) -> list[Message]:
    got: list[Message] = []
    async with asyncio.timeout(PATIENCE):
        while len(got) < count:
            got += await subscription.poll(count - len(got), 1)
    return got


async def test_messages_of_a_key_share_a_partition_and_keys_are_spread(bus: Bus) -> None:
    await send(bus, *[Message(TOPIC, b"key %d" % (number % 30), b"{}") for number in range(90)])
    replay = await bus.replay([TOPIC])
    got = await read(replay, 90)
    await replay.close()
    assert len({message.key for message in got}) == len({(message.key, message.partition) for message in got}) == 30
    assert {message.partition for message in got} == {0, 1, 2}


async def test_a_commit_that_comes_after_its_partitions_moved_on_moves_nothing(bus: Bus) -> None:
    await send(bus, *[Message(TOPIC, b"key %d" % number, b"%d" % number) for number in range(30)])
    first = await bus.subscribe("group", [TOPIC])
    polled = await read(first, 30)
    second = await bus.subscribe("group", [TOPIC])  # and the partitions were divided anew
    await first.commit(polled)
    assert await bus.lag("group", [TOPIC]) == 30
    halves: list[list[Message]] = [[], []]
    async with asyncio.timeout(PATIENCE):
        while sum(map(len, halves)) < 30:
            for number, subscription in enumerate((first, second)):
                batch = await subscription.poll(30, 0.2)
                await subscription.commit(batch)
                halves[number] += batch
    assert all(halves)
    assert sorted(int(message.value or b"") for half in halves for message in half) == list(range(30))
    assert await bus.lag("group", [TOPIC]) == 0
    await first.close()
    await second.close()


async def test_after_a_failed_send_nothing_later_of_its_key_is_on_the_bus(bus: Bus) -> None:
    """The brokers refuse the second message, which is too large for them: the third must not overtake it."""
    sender = await bus.sender()
    small, large = Message(TOPIC, b"key", b"small"), Message(TOPIC, b"key", b"x" * 2_000_000)
    with pytest.raises(BUS_FAULTS):
        await sender.send([small, large, small])
    await sender.close()
    await send(bus, Message(TOPIC, b"key", b"last"))
    replay = await bus.replay([TOPIC])
    assert [message.value for message in await read(replay, 2)] == [b"small", b"last"]
    await replay.close()


async def test_a_group_that_is_being_read_does_not_begin_at_the_end(bus: Bus) -> None:
    await send(bus, Message(TOPIC, b"key", b"{}"))
    subscription = await bus.subscribe("group", [TOPIC])
    await read(subscription, 1)
    await bus.begin_at_end(["group"], [TOPIC])
    assert await bus.lag("group", [TOPIC]) == 1
    await subscription.close()


async def test_migrate_refuses_topics_with_too_few_partitions(bus: Bus, settings: Settings) -> None:
    more = open_bus(settings.model_copy(update={"kafka_partitions": 5}))
    with pytest.raises(SystemExit, match="has 3 partitions instead of 5: add some"):
        await probe_service()._prepare_bus(more)
    await more.close()


async def unsent(probe: Probe) -> int:
    async with probe.runtime.sessions() as session:
        waiting = select(func.count()).select_from(outbox).where(outbox.c.published_at.is_(None))
        return await session.scalar(waiting) or 0


async def test_a_broker_that_is_away_is_waited_for_and_nothing_is_lost_or_out_of_order(
    guarded: Guarded, postgres: EmbeddedPostgres, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []

    async def hear(_: AsyncSession, event: PlacesChanged) -> None:
        heard.append(event.version)

    settings = guarded.settings("admin")
    bus = open_bus(settings)
    await bus.make_topics(TOPICS)
    await bus.close()
    key = new_id()
    guarded.broker.kill(1)  # it is not there at the start
    async with listening(Ground(postgres, settings, prepared=True), projection=hear) as probe:
        last = await say(probe, *[places(key, version) for version in range(1, 11)])
        async with asyncio.timeout(PATIENCE):
            while not {"relay", "referral.projections"} <= who_waits(caplog):  # noqa: ASYNC110  # it only logs
                await asyncio.sleep(0.1)
        assert await unsent(probe) == 10
        guarded.broker.start(1)
        await heard_by(probe.runtime, last)
        guarded.broker.kill(1)  # it goes away
        last = await say(probe, *[places(key, version) for version in range(11, 21)])
        await asyncio.sleep(2)
        assert await unsent(probe) == 10
        guarded.broker.start(1)
        await heard_by(probe.runtime, last)
        assert heard == list(range(1, 21))
        chatter = [record for record in caplog.records if record.name.startswith("aiokafka")]
        assert len(chatter) < 100
        assert all(record.levelno >= logging.WARNING for record in chatter)
        guarded.broker.kill(1)
        await say(probe, places(key, 21))  # and the worker ends although nobody answers it


def who_waits(caplog: pytest.LogCaptureFixture) -> set[str]:
    """Who has said that it will try again."""
    said = [record.getMessage() for record in caplog.records]
    return {line.partition(":")[0] for line in said if " again in " in line}


async def test_a_client_that_does_not_close_is_left_behind() -> None:
    never = asyncio.Event()
    began = asyncio.get_running_loop().time()
    await closed(never.wait(), seconds=0.05)
    assert asyncio.get_running_loop().time() - began < PATIENCE
    with pytest.raises(ZeroDivisionError):
        await closed(_failing())


async def _failing() -> None:
    raise ZeroDivisionError
