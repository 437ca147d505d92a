"""Closing clients: a broker that is away must not hold up whoever wants to end."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)

CLOSE_SECONDS = 10.0


async def closed(closing: Coroutine[Any, Any, Any], seconds: float = CLOSE_SECONDS) -> None:
    """It is closed, or was told to and is left behind: the brokers find out themselves."""
    task = asyncio.ensure_future(closing)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if done:
        await task
        return
    task.cancel()
    log.warning("a client could not be closed within %s s: the broker does not answer", seconds)
