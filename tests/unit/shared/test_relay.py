"""The relay ends when it is told to, whatever comes at the same moment."""

import asyncio
from collections.abc import Callable

import pytest

from shared.bus.postgres import PostgresBus
from shared.bus.relay import Relay
from shared.metrics import Metrics
from shared.traces import SILENT


class Quiet:
    """A connection to a database in which nothing is unpublished, and which a test makes notify."""

    notify: Callable[[], None]

    async def add_listener(self, _channel: str, hear: Callable[[], None]) -> None:
        self.notify = hear

    async def fetch(self, *_: object) -> list[object]:
        return []


async def test_an_end_that_comes_with_a_notification_is_not_missed() -> None:
    nowhere = "postgresql://nobody@localhost/none"
    relay, database = Relay(nowhere, PostgresBus(nowhere), Metrics("referral"), SILENT), Quiet()
    waiting = asyncio.create_task(relay._send_for_ever(database, None))  # type: ignore[arg-type]
    for _ in range(10):
        await asyncio.sleep(0)
    database.notify()
    waiting.cancel()
    done, _ = await asyncio.wait({waiting}, timeout=60)
    with pytest.raises(asyncio.CancelledError):
        await done.pop()
