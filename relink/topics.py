"""The topics of the Kafka bus, made and checked by whoever runs the brokers (`relink topics`)."""

import asyncio
from collections.abc import Awaitable, Callable

from shared.bus.kafka import KafkaBus
from shared.bus.kafka.topics import explained
from shared.bus.weather import BUS_FAULTS
from shared.events import TOPICS
from shared.settings import Settings


def create() -> list[str]:
    """The topics are there; the answer is what is wrong with them, a sentence each."""

    async def make(bus: KafkaBus) -> list[str]:
        await bus.make_topics(TOPICS)
        return await bus.topic_faults(TOPICS)

    return _ask(make)


def check() -> list[str]:
    """What is wrong with the topics, a sentence each."""
    return _ask(lambda bus: bus.topic_faults(TOPICS))


def _ask(question: Callable[[KafkaBus], Awaitable[list[str]]]) -> list[str]:
    settings = Settings.read("topics")
    if not settings.kafka:
        return ["not set: RELINK_KAFKA"]

    async def with_bus() -> list[str]:
        bus = KafkaBus(settings)
        try:
            return await question(bus)
        except BUS_FAULTS as error:
            return [explained(error)]
        finally:
            await bus.close()

    return asyncio.run(with_bus())
