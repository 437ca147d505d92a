"""How the published services of a country cover its areas: counted by the database, whatever the number of services."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas.domain import prefixes

# A service touches an area when it covers all of it (one of its codes is the area's, or a beginning of it) or some of
# it (one of its codes begins with the area's). Both are joins on equal text: neither compares every code with every
# area. A remote service can be had in the whole country.
_TOUCHED = """
WITH shown AS (
    SELECT service_id, type, staleness, set_aside, funded_places, doubtful, excluded_groups,
           CASE WHEN remote THEN ARRAY[country] ELSE covered_areas END AS codes
    FROM services WHERE country = :country AND state = 'published'
), coded AS (
    SELECT service_id, code FROM shown, unnest(codes) AS code
), around AS (
    SELECT * FROM unnest(CAST(:area_codes AS text[]), CAST(:beginnings AS text[])) AS each (area, code)
), lengths AS (
    SELECT DISTINCT length(area) AS length FROM around
), touched AS (
    SELECT service_id, area FROM coded JOIN around USING (code)
    UNION
    SELECT service_id, area FROM coded CROSS JOIN lengths
    JOIN (SELECT DISTINCT area FROM around) AS areas ON area = left(coded.code, lengths.length)
)
"""
_COUNTED = f"""{_TOUCHED}
SELECT area, type, count(*) FILTER (WHERE staleness < 2) AS published, count(*) FILTER (WHERE staleness = 1) AS stale,
       count(*) FILTER (WHERE staleness = 2) AS hidden,
       count(*) FILTER (WHERE staleness < 2 AND cardinality(doubtful) > 0) AS doubted,
       coalesce(sum(set_aside) FILTER (WHERE staleness < 2), 0) AS places,
       coalesce(sum(funded_places) FILTER (WHERE staleness < 2), 0) AS funded_places,
       count(*) FILTER (WHERE staleness < 2 AND set_aside IS NULL) AS places_not_counted
FROM touched JOIN shown USING (service_id) GROUP BY area, type
"""  # noqa: S608  # both parts are constants
_EXCLUDING = f"""{_TOUCHED}
SELECT area, type, excluded, count(*) AS services
FROM touched JOIN shown USING (service_id), unnest(excluded_groups) AS excluded
WHERE staleness < 2 GROUP BY area, type, excluded
"""  # noqa: S608  # as above


@dataclass
class Covered:
    """Services of one type that touch one area. Hidden ones are counted apart, and in nothing else."""

    published: int = 0
    stale: int = 0
    hidden: int = 0
    doubted: int = 0
    places: int = 0
    funded_places: int = 0
    places_not_counted: int = 0
    excluding: dict[str, int] = field(default_factory=dict)
    """Group → how many of the services leave it out."""


async def coverage(session: AsyncSession, country: str, area_codes: Iterable[str]) -> Mapping[tuple[str, str], Covered]:
    """(Area, type of service) → what is there; nothing for what nobody offers."""
    around = [(area, code) for area in area_codes for code in (area, *prefixes(area))]
    asked = {
        "country": country,
        "area_codes": [area for area, _ in around],
        "beginnings": [code for _, code in around],
    }
    found: dict[tuple[str, str], Covered] = defaultdict(Covered)
    for row in (await session.execute(text(_COUNTED), asked)).mappings():
        counts: dict[str, Any] = {name: int(value) for name, value in row.items() if name not in ("area", "type")}
        found[row["area"], row["type"]] = Covered(**counts)
    for area, service_type, group, services in await session.execute(text(_EXCLUDING), asked):
        found[area, service_type].excluding[group] = services
    return found
