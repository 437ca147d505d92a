from typing import Annotated

from fastapi import Query

from services.registry.areas import actions, queries
from services.registry.areas.actions import AreaExists
from services.registry.areas.models import Area
from services.registry.areas.schemas import AreaIn, AreaOut
from shared.actor import Actor
from shared.errors import Forbidden, NotFound, Unprocessable
from shared.http import Page, PageRequest, Router, Transaction, needs, refusals
from shared.http.schema import AreaCode, Country

router = Router(tags=["areas"])
Reader = Annotated[Actor, needs("registry:read")]
Curator = Annotated[Actor, needs("registry:publish")]


@router.post(
    "/areas", status_code=201, response_model=AreaOut, responses=refusals(Forbidden, AreaExists, Unprocessable)
)
async def create_area(body: AreaIn, session: Transaction, actor: Curator) -> Area:
    """Enter an administrative area below a country; countries exist without being entered."""
    return await actions.create_area(session, actor, body)


@router.get("/areas", response_model=Page[AreaOut])
async def read_areas(
    session: Transaction,
    actor: Reader,
    page: PageRequest,
    country: Annotated[Country | None, Query()] = None,
    under: Annotated[AreaCode | None, Query(description="An area or country; everything below it")] = None,
) -> Page[Area]:
    """Administrative areas by code. Countries (ISO 3166-1 and XK) are read one by one."""
    return await queries.page_of_areas(session, page, country, under)


@router.get("/areas/{code}", response_model=AreaOut, responses=refusals(NotFound))
async def read_area(code: str, session: Transaction, actor: Reader) -> Area:
    """A country by its ISO code, or an area by its P-code."""
    return await queries.get_area(session, code)
