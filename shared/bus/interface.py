"""What every bus offers: a sender that keeps order, and subscriptions whose position moves only when told to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

Headers = list[tuple[str, bytes | None]]
Positions = dict[tuple[str, int], int]
"""(topic, partition) → an offset."""


class UnknownTopic(Exception):
    """Nobody made this topic; the text says what to do."""


@dataclass(frozen=True)
class Message:
    """One message as it lies on the bus; `offset` counts within topic and partition."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = field(default_factory=list)
    partition: int = 0
    offset: int = -1


class Sender(Protocol):
    """Sends batches in order. After an exception it is closed and a new one made; the batch is sent again."""

    async def send(self, messages: Sequence[Message]) -> None:
        """All are durably on the bus, in this order within each key, once this returns."""

    async def close(self) -> None: ...


class Subscription(Protocol):
    """One group's reading of its topics. Only one process of a group holds a partition at a time."""

    async def poll(self, limit: int, wait: float) -> list[Message]:
        """The next messages in order, at most `limit`; waits up to `wait` seconds for the first, else an empty list."""

    async def commit(self, messages: Sequence[Message]) -> None:
        """These, and all before them in their partitions, are done with."""

    async def rewind(self) -> None:
        """Poll again from the last commit."""

    async def close(self) -> None: ...


class Replay(Subscription, Protocol):
    """A reading from the earliest message, of no group: it leaves no trace on the bus."""

    async def ends(self) -> Positions:
        """The offset behind the newest message of each partition that holds any; one that has none is left out."""


class Bus(Protocol):
    """What carries events between services; `shared.runtime.open_bus` chooses it by configuration."""

    async def make_topics(self, topics: Sequence[str]) -> None:
        """The topics exist, as configured; those that were there are left as they are."""

    async def topic_faults(self, topics: Sequence[str]) -> list[str]:
        """What is wrong with the topics, a sentence each; empty when all are as configured."""

    async def begin_at_end(self, groups: Sequence[str], topics: Sequence[str]) -> None:
        """Each group that has no position in a topic yet begins at that topic's present end."""

    async def sender(self) -> Sender: ...

    async def subscribe(self, group: str, topics: Sequence[str]) -> Subscription:
        """Read on from the group's position; a group without one starts at the earliest message."""

    async def replay(self, topics: Sequence[str]) -> Replay:
        """Read from the earliest message without a group; `commit` and `rewind` move nothing but this reading."""

    async def lag(self, group: str, topics: Sequence[str]) -> int:
        """How many messages the group has not committed yet."""

    async def close(self) -> None: ...
