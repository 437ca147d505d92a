"""What holds on the bus of one machine only: one partition a topic, and one reader at a time."""

import asyncio

from shared.bus.interface import Message
from tests.support.databases import Probe


async def send(probe: Probe, *messages: Message) -> None:
    sender = await probe.runtime.bus.sender()
    await sender.send(messages)
    await sender.close()


async def test_two_readers_of_a_group_take_turns(probe: Probe) -> None:
    topics = ["relink.registry"]
    await send(probe, Message("relink.registry", b"k", b"1"), Message("relink.registry", b"k", b"2"))
    one = await probe.runtime.bus.subscribe("group", topics)
    other = asyncio.create_task(probe.runtime.bus.subscribe("group", topics))
    read = await one.poll(1, 0)
    await one.commit(read)
    assert not other.done()
    await one.close()
    two = await other
    assert [message.value for message in await two.poll(10, 0)] == [b"2"]
    await two.close()


async def test_many_senders_leave_no_gap_and_no_double(probe: Probe) -> None:
    async def send(number: int) -> None:
        sender = await probe.runtime.bus.sender()
        for _ in range(20):
            await sender.send([Message("relink.registry", str(number).encode(), b"{}")] * 5)
        await sender.close()

    await asyncio.gather(*[send(number) for number in range(4)])
    subscription = await probe.runtime.bus.subscribe("group", ["relink.registry"])
    offsets: list[int] = []
    while batch := await subscription.poll(100, 0):
        offsets += [message.offset for message in batch]
    assert offsets == list(range(400))
    await subscription.close()


async def test_a_poll_returns_no_more_than_it_was_asked_for(probe: Probe) -> None:
    topics = ["relink.referral", "relink.registry"]
    await send(probe, *[Message(topic, b"k", b"{}") for topic in topics for _ in range(5)])
    subscription = await probe.runtime.bus.subscribe("group", topics)
    assert [len(await subscription.poll(7, 0)) for _ in range(2)] == [7, 3]
    await subscription.close()
