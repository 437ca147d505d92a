"""`relink parked`: what a service could not apply, listed, redriven and discarded.

It works on the service's own database, with the variables that its processes have: at night, when this is needed, its
API may be down, and nobody has to find a token first. Who may read those variables may do all of this anyway.
"""

import asyncio
import getpass
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from relink.configured import configured, service_named
from shared.bus import brake, discards, parked
from shared.bus.parked import ParkedKey
from shared.bus.redrive import ProjectionsFirst, redrive
from shared.bus.weather import is_transient
from shared.db import parked_events
from shared.service import Service

T = TypeVar("T")
COLUMNS = ("number", "listener", "key", "events", "since", "attempts", "error", "types")


def show(name: str) -> None:
    """What is parked, key by key, and whether the brake is on."""
    _run(_show(service_named(name)))


def redrive_keys(name: str, number: int | None) -> bool:
    """Redrive the key with this number, or all; say whether nothing is left of them."""
    return _run(_redrive(service_named(name), number))


def discard(name: str, number: int, reason: str, by: str | None, whole_key: bool) -> None:
    """Give up the event with this number, or its whole key, in the name of `by` or of who is logged in."""
    decision = discards.Decision(by or getpass.getuser(), reason)
    _run(_discard(service_named(name), number, decision, whole_key))


async def _show(service: Service) -> None:
    async with configured(service) as runtime, runtime.sessions() as session:
        rows = [_line(key) for key in await _keys(session)]
        for listener in service.hears:
            if limit := await brake.reached(session, listener):
                typer.echo(f"{service.name}.{listener} is stopped: {limit.keys} keys parked within {limit.seconds} s")
    if not rows:
        typer.echo("Nothing is parked.")
        return
    widths = [max(len(row[column]) for row in (COLUMNS, *rows)) for column in range(len(COLUMNS))]
    for row in (COLUMNS, *rows):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _line(key: ParkedKey) -> tuple[str, ...]:
    since = key.parked_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    # A key that is none of ours may hold anything, also what a terminal obeys.
    name = "-" if key.key is None else key.key if key.key.isprintable() else ascii(key.key)
    types = ", ".join(key.types) or "-"
    return str(key.parked_id), key.listener, name, str(key.events), since, str(key.attempts), key.error, types


async def _redrive(service: Service, number: int | None) -> bool:
    """Whether nothing is left of what was to be redriven."""
    async with configured(service) as runtime:
        consumers = service.worker(runtime).consumers
        async with runtime.sessions() as session:
            keys = await _keys(session) if number is None else [await _key(session, number)]
        left = 0
        for key in keys:
            try:
                done = await redrive(consumers[key.listener], runtime.sessions, key, most=sys.maxsize)
            except ProjectionsFirst:
                typer.echo(f"{key.parked_id}: {ProjectionsFirst.title()}")
                left += key.events
                continue
            stopped = f", stopped by {done.stopped_by}" if done.stopped_by else ""
            typer.echo(f"{key.parked_id}: {done.applied} applied, {done.left} left{stopped}")
            left += done.left
    return left == 0


async def _discard(service: Service, number: int, decision: discards.Decision, whole_key: bool) -> None:
    async with configured(service) as runtime, runtime.sessions.begin() as session:
        key = await _key(session, number)
        given_up = await discards.discard(session, key, decision, whole_key)
        typer.echo(f"{number}: {given_up} discarded, {await parked.count_of(session, key)} left")


async def _keys(session: AsyncSession) -> list[ParkedKey]:
    """All of them, projections ahead of reactions, then in the order in which they were parked."""
    query = parked.heads().order_by(parked_events.c.listener, parked_events.c.parked_id)
    return [ParkedKey(**row._mapping) for row in await session.execute(query)]


async def _key(session: AsyncSession, number: int) -> ParkedKey:
    if (key := await parked.find(session, number)) is None:
        sys.exit(f"Nothing is parked under the number {number}: see `relink parked list`")
    return key


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except Exception as error:
        if not is_transient(error):
            raise
        sys.exit(f"The database does not answer ({type(error).__name__}): see `relink doctor`")
