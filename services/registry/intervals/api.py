from typing import Annotated

from services.registry.intervals import actions, queries
from services.registry.intervals.models import ReviewInterval
from services.registry.intervals.schemas import IntervalOut
from shared.actor import Actor
from shared.errors import Forbidden, NotFound, PreconditionFailed, PreconditionRequired, Unprocessable
from shared.http import Expected, MergePatch, Page, Router, Transaction, needs, refusals

router = Router(tags=["freshness"])
Reader = Annotated[Actor, needs("registry:read")]
Curator = Annotated[Actor, needs("registry:publish")]
CHANGING = refusals(Forbidden, NotFound, PreconditionFailed, PreconditionRequired, Unprocessable)


@router.get("/review_intervals", response_model=Page[IntervalOut])
async def read_intervals(session: Transaction, actor: Reader) -> Page[ReviewInterval]:
    """One for each kind of service: few enough for one page."""
    return Page(items=await queries.every_interval(session))


@router.get("/review_intervals/{service_type}", response_model=IntervalOut, responses=refusals(NotFound))
async def read_interval(service_type: str, session: Transaction, actor: Reader) -> ReviewInterval:
    """How long a service of this kind counts as fresh."""
    return await queries.get_interval(session, service_type)


@router.patch("/review_intervals/{service_type}", response_model=IntervalOut, responses=CHANGING)
async def edit_interval(
    service_type: str, body: MergePatch, expected: Expected, session: Transaction, actor: Curator
) -> ReviewInterval:
    """Set it, for what is assured from now on. It holds in every country: a curator of one country may not."""
    return await actions.edit(session, actor, service_type, expected, body)
