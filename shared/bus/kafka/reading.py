"""Reading: a member of a consumer group, and a reading of everything that leaves no trace.

What was polled and not committed is kept, so that `rewind` needs no broker: a reaction that waits for its projections
rewinds often, and a fetch that is under way would hold a seek up.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError, IllegalStateError

from shared.bus.interface import Message, Positions
from shared.bus.kafka.closing import closed

log = logging.getLogger(__name__)

Place = tuple[str, int]
"""Topic and partition."""
FETCHING: dict[str, Any] = {
    "auto_offset_reset": "earliest",
    "enable_auto_commit": False,
    "fetch_min_bytes": 1,
    # A fetch waits for the longest-silent partition: shorter, and one that was busy meanwhile is asked sooner.
    "fetch_max_wait_ms": 100,
    # Far above what we send: a foreign message of 10 MB must pass.
    "max_partition_fetch_bytes": 16 * 1024 * 1024,
}
MEMBERSHIP: dict[str, Any] = {
    # A member that died is noticed after the first, one that came after the second.
    "session_timeout_ms": 6_000,
    "heartbeat_interval_ms": 1_000,
    "rebalance_timeout_ms": 30_000,
}


class KafkaReplay:
    """Reads from the earliest message. `names`: topic on the brokers → topic as the rest of the code knows it."""

    def __init__(self, consumer: AIOKafkaConsumer, names: dict[str, str]) -> None:
        self._consumer = consumer
        self._names = names
        self._next: dict[Place, int] = {}
        self._polled: list[Message] = []
        self._again: list[Message] = []

    async def poll(self, limit: int, wait: float) -> list[Message]:
        if self._again:
            again, self._again = self._again[:limit], self._again[limit:]
            return again
        fetched = await self._consumer.getmany(timeout_ms=int(wait * 1000), max_records=limit)
        messages = [self._message(record) for records in fetched.values() for record in records]
        for records in fetched.values():
            first = self._message(records[0])
            self._next.setdefault((first.topic, first.partition), first.offset)
        self._polled += messages
        return messages

    async def commit(self, messages: Sequence[Message]) -> None:
        """What is no longer ours, or was committed before, moves nothing."""
        done: dict[Place, int] = {}
        for message in messages:
            place = (message.topic, message.partition)
            if place in self._next and message.offset >= max(done.get(place, 0), self._next[place]):
                done[place] = message.offset + 1
        if done and await self._keep(done):
            self._next |= done
            self._polled = [m for m in self._polled if m.offset >= self._next[m.topic, m.partition]]

    async def rewind(self) -> None:
        self._again = list(self._polled)

    async def ends(self) -> Positions:
        places = self._consumer.assignment()
        first, ends = await self._consumer.beginning_offsets(places), await self._consumer.end_offsets(places)
        return {(self._names[each.topic], each.partition): ends[each] for each in places if first[each] < ends[each]}

    async def close(self) -> None:
        await closed(self._consumer.stop())

    async def _keep(self, done: dict[Place, int]) -> bool:
        """The position is kept, or it was not ours to keep."""
        return True

    def _message(self, record: ConsumerRecord) -> Message:
        topic = self._names[record.topic]
        return Message(topic, record.key, record.value, list(record.headers), record.partition, record.offset)


class KafkaSubscription(KafkaReplay, ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is not typed
    """A member of a group. When the group is divided anew it forgets what it polled: the next owner polls it again."""

    def __init__(self, consumer: AIOKafkaConsumer, names: dict[str, str]) -> None:
        super().__init__(consumer, names)
        self._keeping: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """It has its share of the partitions."""
        self._consumer.subscribe(list(self._names), listener=self)
        await self._consumer.start()

    async def close(self) -> None:
        await super().close()
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)

    async def on_partitions_revoked(self, revoked: object) -> None:
        self._next, self._polled, self._again = {}, [], []

    async def on_partitions_assigned(self, assigned: object) -> None: ...

    async def _keep(self, done: dict[Place, int]) -> bool:
        here = {topic: name for name, topic in self._names.items()}
        offsets = {TopicPartition(here[topic], number): offset for (topic, number), offset in done.items()}
        self._keeping = asyncio.create_task(self._consumer.commit(offsets))
        try:
            await asyncio.shield(self._keeping)  # whoever cancels it leaves a request behind that nobody hears fail
        except (CommitFailedError, IllegalStateError):
            log.info("a commit came after its partitions had moved on: their next owner reads them again")
            return False
        return True
