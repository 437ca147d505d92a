"""What every bus promises, on both of them."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable

import pytest

from relink.embedded import EmbeddedPostgres
from shared.bus.interface import Bus, Message, Subscription
from shared.bus.weather import BUS_FAULTS
from shared.runtime import open_bus
from shared.settings import Settings
from tests.support.brokers import kafka_settings
from tests.support.databases import new_bus

ONE, OTHER, ABSENT = "relink.registry", "relink.referral", "relink.nobody"
TOPICS = [ONE, OTHER]
PATIENCE = 60.0


@pytest.fixture(params=["postgresql", "kafka"])
async def bus(request: pytest.FixtureRequest, postgres: EmbeddedPostgres) -> AsyncIterator[Bus]:
    """A bus with two empty topics and no groups."""
    if request.param == "kafka":
        settings = kafka_settings(request.getfixturevalue("kafka"))
    else:
        settings = Settings.model_validate({"service": "referral", "bus_url": await new_bus(postgres)})
    opened = open_bus(settings)
    await opened.make_topics(TOPICS)
    yield opened
    await opened.close()


def message(number: int, key: str = "k", topic: str = ONE) -> Message:
    return Message(topic, key.encode(), str(number).encode(), [("ce_id", str(number).encode())])


def numbers(messages: Iterable[Message]) -> list[int]:
    return [int(each.value or b"-1") for each in messages]


async def send(bus: Bus, *messages: Message) -> None:
    sender = await bus.sender()
    await sender.send(messages)
    await sender.close()


async def read(subscription: Subscription, count: int, commit: bool = True) -> list[Message]:
    """The next `count` messages."""
    got: list[Message] = []
    until = time.monotonic() + PATIENCE
    while len(got) < count:
        assert time.monotonic() < until, f"only {len(got)} of {count} came"
        batch = await subscription.poll(count - len(got), 1)
        if commit and batch:
            await subscription.commit(batch)
        got += batch
    return got


async def test_messages_of_a_key_are_read_in_the_order_they_were_sent(bus: Bus) -> None:
    sender = await bus.sender()
    for start in range(0, 300, 100):
        await sender.send([message(number, f"key {number % 7}") for number in range(start, start + 100)])
    await sender.close()
    subscription = await bus.subscribe("group", [ONE])
    got = await read(subscription, 300)
    await subscription.close()
    for key in {each.key for each in got}:
        mine = numbers(each for each in got if each.key == key)
        assert mine == sorted(mine)
    assert sorted(numbers(got)) == list(range(300))


async def test_what_was_sent_comes_back_unchanged(bus: Bus) -> None:
    strange = [
        Message(ONE, b"\xff\x00\xfe", b"\x00\x01\xff", [("a", b"\xff\x00"), ("b", None), ("b", b"twice"), ("ü", b"")]),
        Message(ONE, b"", b"", []),
        Message(ONE, None, b"no key", []),
        Message(ONE, b"no value", None, [("only", b"header")]),
    ]
    await send(bus, *strange)
    subscription = await bus.subscribe("group", [ONE])
    got = await read(subscription, len(strange))
    await subscription.close()
    for each in strange:
        assert (each.key, each.value, each.headers) in [(one.key, one.value, one.headers) for one in got]
    assert {each.topic for each in got} == {ONE}


async def test_each_group_has_its_own_position(bus: Bus) -> None:
    await send(bus, *[message(number) for number in range(4)])
    first = await bus.subscribe("first", [ONE])
    assert numbers(await read(first, 4)) == [0, 1, 2, 3]
    await first.close()
    second = await bus.subscribe("second", [ONE])
    assert numbers(await read(second, 2)) == [0, 1]
    await second.close()
    assert (await bus.lag("first", [ONE]), await bus.lag("second", [ONE])) == (0, 2)


async def test_a_group_reads_all_its_topics_and_no_other(bus: Bus) -> None:
    await send(bus, message(1, topic=ONE), message(2, topic=OTHER))
    both, single = await bus.subscribe("both", TOPICS), await bus.subscribe("single", [OTHER])
    assert sorted(numbers(await read(both, 2))) == [1, 2]
    assert numbers(await read(single, 1)) == [2]
    assert await single.poll(10, 0.2) == []
    await both.close()
    await single.close()


async def test_a_group_that_begins_at_the_end_does_not_hear_what_was_said_before(bus: Bus) -> None:
    await send(bus, *[message(number, f"key {number}") for number in range(20)])
    await bus.begin_at_end(["late"], TOPICS)
    assert await bus.lag("late", TOPICS) == 0
    await send(bus, message(20, "key 3"), message(21, topic=OTHER))
    subscription = await bus.subscribe("late", TOPICS)
    assert sorted(numbers(await read(subscription, 2))) == [20, 21]
    await subscription.close()


async def test_beginning_at_the_end_moves_no_group_that_has_begun(bus: Bus) -> None:
    await bus.begin_at_end(["group"], [ONE])
    await send(bus, message(1))
    await bus.begin_at_end(["group"], [ONE])
    assert await bus.lag("group", [ONE]) == 1


async def test_rewinding_polls_again_from_the_last_commit(bus: Bus) -> None:
    await send(bus, *[message(number) for number in range(6)])
    subscription = await bus.subscribe("group", [ONE])
    got = await read(subscription, 4, commit=False)
    await subscription.commit(got[:2])
    await subscription.rewind()
    assert numbers(await read(subscription, 4, commit=False)) == [2, 3, 4, 5]
    await subscription.rewind()
    assert numbers(await read(subscription, 4)) == [2, 3, 4, 5]
    await subscription.close()


async def test_what_was_not_committed_is_read_by_the_next(bus: Bus) -> None:
    await send(bus, *[message(number) for number in range(5)])
    subscription = await bus.subscribe("group", [ONE])
    got = await read(subscription, 5, commit=False)
    await subscription.commit(got[:3])
    await subscription.close()
    following = await bus.subscribe("group", [ONE])
    assert numbers(await read(following, 2)) == [3, 4]
    await following.close()


async def test_a_commit_moves_only_forward(bus: Bus) -> None:
    await send(bus, *[message(number) for number in range(5)])
    subscription = await bus.subscribe("group", [ONE])
    got = await read(subscription, 5)
    await subscription.commit(got[:1])
    await subscription.close()
    assert await bus.lag("group", [ONE]) == 0


async def test_lag_counts_what_the_group_has_not_committed(bus: Bus) -> None:
    assert await bus.lag("group", TOPICS) == 0
    await send(bus, *[message(number, f"key {number}", TOPICS[number % 2]) for number in range(10)])
    assert await bus.lag("group", TOPICS) == 10
    subscription = await bus.subscribe("group", TOPICS)
    await read(subscription, 7)
    assert await bus.lag("group", TOPICS) == 3
    await read(subscription, 3)
    assert await bus.lag("group", TOPICS) == 0
    await subscription.close()


async def test_a_second_reader_goes_on_where_the_first_left_off(bus: Bus) -> None:
    await send(bus, *[message(number, f"key {number}") for number in range(40)])
    first = await bus.subscribe("group", [ONE])
    got = await read(first, 15)
    waiting = asyncio.create_task(bus.subscribe("group", [ONE]))
    await first.close()
    async with asyncio.timeout(PATIENCE):
        second = await waiting
    got += await read(second, 25)
    await second.close()
    assert sorted(numbers(got)) == list(range(40))


async def test_a_replay_reads_everything_and_leaves_no_trace(bus: Bus) -> None:
    await send(bus, *[message(number) for number in range(5)])
    subscription = await bus.subscribe("group", [ONE])
    await read(subscription, 5)
    await subscription.close()
    replay = await bus.replay([ONE])
    got = await read(replay, 5, commit=False)
    await replay.commit(got[:3])
    await replay.rewind()
    assert numbers(await read(replay, 2)) == [3, 4]
    await replay.close()
    again = await bus.replay([ONE])
    assert numbers(await read(again, 5)) == [0, 1, 2, 3, 4]
    await again.close()
    assert await bus.lag("group", [ONE]) == 0


async def test_a_reader_that_waits_hears_at_once(bus: Bus) -> None:
    subscription = await bus.subscribe("group", [ONE])
    waiting = asyncio.create_task(subscription.poll(10, PATIENCE))
    await send(bus, message(1))
    assert numbers(await waiting) == [1]
    await subscription.close()


async def test_topics_that_are_made_have_no_fault_and_one_that_is_not_has(bus: Bus) -> None:
    await bus.make_topics(TOPICS)
    assert await bus.topic_faults(TOPICS) == []
    (fault,) = await bus.topic_faults([*TOPICS, ABSENT])
    assert ABSENT in fault
    assert "run" in fault


async def test_nothing_is_sent_to_or_read_from_a_topic_that_nobody_made(bus: Bus) -> None:
    sender = await bus.sender()
    with pytest.raises(BUS_FAULTS):
        await sender.send([message(1, topic=ABSENT)])
    await sender.close()
    assert len(await bus.topic_faults([ABSENT])) == 1
