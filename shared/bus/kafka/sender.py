"""Sending: an idempotent producer, every batch acknowledged by all in-sync replicas."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerClosed

from shared.bus.interface import Message
from shared.bus.kafka.closing import closed

BATCH_BYTES = 900_000
"""One request's worth of a partition, below the megabyte that a topic of ours takes (`topics.MAX_MESSAGE_BYTES`)."""
HEADER_BYTES = 512
"""What a message weighs besides key and value, generously."""


class KafkaSender:
    """`known` maps a topic to its name on the brokers and raises if it is not there or closed to us."""

    def __init__(self, producer: AIOKafkaProducer, known: Callable[[str], Awaitable[str]]) -> None:
        self._producer = producer
        self._known = known
        self._names: dict[str, str] = {}

    async def send(self, messages: Sequence[Message]) -> None:
        """Wave by wave: a partition has one batch under way, so after a failure nothing later of its keys is there."""
        for topic in {message.topic for message in messages} - self._names.keys():
            name = await self._known(topic)
            await self._producer.partitions_for(name)  # or the first message would wait for it and the others overtake
            self._names[topic] = name
        for wave in _waves(messages):
            sent = [
                await self._producer.send(self._names[each.topic], each.value, each.key, headers=each.headers)
                for each in wave
            ]
            for answer in await asyncio.gather(*sent, return_exceptions=True):
                if isinstance(answer, BaseException):
                    raise answer

    async def close(self) -> None:
        """At once: `stop` alone would first deliver what is under way, and wait for ever when the broker is away."""
        await closed(self._producer._sender.close())
        self._producer._message_accumulator.fail_all(ProducerClosed())
        await closed(self._producer.stop())


def _waves(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """The messages in order, in pieces that a single batch could hold."""
    wave: list[Message] = []
    size = 0
    for message in messages:
        weight = len(message.value or b"") + len(message.key or b"") + HEADER_BYTES
        if wave and size + weight > BATCH_BYTES:
            yield wave
            wave, size = [], 0
        wave.append(message)
        size += weight
    if wave:
        yield wave
