"""Reading areas. They are public: whoever may read the registry may read them all."""

from collections.abc import Iterable

from sqlalchemy import Select, Text, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas import countries, domain
from services.registry.areas.models import Area
from shared.errors import NotFound, Unprocessable, invalid
from shared.http import Page, PageRequest, page_of


def find_country(code: str) -> Area | None:
    """The country as an area of level 0, from the code list and never from a row."""
    name = countries.country_name(code)
    if name is None:
        return None
    return Area(code=code, name=name, level=0, parent=None, country=code, provisional=False, version=1)


async def get_area(session: AsyncSession, code: str) -> Area:
    found = find_country(code) or await session.get(Area, code)
    if found is None:
        raise NotFound
    return found


async def find_areas(session: AsyncSession, codes: Iterable[str]) -> dict[str, Area]:
    """Those of the codes that are known, countries among them."""
    wanted = set(codes)
    known = {code: found for code in wanted if (found := find_country(code)) is not None}
    if rest := wanted - known.keys():
        listed = literal(sorted(rest), ARRAY(Text))  # one parameter, however many codes
        known |= {row.code: row for row in await session.scalars(select(Area).where(Area.code == any_(listed)))}
    return known


async def require_areas(session: AsyncSession, named: dict[str, str]) -> list[str]:
    """The countries in which these areas lie, sorted; `named` is JSON Pointer → code.

    Raises Unprocessable with the pointer of every code that names no area.
    """
    known = await find_areas(session, named.values())
    errors = [invalid(pointer, "no such area", "unknown_area") for pointer, code in named.items() if code not in known]
    if errors:
        raise Unprocessable(errors=errors)
    return sorted({known[code].country for code in named.values()})


async def page_of_areas(
    session: AsyncSession, page: PageRequest, country: str | None, under: str | None, level: int | None = None
) -> Page[Area]:
    """Areas by code; `under` keeps those anywhere below an area or country. Level 0 is the country itself."""
    if level == 0:
        found = find_country(country) if country is not None else None
        return Page(items=[found] if found is not None else [])
    query = select(Area)
    if country is not None:
        query = query.where(Area.country == country)
    if under is not None:
        query = query.where(Area.code.in_(_below([under])))
    if level is not None:
        query = query.where(Area.level == level)
    return await page_of(session, query, page, by=(Area.code,))


async def covered_areas(session: AsyncSession, codes: Iterable[str]) -> list[str]:
    """The fewest codes such that an area lies in one of `codes` exactly when its own code starts with one of them.

    These are `codes` themselves and, because in some countries a code does not begin with that of the area it lies in,
    those below whose code does not.
    """
    wanted = sorted(set(codes))
    return domain.covering([*wanted, *await session.scalars(_below(wanted))]) if wanted else []


def _below(codes: list[str]) -> Select[str]:
    """Codes of all areas below these."""
    tree = select(Area.code).where(Area.parent.in_(codes)).cte("below", recursive=True)
    tree = tree.union(select(Area.code).where(Area.parent == tree.c.code))
    return select(tree.c.code)
