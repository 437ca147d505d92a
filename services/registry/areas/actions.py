"""Entering areas, one by one or as an import finds them."""

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry import access
from services.registry.areas import domain, queries
from services.registry.areas.models import Area
from services.registry.areas.schemas import AreaIn
from shared import clock
from shared.actor import Actor
from shared.errors import Conflict, Unprocessable, invalid


class AreaExists(Conflict):
    """An area with this code exists"""


async def create_area(session: AsyncSession, actor: Actor, body: AreaIn) -> Area:
    access.require_curator(actor)
    known = await queries.find_areas(session, [body.code, body.parent])
    if body.code in known:
        raise AreaExists
    parent = known.get(body.parent)
    if parent is None:
        raise Unprocessable(errors=[invalid("/parent", "no such area", "unknown_area")])
    if parent.country != body.country:
        raise Unprocessable(errors=[invalid("/parent", "lies in another country", "other_country")])
    if parent.level >= body.level:
        raise Unprocessable(errors=[invalid("/level", "is not below that of the parent", "bad_level")])
    area = Area(**body.model_dump())
    session.add(area)
    await session.flush()
    return area


def place(code: str, level: int, name: str, known: dict[str, Area]) -> Area | None:
    """A provisional area under the smallest known area, or the country, that its code's prefix names; None without one.

    `known` must hold what is known of `domain.prefixes(code)`; nothing is added to the session.
    """
    parent = known.get(domain.nearest(code, known) or "")
    if parent is None:
        return None
    return Area(
        code=code,
        name=name or code,
        level=max(level, parent.level + 1),
        parent=parent.code,
        country=parent.country,
        provisional=True,
        version=1,
    )


async def take_over(session: AsyncSession, rows: list[Area]) -> None:
    """Insert many areas at once, in the order given."""
    now = clock.now()
    columns = ("code", "name", "level", "parent", "country", "provisional")
    values = [
        {name: getattr(row, name) for name in columns} | {"version": 1, "created_at": now, "changed_at": now}
        for row in rows
    ]
    if values:
        await session.execute(insert(Area), values)


async def settle_provisional(session: AsyncSession, country_codes: set[str]) -> int:
    """Move provisional areas of these countries below the smallest area that their code now names; how many moved."""
    rows = list(await session.scalars(select(Area).where(Area.provisional, Area.country.in_(country_codes))))
    known = await queries.find_areas(session, {prefix for row in rows for prefix in domain.prefixes(row.code)})
    moved = 0
    for row in rows:
        parent = known.get(domain.nearest(row.code, known) or "")
        if parent is not None and parent.code != row.parent and parent.country == row.country:
            row.parent = parent.code
            row.touch()
            moved += 1
    return moved
