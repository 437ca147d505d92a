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
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import asyncpg
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from relink.embedded import EmbeddedPostgres
from services.registry.app import service
from services.registry.directory import queries
from services.registry.directory.domain import Dimension, Level, ServiceType, State
from services.registry.directory.filters import Near, Wanted
from services.registry.directory.indexing import terms_of
from services.registry.directory.models import Service
from shared import migrations
from shared.actor import Actor
from shared.db import engine_for
from shared.http import PageRequest
from shared.ids import new_id

SERVICES, REGIONS, DISTRICTS, VILLAGES = 100_000, 40, 25, 49
SEARCHES, WARM_UP = 2000, 200
P50_LIMIT, P99_LIMIT = 15.0, 60.0
LISTED = 50
COUNTRY = "NG"
EVERYBODY = Actor("bench", "bench", UUID(int=1), frozenset({"registry:read"}))
SYLLABLES = tuple(first + second for first in "bdfghklmnprstvwyz" for second in "aeiou")


@dataclass
class Seeded:
    """What was entered, as far as searches are made of it."""

    names: list[str] = field(default_factory=list)
    areas: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)


def _areas() -> Iterator[tuple[str, int, str]]:
    """Code, level, parent: 40 regions, 1,000 districts, 49,000 villages."""
    for region in range(REGIONS):
        code = f"{COUNTRY}{region:03}"
        yield code, 1, COUNTRY
        for district in range(DISTRICTS):
            below = f"{code}{district:03}"
            yield below, 2, code
            for village in range(VILLAGES):
                yield f"{below}{village:02}", 3, below


def _vocabulary(chance: random.Random) -> tuple[list[str], list[float]]:
    """5,000 words and their weights, added up, by Zipf's law."""
    words: set[str] = set()
    while len(words) < 5000:
        words.add("".join(chance.choices(SYLLABLES, k=chance.randint(2, 5))))
    return sorted(words, key=lambda _: chance.random()), list(accumulate(1 / rank for rank in range(1, 5001)))


async def _seed(connection: asyncpg.Connection) -> Seeded:
    chance, now = random.Random(5), datetime.now(UTC)  # noqa: TID251  # data of a bench: the machine's time
    areas = list(_areas())
    await connection.copy_records_to_table(
        "areas",
        columns=("code", "name", "level", "parent", "country", "provisional", "version", "created_at", "changed_at"),
        records=[(code, code, level, parent, COUNTRY, False, 1, now, now) for code, level, parent in areas],
    )
    organizations = [new_id() for _ in range(2000)]
    await connection.executemany(
        "INSERT INTO organizations (organization_id, name, translations, kind, country, identifiers, contacts, roles,"
        " professional_standing, registrations, lead, version, created_at, changed_at)"
        " VALUES ($1, $2, '{}', 'ngo', $3, '[]', '[]', '{}', '{}', '[]', false, 1, $4, $4)",
        [(each, f"Organisation {number}", COUNTRY, now) for number, each in enumerate(organizations)],
    )
    words, weights = _vocabulary(chance)
    by_level = {level: [code for code, at, _ in areas if at == level] for level in (1, 2, 3)}
    seeded = Seeded()
    rows: list[tuple[Any, ...]] = []
    points: list[tuple[Any, ...]] = []
    types, dimensions, levels = list(ServiceType), list(Dimension), list(Level)
    for _ in range(SERVICES):
        level = chance.choices((1, 2, 3), (2, 8, 90))[0]
        covered = sorted(set(chance.choices(by_level[level], k=chance.choice((1, 1, 2, 3)))))
        text = chance.choices(words, cum_weights=weights, k=25)
        name, service_type = " ".join(text[:4]), chance.choice(types)
        seeded.names.append(name)
        seeded.areas.append(covered[0])
        seeded.types.append(service_type)
        service_id = new_id()
        row: tuple[Any, ...] = (service_id, chance.choice(organizations), name, "{}", " ".join(text[4:]), service_type)
        row += (chance.choice(dimensions), chance.choice(levels), COUNTRY, covered, covered, "[]", True, 3, False)
        row += (False, [], [], "[]", "[]", "[]", [], "{}", State.PUBLISHED, now.date(), int(chance.random() < 0.1), [])
        rows.append((*row, [], terms_of(text, service_type, covered), 1, now, now))
        points.append((service_id, 0, chance.uniform(4, 14), chance.uniform(3, 14)))
    columns = (
        "service_id organization_id name translations description type dimension level country areas covered_areas"
        " locations places_stated set_aside open_to_all remote languages required_documents contacts schedules costs"
        " excluded_groups service_map state confirmed_on staleness doubtful inferred terms version created_at"
        " changed_at"
    )
    index = await connection.fetchval("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_services_terms'")
    await connection.execute("DROP INDEX ix_services_terms")  # built at once afterwards: entering them is not measured
    await connection.copy_records_to_table("services", columns=columns.split(), records=rows)
    await connection.copy_records_to_table("service_points", records=points)
    await connection.execute(index)
    await connection.execute("VACUUM ANALYZE")
    return seeded


def _searches(seeded: Seeded) -> Iterator[Wanted]:
    """One or two words of a name, or how they begin; an area of any level; a type."""
    chance = random.Random(7)
    for number in range(WARM_UP + SEARCHES):
        at = [chance.randrange(SERVICES)] * 3 if number % 5 else [chance.randrange(SERVICES) for _ in range(3)]
        words = chance.sample(seeded.names[at[0]].split(), k=chance.choice((1, 2)))
        area = seeded.areas[at[1]]
        yield Wanted(
            text=" ".join(word[: chance.randint(4, 10)] for word in words),
            area=area[: chance.choice((5, 8, 10))],
            type=ServiceType(seeded.types[at[2]]),
        )


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
            page = await queries.page_of_services(session, EVERYBODY, _page(LISTED), each)
            took.append((time.perf_counter() - began) * 1000)
            found += bool(page.items)
    return took, found


def _page(limit: int, after: str | None = None) -> Any:
    return get_args(PageRequest)[1].dependency(limit, after)  # as the route makes it from the query


async def _page_to_the_end(sessions: async_sessionmaker[AsyncSession], organization_id: UUID) -> tuple[int, int, float]:
    """Every service of one type, 200 a page, while others are entered: each that was there is seen once."""
    wanted = Wanted(type=ServiceType.HOUSING)
    seen: list[UUID] = []
    after, slowest, entered = None, 0.0, 0
    while True:
        async with sessions() as session:
            began = time.perf_counter()
            page = await queries.page_of_services(session, EVERYBODY, _page(200, after), wanted)
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
        seeded = await _seed(connection)
        lines = [
            f"{SERVICES:,} services in {len(list(_areas())):,} areas, entered in {time.perf_counter() - began:.0f} s"
        ]
        sessions = async_sessionmaker(engine, expire_on_commit=False)
        searches = list(_searches(seeded))
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
        there = await connection.fetchval("SELECT count(*) FROM services WHERE type = 'housing'")
        seen, entered, slowest = await _page_to_the_end(sessions, organization_id)
        lines.append(
            f"paging to the end, 200 a page: {there} were there, {entered} entered meanwhile, {seen} seen, each once;"
            f" slowest page {slowest:.1f} ms"
        )
        await connection.close()
        await engine.dispose()
    return lines
