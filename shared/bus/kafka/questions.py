"""What we ask the brokers: which topics there are and how they are made, how far they reach, how far a group has come.

Names are those on the brokers, with their prefix. Asking makes no topic, whatever the brokers' configuration says.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest

from shared.bus.kafka.closing import closed
from shared.bus.kafka.topics import Topic

T = TypeVar("T")
PATIENCE_SECONDS = 10.0
AGAIN_SECONDS = 0.1


@dataclass(frozen=True)
class _Clients:
    admin: AIOKafkaAdminClient
    reader: AIOKafkaConsumer
    """Of no group and no topic: it only knows where topics begin and end."""

    async def close(self) -> None:
        await closed(self.admin.close())
        await closed(self.reader.stop())


class Questions:
    """`options` is called when a client is made: the arguments of all our clients."""

    def __init__(self, options: Callable[[], dict[str, Any]]) -> None:
        self._options = options
        self._asking = asyncio.Lock()
        self._clients: _Clients | None = None

    async def close(self) -> None:
        async with self._asking:
            await self._forget()

    async def _forget(self) -> None:
        clients, self._clients = self._clients, None
        if clients is not None:
            await clients.close()

    async def _opened(self) -> _Clients:
        if self._clients is None:
            clients = _Clients(AIOKafkaAdminClient(**self._options()), AIOKafkaConsumer(**self._options()))
            try:
                await clients.admin.start()
                await clients.reader.start()
            except BaseException:
                await clients.close()
                raise
            self._clients = clients
        return self._clients

    async def _ask(self, question: Callable[[_Clients], Awaitable[T]]) -> T:
        """The answer. What passes by itself (an election, a coordinator that is being made) is waited out for a while.

        The clients are kept open; after a fault new ones begin at the bootstrap servers, for their picture may be old.
        When none of those answers that is said at once.
        """
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            async with self._asking:
                clients = await self._opened()
                try:
                    return await question(clients)
                except BaseException as error:
                    await self._forget()
                    if not (isinstance(error, KafkaError) and error.retriable) or time.monotonic() > until:
                        raise
            await asyncio.sleep(AGAIN_SECONDS)

    async def partitions(self, names: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """Topic → its partitions, of those that exist; raises when one is closed to us."""
        request = MetadataRequest(list(names), allow_auto_topic_creation=False)
        found = (await self._ask(lambda clients: clients.admin._send_request(request))).to_object()["topics"]
        for each in found:
            if (error := for_code(each["error_code"])) is TopicAuthorizationFailedError:
                raise error(each["topic"])
        return {
            each["topic"]: sorted(each["partitions"], key=lambda partition: partition["partition"])
            for each in found
            if each["partitions"]
        }

    async def topics(self, names: Sequence[str]) -> list[Topic]:
        """How they are made, of those that exist."""
        described = await self.partitions(names)
        if not described:
            return []
        config = await self._config([ConfigResource(ConfigResourceType.TOPIC, name) for name in described])
        return [
            Topic(name, len(partitions), min(len(each["replicas"]) for each in partitions), config[name])
            for name, partitions in described.items()
        ]

    async def broker_setting(self, name: str) -> str | None:
        """What a broker has as `name`; None if we may not ask that."""

        cluster = await self._ask(lambda clients: clients.admin.describe_cluster())
        node = str(cluster["brokers"][0]["node_id"])
        try:
            return (await self._config([ConfigResource(ConfigResourceType.BROKER, node)]))[node].get(name)
        except ClusterAuthorizationFailedError:
            return None

    async def _config(self, resources: list[ConfigResource]) -> dict[str, dict[str, str]]:
        """Topic or broker → its settings."""
        answers = await self._ask(lambda clients: clients.admin.describe_configs(resources))
        config: dict[str, dict[str, str]] = {}
        for code, _, _, name, entries in (each for answer in answers for each in answer.resources):
            if code:
                raise for_code(code)(name)
            config[name] = {entry[0]: entry[1] for entry in entries}
        return config

    async def create(self, topics: Sequence[Topic]) -> None:
        """The brokers know them; it may take a moment until every partition has a leader."""
        new = [
            NewTopic(topic.name, topic.partitions, topic.replication, topic_configs=topic.config) for topic in topics
        ]
        made = await self._ask(lambda clients: clients.admin.create_topics(new))
        for name, code, *_ in made.topic_errors:
            if code and (error := for_code(code)) is not TopicAlreadyExistsError:
                raise error(name)

    async def begun(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Where the group goes on, in those partitions where it has begun."""
        kept = await self._ask(
            lambda clients: clients.admin.list_consumer_group_offsets(group, partitions=list(partitions))
        )
        return {place: position.offset for place, position in kept.items() if position.offset >= 0}

    async def first(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset of the earliest message that is still there."""
        found: dict[TopicPartition, int] = await self._ask(
            lambda clients: clients.reader.beginning_offsets(list(partitions))
        )
        return found

    async def end(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset that the next message will have."""
        found: dict[TopicPartition, int] = await self._ask(lambda clients: clients.reader.end_offsets(list(partitions)))
        return found
