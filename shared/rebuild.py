"""Rebuild: a projection is filled again from the bus, beside the one that answers, and then takes its place.

The handlers that hear every day write what the bus still holds, from the earliest event on, into shadow tables; what
owners have published again comes first. At the end writers are kept out for a moment, the last events follow, and the
tables are exchanged. Projections compare versions, so it does no harm that an event comes twice, or that the new
tables are ahead of what the listener has heard.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from itertools import chain, repeat

import asyncpg

from shared import shadow
from shared.bus.filling import Failed, Filling
from shared.bus.interface import Replay
from shared.bus.listeners import Projections
from shared.events import replay_of
from shared.runtime import Runtime
from shared.service import Service

ACTING_ROOMS = ("actions", "reactions", "timers")
PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
PATIENCE_SECONDS = 120.0
"""How long the exchange is tried, pausing after each attempt, while somebody else holds the tables."""
ALONE = "SELECT pg_try_advisory_lock(hashtextextended('rebuild', 0))"


class CannotRebuild(Exception):
    """Nothing has changed; the text says why, and holds no data."""


@dataclass(frozen=True)
class Projection:
    """What one module of a service has heard: its handlers, and the tables that nobody else writes."""

    handlers: Projections
    tables: Sequence[str]


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did: events read, and of them left out because they are parked or were discarded."""

    read: int
    left_out: int
    seconds: float


def projection_of(service: Service, noun: str) -> Projection:
    """The projection of the service's module `noun`. Its tables are all of the module's, so it must do no more."""
    modules = {module.rpartition(".")[2]: module for module in service.modules}
    projections = sorted(name for name, module in modules.items() if find_spec(f"{module}.projections"))
    if noun not in projections:
        raise CannotRebuild(f"{service.name} has no such projection; it has: {', '.join(projections) or 'none'}")
    module = modules[noun]
    for room in ACTING_ROOMS:
        if find_spec(f"{module}.{room}"):
            raise CannotRebuild(f"{noun} also has {room}, so its tables hold what no event tells")
    tables = [
        mapper.local_table.name  # type: ignore[attr-defined]  # a model of ours is mapped to a table
        for mapper in service.base.registry.mappers
        if mapper.class_.__module__ == f"{module}.models"
    ]
    return Projection(import_module(f"{module}.projections").projections, sorted(tables))


async def rebuild(projection: Projection, runtime: Runtime, tell: Callable[[str], None] = lambda _: None) -> Rebuilt:
    """The projection's tables hold what the bus tells; raises CannotRebuild, and then they are as they were.

    The service goes on meanwhile. `tell` is told how far it is.
    """
    began = time.monotonic()
    live, tables = projection.handlers.topics(), projection.tables
    async with _alone(runtime.settings.database_url.get_secret_value()) as connection:
        try:
            await shadow.make(connection, tables)
            filling = Filling(projection.handlers, runtime.sessions, connection, tell)
            async with _reading(runtime, [replay_of(topic) for topic in live]) as archive:
                await filling.follow(archive)
            async with _reading(runtime, live) as reading:
                await filling.follow(reading)
                tell("making the indexes")
                await shadow.complete(connection, tables)
                await _exchange(connection, tables, filling, reading, tell)
        except (Failed, shadow.CannotBeExchanged) as error:
            raise CannotRebuild(str(error)) from error
        finally:
            await shadow.drop(connection)
    return Rebuilt(filling.read, len(filling.left_out), time.monotonic() - began)


@asynccontextmanager
async def _alone(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that is the only one of its database to rebuild anything."""
    connection = await asyncpg.connect(url)
    try:
        if not await connection.fetchval(ALONE):
            raise CannotRebuild("another rebuild is running on this database")
        yield connection
    finally:
        await connection.close(timeout=2)


@asynccontextmanager
async def _reading(runtime: Runtime, topics: Sequence[str]) -> AsyncIterator[Replay]:
    reading = await runtime.bus.replay(topics)
    try:
        yield reading
    finally:
        await reading.close()


async def _exchange(
    connection: asyncpg.Connection,
    tables: Sequence[str],
    filling: Filling,
    reading: Replay,
    tell: Callable[[str], None],
) -> None:
    """Writers wait, the last events follow, the tables change places. Tried again while others hold the tables."""
    until = time.monotonic() + PATIENCE_SECONDS
    for pause in chain(PAUSES, repeat(PAUSES[-1])):
        await filling.follow(reading)  # so that little is left to do while writers wait
        try:
            async with connection.transaction():
                await shadow.keep_writers_out(connection, tables)
                await filling.follow(reading)
                await filling.take_in_what_was_redriven()
                await shadow.exchange(connection, tables)
            return
        except shadow.IN_USE:
            if time.monotonic() > until:
                raise CannotRebuild("somebody holds the tables: look for a transaction that does not end") from None
            tell("the tables are in use, trying again")
            await asyncio.sleep(pause)
