"""An invented registry to search in: 100,000 services in 50,000 areas, with words as uneven as those of a language."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any
from uuid import UUID

import asyncpg

from services.registry.directory.domain import Dimension, Level, ServiceType, State
from services.registry.directory.indexing import terms_of
from shared.ids import new_id

SERVICES, ORGANIZATIONS = 100_000, 2_000
REGIONS, DISTRICTS, VILLAGES = 40, 25, 49
COUNTRY = "NG"
SYLLABLES = tuple(first + second for first in "bdfghklmnprstvwyz" for second in "aeiou")
WORDS = 5_000
BY_LEVEL = (2, 8, 90)
"""Of a hundred services so many are for regions, for districts and for villages."""
NOW = datetime.now(UTC)  # noqa: TID251  # data of a bench: the machine's time
COMMON: dict[str, Any] = {
    "translations": "{}", "country": COUNTRY, "locations": "[]", "places_stated": True, "set_aside": 3,
    "open_to_all": False, "remote": False, "languages": [], "required_documents": [], "contacts": "[]",
    "schedules": "[]", "costs": "[]", "excluded_groups": [], "service_map": "{}", "state": State.PUBLISHED,
    "confirmed_on": NOW.date(), "doubtful": [], "inferred": [], "version": 1, "created_at": NOW, "changed_at": NOW,
}  # fmt: skip
"""What all services have alike."""


@dataclass(frozen=True)
class Entered:
    """One service, as far as a search can be made of it."""

    name: str
    area: str
    type: ServiceType


async def enter(connection: asyncpg.Connection) -> list[Entered]:
    """Fill an empty registry. The index is built at the end: entering is not what is measured."""
    areas = list(_areas())
    await connection.copy_records_to_table(
        "areas",
        columns=["code", "name", "level", "parent", "country", "provisional", "version", "created_at", "changed_at"],
        records=[(code, code, level, parent, COUNTRY, False, 1, NOW, NOW) for code, level, parent in areas],
    )
    organizations = [new_id() for _ in range(ORGANIZATIONS)]
    await connection.executemany(
        "INSERT INTO organizations (organization_id, name, translations, kind, country, identifiers, contacts, roles,"
        " professional_standing, registrations, lead, version, created_at, changed_at)"
        " VALUES ($1, 'An organisation', '{}', 'ngo', $2, '[]', '[]', '{}', '{}', '[]', false, 1, $3, $3)",
        [(each, COUNTRY, NOW) for each in organizations],
    )
    index = await connection.fetchval("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_services_terms'")
    await connection.execute("DROP INDEX ix_services_terms")
    chance, entered, points = random.Random(5), [], []
    rows = _services(chance, [[code for code, at, _ in areas if at == level] for level in (1, 2, 3)], organizations)
    for start in range(0, SERVICES, 5_000):
        piece = [next(rows) for _ in range(start, start + 5_000)]
        await connection.copy_records_to_table(
            "services", columns=list(piece[0]), records=[tuple(row.values()) for row in piece]
        )
        entered += [Entered(row["name"], row["areas"][0], row["type"]) for row in piece]
        points += [(row["service_id"], 0, chance.uniform(4, 14), chance.uniform(3, 14)) for row in piece]
    await connection.copy_records_to_table("service_points", records=points)
    await connection.execute(index)
    await connection.execute("VACUUM ANALYZE")
    return entered


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


def _services(chance: random.Random, areas: list[list[str]], organizations: list[UUID]) -> Iterator[dict[str, Any]]:
    """Rows without end: four words of name, 21 of description, one to three areas of one level."""
    words: set[str] = set()
    while len(words) < WORDS:
        words.add("".join(chance.choices(SYLLABLES, k=chance.randint(2, 5))))
    vocabulary = sorted(words, key=lambda _: chance.random())
    zipf = list(accumulate(1 / rank for rank in range(1, WORDS + 1)))
    types, dimensions, levels = list(ServiceType), list(Dimension), list(Level)
    while True:
        listed = chance.choices(areas, BY_LEVEL)[0]
        covered = sorted(set(chance.choices(listed, k=chance.choice((1, 1, 2, 3)))))
        text = chance.choices(vocabulary, cum_weights=zipf, k=25)
        service_type = chance.choice(types)
        yield COMMON | {
            "service_id": new_id(),
            "organization_id": chance.choice(organizations),
            "name": " ".join(text[:4]),
            "description": " ".join(text[4:]),
            "type": service_type,
            "dimension": chance.choice(dimensions),
            "level": chance.choice(levels),
            "areas": covered,
            "covered_areas": covered,
            "staleness": int(chance.random() < 0.1),
            "terms": terms_of(text, service_type, covered),
        }
