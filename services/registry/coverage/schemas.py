from services.registry.directory.domain import Group, ServiceType
from shared.http.schema import Out


class ExcludedOut(Out):
    """A group that services leave out; `by_all`: all of them, so that for it there is nothing."""

    group: Group
    services: int
    by_all: bool


class CellOut(Out):
    """One type of service in one area, whether a service covers all of the area or a part of it.

    `published` are those that are listed, stale ones among them; `places` are set aside for referrals, and
    `places_not_counted` is the number of services that do not count theirs. `gap`: nothing is listed.
    """

    type: ServiceType
    published: int
    stale: int
    hidden: int
    doubted: int
    places: int
    funded_places: int
    places_not_counted: int
    excluded: list[ExcludedOut]
    gap: bool


class UnmetOut(Out):
    """People for whom nothing was found, by what they needed: a type of service, a dimension, or `any`.

    The number is rounded down to whole small cells, so that nobody can be found by subtracting one area from another.
    """

    need: str
    people_at_least: int


class AreaCoverageOut(Out):
    """One area: a cell for each type of service, gaps among them, and the needs that nothing met, as last heard."""

    area: str
    name: str
    level: int
    cells: list[CellOut]
    unmet_needs: list[UnmetOut]
