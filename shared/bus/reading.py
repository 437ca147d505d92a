"""Reading a subscription: under a backlog one batch ahead, and with its position kept now and then.

The inbox makes an event that is read twice harmless, so a position may stay behind what was done; it is never ahead.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from shared.bus.interface import Message, Subscription

BACKLOG = 200
"""As many in one poll say that more is waiting: the next is polled while these are applied."""
IDLE_SECONDS = 5.0
KEEP_SECONDS = 0.25
"""How long at most the kept position stays behind what was done."""
CLOSE_SECONDS = 2.0
AT_ONCE = 100
"""Messages opened before others in this process get a turn."""

T = TypeVar("T")


class Reading(Generic[T]):
    """What a subscription says, at most `most` messages a batch, each made into a `T`, and how far one got."""

    def __init__(self, subscription: Subscription, most: int, open_message: Callable[[Message], T]) -> None:
        self._subscription = subscription
        self._most = most
        self._open_message = open_message
        self._ahead: asyncio.Task[list[T]] | None = None
        self._done: dict[tuple[str, int], Message] = {}
        self._kept_at = time.monotonic()

    async def next(self) -> list[T]:
        """The next batch; empty when there was none for a while."""
        ahead, self._ahead = self._ahead, None
        batch = await ahead if ahead else []
        if not batch:
            batch = await self._poll(self._left() if self._done else IDLE_SECONDS)
        if not batch:
            await self._keep()
        elif len(batch) >= BACKLOG:
            self._ahead = asyncio.create_task(self._poll(0.0))
        return batch

    async def done(self, messages: Sequence[Message]) -> None:
        """These, of the batch that came last, are done with; their effects are durable."""
        self._done |= {(message.topic, message.partition): message for message in messages}
        if self._left() <= 0.0:
            await self._keep()

    async def rewind(self) -> None:
        """Go back to what is not done yet."""
        await self._keep()
        await self._forget_ahead()
        await self._subscription.rewind()

    async def close(self) -> None:
        """Keep the position if the bus takes it at once; else what was done is read again."""
        await self._forget_ahead()
        try:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._keep()
        finally:
            await self._subscription.close()

    async def _poll(self, wait: float) -> list[T]:
        opened = []
        for number, message in enumerate(await self._subscription.poll(self._most, wait), start=1):
            opened.append(self._open_message(message))
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        return opened

    def _left(self) -> float:
        return max(0.0, self._kept_at + KEEP_SECONDS - time.monotonic())

    async def _keep(self) -> None:
        if self._ahead:
            await asyncio.wait([self._ahead])  # a subscription does one thing at a time
        if self._done:
            await self._subscription.commit(list(self._done.values()))
            self._done = {}
        self._kept_at = time.monotonic()

    async def _forget_ahead(self) -> None:
        if self._ahead:
            self._ahead.cancel()
            await asyncio.gather(self._ahead, return_exceptions=True)
            self._ahead = None
