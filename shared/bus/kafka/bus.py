"""The bus itself: topics, senders, subscriptions, positions."""

import asyncio
import contextlib
import functools
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import CommitFailedError, KafkaError

from shared.bus.interface import Bus, UnknownTopic
from shared.bus.kafka.closing import closed
from shared.bus.kafka.connection import calm_logs, options
from shared.bus.kafka.questions import Questions
from shared.bus.kafka.reading import FETCHING, MEMBERSHIP, KafkaReplay, KafkaSubscription
from shared.bus.kafka.sender import BATCH_BYTES, KafkaSender
from shared.bus.kafka.topics import Topic, config_of, explained, faults_of, forgetful, missing
from shared.settings import Settings

MADE_SECONDS = 30.0
"""How long a new topic may take until every partition has a leader."""


class KafkaBus(Bus):
    """Connects when it is first used. `settings.kafka_prefix` goes before the names of topics and groups."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._questions = Questions(lambda: self._options)
        calm_logs()

    @functools.cached_property
    def _options(self) -> dict[str, Any]:
        return options(self._settings)

    def _name(self, name: str) -> str:
        return self._settings.kafka_prefix + name

    def _names(self, topics: Sequence[str]) -> dict[str, str]:
        """Name on the brokers → topic."""
        return {self._name(topic): topic for topic in topics}

    async def close(self) -> None:
        await self._questions.close()

    # topics

    async def make_topics(self, topics: Sequence[str]) -> None:
        settings, names = self._settings, list(self._names(topics))
        partitions, replication = settings.kafka_partitions, settings.kafka_replication
        there = await self._questions.partitions(names)
        missing_ones = [name for name in names if name not in there]
        await self._questions.create(
            [Topic(name, partitions, replication, config_of(settings)) for name in missing_ones]
        )
        async with asyncio.timeout(MADE_SECONDS):
            while not await self._led(names):  # noqa: ASYNC110  # only asking tells
                await asyncio.sleep(0.05)

    async def _led(self, names: Sequence[str]) -> bool:
        found = await self._questions.partitions(names)
        return len(found) == len(names) and all(each["leader"] >= 0 for every in found.values() for each in every)

    async def topic_faults(self, topics: Sequence[str]) -> list[str]:
        names = list(self._names(topics))
        try:
            found = {topic.name: topic for topic in await self._questions.topics(names)}
            kept = await self._questions.broker_setting("offsets.retention.minutes")
        except (KafkaError, OSError) as error:
            return [explained(error)]
        faults = [missing(name) for name in names if name not in found]
        faults += [fault for topic in found.values() for fault in faults_of(topic, self._settings)]
        return faults + forgetful(None if kept is None else int(kept), self._settings)

    async def _partitions(self, topics: Sequence[str]) -> list[TopicPartition]:
        """All partitions of the topics; raises UnknownTopic."""
        found = await self._questions.partitions(list(self._names(topics)))
        for name in self._names(topics):
            if name not in found:
                raise UnknownTopic(missing(name))
        return [TopicPartition(name, each["partition"]) for name, every in found.items() for each in every]

    async def _known(self, topic: str) -> str:
        await self._partitions([topic])
        return self._name(topic)

    # the two ends

    async def sender(self) -> KafkaSender:
        producer = AIOKafkaProducer(
            **self._options,
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            max_batch_size=BATCH_BYTES,
            max_request_size=4 * BATCH_BYTES,
        )
        try:
            await producer.start()
        except BaseException:
            await closed(producer.stop())
            raise
        return KafkaSender(producer, self._known)

    async def subscribe(self, group: str, topics: Sequence[str]) -> KafkaSubscription:
        await self._partitions(topics)
        consumer = AIOKafkaConsumer(**self._options, **FETCHING, **MEMBERSHIP, group_id=self._name(group))
        subscription = KafkaSubscription(consumer, self._names(topics))
        try:
            await subscription.open()
        except BaseException:
            await subscription.close()
            raise
        return subscription

    async def replay(self, topics: Sequence[str]) -> KafkaReplay:
        partitions = await self._partitions(topics)
        consumer = AIOKafkaConsumer(**self._options, **FETCHING)
        replay = KafkaReplay(consumer, self._names(topics))
        try:
            await consumer.start()
            consumer.assign(partitions)
        except BaseException:
            await replay.close()
            raise
        return replay

    # positions

    async def begin_at_end(self, groups: Sequence[str], topics: Sequence[str]) -> None:
        partitions = await self._partitions(topics)
        for group in groups:
            begun = await self._questions.begun(self._name(group), partitions)
            if new := [place for place in partitions if place not in begun]:
                await self._begin(group, await self._questions.end(new))

    async def _begin(self, group: str, at: dict[TopicPartition, int]) -> None:
        consumer = AIOKafkaConsumer(**self._options, group_id=self._name(group), enable_auto_commit=False)
        try:
            await consumer.start()
            consumer.assign(list(at))
            with contextlib.suppress(CommitFailedError):  # somebody reads as this group: it has begun
                await consumer.commit(at)
        finally:
            await closed(consumer.stop())

    async def lag(self, group: str, topics: Sequence[str]) -> int:
        partitions = await self._partitions(topics)
        begun = await self._questions.begun(self._name(group), partitions)
        first, end = await self._questions.first(partitions), await self._questions.end(partitions)
        # A position that retention has overtaken counts from what is still there.
        return sum(end[place] - max(begun.get(place, 0), first[place]) for place in partitions)
