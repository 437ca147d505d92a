"""Drawing the map, page by page of its areas."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas import queries as areas
from services.registry.coverage.schemas import AreaCoverageOut, CellOut, ExcludedOut, UnmetOut
from services.registry.directory import covering
from services.registry.directory.covering import Covered
from services.registry.directory.domain import Group, ServiceType
from services.registry.known import queries as known
from shared.http import Page, PageRequest


async def show(
    session: AsyncSession,
    page: PageRequest,
    *,
    country: str,
    level: int,
    under: str | None,
    types: Sequence[ServiceType],
    small_cell: int,
) -> Page[AreaCoverageOut]:
    listed = await areas.page_of_areas(session, page, country, under, level)
    codes = [area.code for area in listed.items]
    covered = await covering.coverage(session, country, codes)
    unmet = await known.unmet_needs(session, country, codes)
    items = [
        AreaCoverageOut(
            area=area.code,
            name=area.name,
            level=area.level,
            cells=[_cell(each, covered.get((area.code, each), Covered())) for each in types],
            unmet_needs=_unmet(unmet.get(area.code, {}), small_cell),
        )
        for area in listed.items
    ]
    return Page(items=items, next=listed.next)


def _cell(service_type: ServiceType, covered: Covered) -> CellOut:
    counts = {name: value for name, value in vars(covered).items() if name != "excluding"}
    excluded = [
        ExcludedOut(group=Group(group), services=services, by_all=services == covered.published)
        for group, services in sorted(covered.excluding.items())
    ]
    return CellOut(type=service_type, **counts, excluded=excluded, gap=covered.published == 0)


def _unmet(needs: Mapping[str, int], small_cell: int) -> list[UnmetOut]:
    step = max(small_cell, 1)
    return [UnmetOut(need=need, people_at_least=people - people % step) for need, people in sorted(needs.items())]
