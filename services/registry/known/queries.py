"""How many people needed something that was not there."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# A case lies in an area when its own area's code begins with that area's; one without an area, in its country only.
# A need that nobody named is any.
_UNMET = """
SELECT areas.code, need, count(*) AS people
FROM unnest(CAST(:area_codes AS text[])) AS areas (code)
JOIN unmet_needs ON country = :country AND starts_with(coalesce(area, country), areas.code)
CROSS JOIN unnest(CASE WHEN cardinality(needs) = 0 THEN ARRAY['any'] ELSE needs END) AS need
GROUP BY areas.code, need
"""


async def unmet_needs(
    session: AsyncSession, country: str, area_codes: Iterable[str]
) -> Mapping[str, Mapping[str, int]]:
    """Area → need (a type of service, a dimension, or `any`) → people, for these areas with all that lies in them."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    rows = await session.execute(text(_UNMET), {"country": country, "area_codes": list(area_codes)})
    for code, need, people in rows:
        found[code][need] = people
    return found
