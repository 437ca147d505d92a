"""The bus itself: topics, senders, subscriptions, positions."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    CommitFailedError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest

from shared.bus.interface import Bus, UnknownTopic
from shared.bus.kafka.connection import calm_logs, options
from shared.bus.kafka.reading import FETCHING, MEMBERSHIP, KafkaReplay, KafkaSubscription
from shared.bus.kafka.sender import BATCH_BYTES, KafkaSender
from shared.bus.kafka.topics import Topic, config_of, faults_of, missing
from shared.settings import Settings

MADE_SECONDS = 30.0
"""How long a new topic may take until every partition has a leader."""


class KafkaBus(Bus):
    """Connects when it is first used. `settings.kafka_prefix` goes before the names of topics and groups."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._asking = asyncio.Lock()
        self._admin: AIOKafkaAdminClient | None = None
        self._offsets: AIOKafkaConsumer | None = None
        calm_logs()

    def _name(self, name: str) -> str:
        return self._settings.kafka_prefix + name

    @contextlib.asynccontextmanager
    async def _asked(self) -> AsyncIterator[AIOKafkaAdminClient]:
        """A client for questions, kept open; after a fault the next question opens a new one."""
        async with self._asking:
            try:
                if self._admin is None:
                    self._admin = AIOKafkaAdminClient(**options(self._settings))
                    await self._admin.start()
                yield self._admin
            except BaseException:
                await self._forget()
                raise

    async def _forget(self) -> None:
        admin, self._admin = self._admin, None
        offsets, self._offsets = self._offsets, None
        if admin is not None:
            await admin.close()
        if offsets is not None:
            await offsets.stop()

    async def close(self) -> None:
        async with self._asking:
            await self._forget()

    # topics

    async def _described(self, topics: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """Topic → its partitions, of those that exist; raises when one is closed to us. Asking makes no topic."""
        async with self._asked() as admin:
            request = MetadataRequest([self._name(topic) for topic in topics], allow_auto_topic_creation=False)
            found = (await admin._send_request(request)).to_object()["topics"]
        by_name = {self._name(topic): topic for topic in topics}
        for each in found:
            error = for_code(each["error_code"])
            if error is TopicAuthorizationFailedError:
                raise error(each["topic"])
        return {by_name[each["topic"]]: each["partitions"] for each in found if each["partitions"]}

    async def _partitions(self, topics: Sequence[str]) -> list[TopicPartition]:
        described = await self._described(topics)
        for topic in topics:
            if topic not in described:
                raise UnknownTopic(missing(self._name(topic)))
        return [
            TopicPartition(self._name(topic), each["partition"])
            for topic, partitions in described.items()
            for each in sorted(partitions, key=lambda partition: partition["partition"])
        ]

    async def _known(self, topic: str) -> str:
        await self._partitions([topic])
        return self._name(topic)

    async def make_topics(self, topics: Sequence[str]) -> None:
        settings = self._settings
        wanted = [topic for topic in topics if topic not in await self._described(topics)]
        async with self._asked() as admin:
            made = await admin.create_topics(
                [
                    NewTopic(
                        self._name(topic),
                        settings.kafka_partitions,
                        settings.kafka_replication,
                        topic_configs=config_of(settings),
                    )
                    for topic in wanted
                ]
            )
        for name, code, *_ in made.topic_errors:
            if code and (error := for_code(code)) is not TopicAlreadyExistsError:
                raise error(name)
        async with asyncio.timeout(MADE_SECONDS):
            while len(await self._led(topics)) < len(set(topics)):  # noqa: ASYNC110  # only asking tells
                await asyncio.sleep(0.05)

    async def _led(self, topics: Sequence[str]) -> list[str]:
        described = await self._described(topics)
        return [topic for topic, partitions in described.items() if all(each["leader"] >= 0 for each in partitions)]

    async def topic_faults(self, topics: Sequence[str]) -> list[str]:
        described = await self._described(topics)
        faults = [missing(self._name(topic)) for topic in topics if topic not in described]
        config = await self._config(list(described))
        for topic, partitions in described.items():
            replication = min(len(each["replicas"]) for each in partitions)
            name = self._name(topic)
            faults += faults_of(Topic(name, len(partitions), replication, config[name]), self._settings)
        return faults

    async def _config(self, topics: Sequence[str]) -> dict[str, dict[str, str]]:
        """Name on the brokers → settings of the topic."""
        if not topics:
            return {}
        resources = [ConfigResource(ConfigResourceType.TOPIC, self._name(topic)) for topic in topics]
        async with self._asked() as admin:
            answers = await admin.describe_configs(resources)
        found: dict[str, dict[str, str]] = {}
        for code, _, _, name, entries in (each for answer in answers for each in answer.resources):
            if code:
                raise for_code(code)(name)
            found[name] = {entry[0]: entry[1] for entry in entries}
        return found

    # the two ends

    async def sender(self) -> KafkaSender:
        producer = AIOKafkaProducer(
            **options(self._settings),
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            max_batch_size=BATCH_BYTES,
            max_request_size=4 * BATCH_BYTES,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return KafkaSender(producer, self._known)

    async def subscribe(self, group: str, topics: Sequence[str]) -> KafkaSubscription:
        await self._partitions(topics)
        consumer = AIOKafkaConsumer(**options(self._settings), **FETCHING, **MEMBERSHIP, group_id=self._name(group))
        subscription = KafkaSubscription(consumer, {self._name(topic): topic for topic in topics})
        try:
            await subscription.open()
        except BaseException:
            await subscription.close()
            raise
        return subscription

    async def replay(self, topics: Sequence[str]) -> KafkaReplay:
        partitions = await self._partitions(topics)
        consumer = AIOKafkaConsumer(**options(self._settings), **FETCHING)
        replay = KafkaReplay(consumer, {self._name(topic): topic for topic in topics})
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
            async with self._asked() as admin:
                kept = await admin.list_consumer_group_offsets(self._name(group), partitions=partitions)
            new = [place for place in partitions if place not in kept or kept[place].offset < 0]
            if new:
                await self._begin(group, new)

    async def _begin(self, group: str, partitions: list[TopicPartition]) -> None:
        consumer = AIOKafkaConsumer(**options(self._settings), group_id=self._name(group), enable_auto_commit=False)
        try:
            await consumer.start()
            consumer.assign(partitions)
            with contextlib.suppress(CommitFailedError):  # somebody reads as this group: it has begun
                await consumer.commit(await consumer.end_offsets(partitions))
        finally:
            await consumer.stop()

    async def lag(self, group: str, topics: Sequence[str]) -> int:
        partitions = await self._partitions(topics)
        async with self._asked() as admin:
            kept = await admin.list_consumer_group_offsets(self._name(group), partitions=partitions)
            if self._offsets is None:
                self._offsets = AIOKafkaConsumer(**options(self._settings))
                await self._offsets.start()
            ends = await self._offsets.end_offsets(partitions)
            first = await self._offsets.beginning_offsets(partitions)
        # A position that retention has overtaken counts from what is still there.
        return sum(ends[place] - max(kept[place].offset, first[place]) for place in partitions)
