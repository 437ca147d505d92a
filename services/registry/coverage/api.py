from typing import Annotated

from fastapi import Depends, Query, Request

from services.registry.coverage import actions
from services.registry.coverage.schemas import AreaCoverageOut
from services.registry.directory.domain import ServiceType
from shared.actor import Actor
from shared.http import Page, PageRequest, Router, Transaction, needs
from shared.http.schema import AreaCode, Country
from shared.runtime import Runtime

router = Router(tags=["coverage"])
Reader = Annotated[Actor, needs("registry:read")]


def _small_cell(request: Request) -> int:
    runtime: Runtime = request.app.state.runtime
    return runtime.settings.small_cell


@router.get("/coverage", response_model=Page[AreaCoverageOut])
async def read_coverage(
    session: Transaction,
    actor: Reader,
    page: PageRequest,
    small_cell: Annotated[int, Depends(_small_cell)],
    country: Annotated[Country, Query()],
    level: Annotated[int, Query(ge=0, le=5, description="Administrative level; 0: the country as a whole")] = 1,
    under: Annotated[AreaCode | None, Query(description="Only areas below this one")] = None,
    type: Annotated[list[ServiceType], Query(description="Only these; all, if none is named")] = [],  # noqa: A002, B006  # the field's name in the contract; FastAPI copies defaults
) -> Page[AreaCoverageOut]:
    """Area × type of service: how many are published, stale, hidden or doubted, with how many places, whom they leave
    out, and how many people looked for something in vain. Where nothing is listed there is a gap."""
    return await actions.show(
        session,
        page,
        country=country,
        level=level,
        under=under,
        types=type or list(ServiceType),
        small_cell=small_cell,
    )
