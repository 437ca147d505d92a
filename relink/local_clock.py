"""Business time of several processes on one machine: all follow one file, and the workers run what has fallen due.

Local mode only. The gateway writes the file (`shared.clock.follow`) and looks into each service's own database until no
timer is due any more; the workers do the work.
"""

import asyncio
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import asyncpg

from shared import clock
from shared.errors import Unavailable

DUE = "SELECT kind, aggregate_id, due_at FROM timers WHERE due_at <= $1"
LOOK_AGAIN = 0.02
PATIENCE = 120.0
"""Seconds for all timers of one service; a worker that is away would otherwise be waited for without end."""


async def move_to(now: datetime, file: Path, databases: Iterable[str]) -> int:
    """Business time goes on from `now` for all who follow `file`; says how many timers of these databases had fallen
    due, all of which have run.

    Raises Unavailable when they do not run.
    """
    urls = list(databases)
    clock.follow(file)
    clock.move_to(now)
    ran = 0
    while more := sum([await _until_none_is_due(url) for url in urls]):
        ran += more
    return ran


async def _until_none_is_due(url: str) -> int:
    """Wakes the worker, waits, and says how many timers were due meanwhile."""
    seen: set[tuple[object, ...]] = set()
    deadline = time.monotonic() + PATIENCE
    connection = await asyncpg.connect(url)
    try:
        while due := await connection.fetch(DUE, clock.now()):
            seen.update(tuple(row) for row in due)
            if time.monotonic() > deadline:
                raise Unavailable("timers that are due do not run: a worker is away")
            await connection.execute("NOTIFY timers")
            await asyncio.sleep(LOOK_AGAIN)
    finally:
        await connection.close()
    return len(seen)
