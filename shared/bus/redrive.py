"""Redrive: a parked key's events once more, in order, each in a transaction of its own, up to the first that fails.

Who redrives holds the row of the event while it is applied. A second one waits for it and goes on behind it; the
listener waits too before it decides whether a live event of the key is parked behind the others or applied.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus import parking
from shared.bus.consumer import Consumer
from shared.bus.parked import ParkedKey, count_of
from shared.bus.weather import is_transient
from shared.errors import Conflict

log = logging.getLogger(__name__)


class ProjectionsFirst(Conflict):
    """The projections of this service have parked the same key: redrive or discard it there first"""


class _Failed(Exception):
    """An event could not be applied this time either; the text is the class and line."""


@dataclass(frozen=True)
class Redriven:
    """How many events were applied, how many are still parked, and what stopped it: class and line of the failure."""

    applied: int
    left: int
    stopped_by: str | None = None


async def redrive(
    consumer: Consumer, sessions: Callable[[], AsyncSession], parked: ParkedKey, most: int = 1000
) -> Redriven:
    """Apply up to `most` events of the key. Raises ProjectionsFirst, and what says that the infrastructure is away."""
    applied, stopped_by = 0, None
    try:
        while applied < most and await _apply_first(consumer, sessions, parked):
            applied += 1
    except _Failed as failed:
        stopped_by = str(failed)
    async with sessions() as session:
        return Redriven(applied, await count_of(session, parked), stopped_by)


async def _apply_first(consumer: Consumer, sessions: Callable[[], AsyncSession], parked: ParkedKey) -> bool:
    """The key's first event is applied and parked no more; False when there is none."""
    async with sessions() as session:
        if consumer.listener != "projections":
            await _let_projections_go_first(session, parked)
        event = await parking.take(session, parked)
        if event is None:
            return False
        try:
            await consumer.apply_parked(session, event.message, claimed=event.event_id is not None)
            await session.commit()
        except Exception as error:
            if is_transient(error):
                raise
            await session.rollback()
            await parking.failed_again(session, event.parked_id, error)
            await session.commit()
            log.error("%s: redrive stopped by %s", consumer.group, type(error).__name__)
            raise _Failed(parking.where(error)) from error
    return True


async def _let_projections_go_first(session: AsyncSession, parked: ParkedKey) -> None:
    if parked.key and await parking.parked_keys(session, ["projections"], [parked.key.encode()]):
        raise ProjectionsFirst
