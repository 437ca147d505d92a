"""Ears: how a process that waits for its service's listeners is woken."""

import asyncio

import asyncpg


class Ears:
    """One LISTEN connection a process: wakes whoever waits for the inbox to grow. A lost connection is made again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: asyncpg.Connection | None = None
        self._waiting: set[asyncio.Event] = set()
        self._lock = asyncio.Lock()

    def _wake(self, *_: object) -> None:
        for event in self._waiting:
            event.set()

    async def open(self) -> None:
        async with self._lock:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(self._url)
                await self._connection.add_listener("heard", self._wake)

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close(timeout=2)

    def listen(self) -> asyncio.Event:
        event = asyncio.Event()
        self._waiting.add(event)
        return event

    def forget(self, event: asyncio.Event) -> None:
        self._waiting.discard(event)
