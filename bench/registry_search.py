"""How long the database takes to find services by text, area and type among 100,000 in 50,000 places.

Entered are invented services with words that are as unevenly frequent as those of a language; each search takes its
words, area and type from one of them, so that it finds something, or every fifth time from three, so that it may not.
Measured is the statement alone, from sending it to its last row, and the whole query with its objects.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import asyncpg
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from bench import registry_world
from bench.registry_world import COUNTRY, SERVICES, Entered
from relink.embedded import EmbeddedPostgres
from services.registry.app import service
from services.registry.directory import queries
from services.registry.directory.domain import ServiceType, State
from services.registry.directory.filters import Near, Wanted
from services.registry.directory.models import Service
from shared import migrations
from shared.actor import Actor
from shared.db import engine_for
from shared.http import PageRequest

SEARCHES, WARM_UP = 2000, 200
P50_LIMIT, P99_LIMIT = 15.0, 60.0
LISTED = 50
EVERYBODY = Actor("bench", "bench", UUID(int=1), frozenset({"registry:read"}))


def _searches(entered: Sequence[Entered]) -> Iterator[Wanted]:
    """One or two words of a name, or how they begin; an area that must be covered, or a larger one in part; a type."""
    chance = random.Random(7)
    for number in range(WARM_UP + SEARCHES):
        at = [chance.randrange(SERVICES)] * 3 if number % 5 else [chance.randrange(SERVICES) for _ in range(3)]
        words = chance.sample(entered[at[0]].name.split(), k=chance.choice((1, 2)))
        area = entered[at[1]].area
        text = " ".join(word[: chance.randint(4, 10)] for word in words)
        wanted = Wanted(text=text, type=entered[at[2]].type)
        larger = area[: chance.choice((5, 8))]
        yield replace(wanted, area=area) if chance.random() < 0.5 else replace(wanted, part_of=larger)


class Stopwatch:
    """Milliseconds of each statement on an engine."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.times: list[float] = []
        event.listen(engine.sync_engine, "before_cursor_execute", self._begin)
        event.listen(engine.sync_engine, "after_cursor_execute", self._end)

    def _begin(self, *_: Any) -> None:
        self._began = time.perf_counter()

    def _end(self, *_: Any) -> None:
        self.times.append((time.perf_counter() - self._began) * 1000)


def _cuts(milliseconds: Sequence[float]) -> tuple[float, float, float]:
    cuts = statistics.quantiles(milliseconds, n=100, method="inclusive")
    return cuts[49], cuts[98], max(milliseconds)


def _row(name: str, milliseconds: Sequence[float], limits: tuple[float, float] | None = None) -> str:
    p50, p99, slowest = _cuts(milliseconds)
    bound = f" (limits: p50 < {limits[0]:g}, p99 < {limits[1]:g})" if limits else ""
    return f"{name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, slowest {slowest:.1f} ms{bound}"


async def _timed(sessions: async_sessionmaker[AsyncSession], wanted: Sequence[Wanted]) -> tuple[list[float], int]:
    took, found = [], 0
    for each in wanted:
        async with sessions() as session:
            began = time.perf_counter()
            page = await queries.page_of_services(session, EVERYBODY, await _page(LISTED), each)
            took.append((time.perf_counter() - began) * 1000)
            found += bool(page.items)
    return took, found


async def _page(limit: int, after: str | None = None) -> Any:
    return await get_args(PageRequest)[1].dependency(limit, after)  # as the route makes it from the query


async def _page_to_the_end(
    sessions: async_sessionmaker[AsyncSession], there: set[UUID], organization_id: UUID
) -> tuple[int, int, float]:
    """Every service of one type, 200 a page, while others are entered: each that was there is seen once."""
    wanted = Wanted(type=ServiceType.HOUSING)
    seen: list[UUID] = []
    after, slowest, entered = None, 0.0, 0
    while True:
        async with sessions() as session:
            began = time.perf_counter()
            page = await queries.page_of_services(session, EVERYBODY, await _page(200, after), wanted)
            slowest = max(slowest, (time.perf_counter() - began) * 1000)
            seen += [row.service_id for row in page.items]
            session.add(
                Service(
                    organization_id=organization_id,
                    name="Entered meanwhile",
                    type=ServiceType.HOUSING,
                    country=COUNTRY,
                    state=State.PUBLISHED,
                )
            )
            await session.commit()
            entered += 1
        if page.next is None:
            break
        after = page.next
    assert len(seen) == len(set(seen)), "a service was seen twice"
    assert there <= set(seen), "a service was not seen"
    return len(seen), entered, slowest


async def measure() -> list[str]:
    with (
        tempfile.TemporaryDirectory(prefix="relink-bench-") as folder,
        EmbeddedPostgres(Path(folder), "of no use elsewhere") as server,
    ):
        engine = engine_for(server.url(), 1)
        await migrations.upgrade("registry", engine, service.base.metadata)
        connection = await asyncpg.connect(server.url())
        began = time.perf_counter()
        entered = await registry_world.enter(connection)
        lines = [f"{SERVICES:,} services in 50,040 areas, entered in {time.perf_counter() - began:.0f} s"]
        sessions = async_sessionmaker(engine, expire_on_commit=False)
        searches = list(_searches(entered))
        await _timed(sessions, searches[:WARM_UP])
        watch = Stopwatch(engine)
        whole, found = await _timed(sessions, searches[WARM_UP:])
        lines.append(_row("text + area + type, the statement", watch.times, (P50_LIMIT, P99_LIMIT)))
        lines.append(_row("text + area + type, with its objects", whole))
        lines.append(f"{found} of {SEARCHES} searches found something")
        near = [Wanted(near=Near(random.Random(n).uniform(5, 13), 8.0, 25)) for n in range(200)]
        lines.append(_row("within 25 km of a point", (await _timed(sessions, near))[0]))
        text = [Wanted(text=each.text) for each in searches[:200]]
        lines.append(_row("text alone", (await _timed(sessions, text))[0]))
        organization_id = await connection.fetchval("SELECT organization_id FROM organizations LIMIT 1")
        housing = await connection.fetch("SELECT service_id FROM services WHERE type = 'housing'")
        there = {row["service_id"] for row in housing}
        seen, added, slowest = await _page_to_the_end(sessions, there, organization_id)
        lines.append(
            f"paging to the end, 200 a page: {len(there)} were there, {added} entered meanwhile, {seen} seen,"
            f" each once; slowest page {slowest:.1f} ms"
        )
        await connection.close()
        await engine.dispose()
    return lines
