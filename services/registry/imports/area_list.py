"""Taking over a list of P-codes: what is new is entered, what differs is changed, what was provisional is no longer."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas import actions, queries
from services.registry.areas.models import Area
from services.registry.imports.domain import Tally
from services.registry.imports.pcodes import Listed, ListedArea
from services.registry.imports.tabular import Issue

KIND = "areas"


async def take_over(session: AsyncSession, listed: Listed, write: bool, tally: Tally) -> None:
    """Enter and change areas; with `write` false only count. Issues go to those of the list."""
    areas = listed.areas.values()
    known = await queries.find_areas(session, {area.code for area in areas} | {area.parent for area in areas})
    new: dict[str, Area] = {}
    for area in areas:
        if area.parent not in known and area.parent not in new:
            detail = "The parent is in no list and not in this file; the row was not used."
            listed.issues.append(Issue(area.row, "parent", "unknown_parent", detail))
            continue
        held = known.get(area.code)
        if held is None:
            new[area.code] = Area(**_said(area))
            tally.created[KIND] += 1
        elif _said(area) == {name: getattr(held, name) for name in _said(area)}:
            tally.unchanged[KIND] += 1
        else:
            tally.changed[KIND] += 1
            if write:
                _change(held, area)
    if write:
        await session.flush()
        await actions.take_over(session, list(new.values()))
        tally.changed[KIND] += await actions.settle_provisional(session, {area.country for area in areas})


def _said(area: ListedArea) -> dict[str, object]:
    return {
        "code": area.code,
        "name": area.name,
        "level": area.level,
        "parent": area.parent,
        "country": area.country,
        "provisional": False,
    }


def _change(held: Area, area: ListedArea) -> None:
    for name, value in _said(area).items():
        setattr(held, name, value)
    held.touch()
