"""Timers: what must happen at a time is a row, claimed by the worker; effect, deletion and event are one transaction.

The handler locks its aggregate first, like every action does; only then is the row deleted. If it is gone by then
(an action cleared it, or another worker was faster) everything the handler did is rolled back.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from shared import writes
from shared.db import timers as table


@dataclass(frozen=True)
class Timer:
    kind: str
    aggregate_id: UUID
    due_at: datetime


Handler = Callable[[AsyncSession, Timer], Awaitable[Any]]


class Timers:
    """The timers of one module: `timers = Timers()` in its `timers.py`, a handler for each kind."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}

    def on(self, kind: str) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            if kind in self.handlers:
                raise ValueError(f"two handlers for the timer {kind}")
            self.handlers[kind] = handler
            return handler

        return register


async def set(  # noqa: A001  # read as timers.set
    session: AsyncSession, kind: str, aggregate_id: UUID, due_at: datetime
) -> None:
    """Let `kind` be due for the aggregate at `due_at`; one of each kind for an aggregate, moved if it exists."""
    row = {"kind": kind, "aggregate_id": aggregate_id, "due_at": due_at, "attempts": 0}
    writes.upsert(session, table, row)


async def clear(session: AsyncSession, aggregate_id: UUID, *kinds: str) -> None:
    """Forget these timers of the aggregate; without kinds, all of them."""
    for kind in kinds:
        writes.delete(session, table, {"kind": kind, "aggregate_id": aggregate_id})
    if not kinds:
        await session.flush()
        await session.execute(delete(table).where(table.c.aggregate_id == aggregate_id))
