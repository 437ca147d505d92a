from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from services.registry.directory.filters import Compared
from services.registry.directory.models import Service
from services.registry.freshness import actions, queries
from services.registry.freshness.domain import AlreadyResolved, NotPublished
from services.registry.freshness.models import Doubt
from services.registry.freshness.schemas import DoubtIn, DoubtOut, ResolutionIn, ReviewOut
from shared.actor import Actor
from shared.errors import Forbidden, NotFound, PreconditionFailed, PreconditionRequired, Unprocessable
from shared.http import Expected, MergePatch, Page, PageRequest, Router, Transaction, needs, refusals

router = Router(tags=["freshness"])
Reader = Annotated[Actor, needs("registry:read")]
Writer = Annotated[Actor, needs("registry:write")]
CHANGING = refusals(Forbidden, NotFound, AlreadyResolved, PreconditionFailed, PreconditionRequired, Unprocessable)
DOUBTS = "/services/{service_id}/doubts"
ONE = f"{DOUBTS}/{{doubt_id}}"


@router.get("/reviews_due", response_model=Page[ReviewOut])
async def read_reviews(
    session: Transaction,
    actor: Writer,
    page: PageRequest,
    compared: Annotated[Compared, Depends()],
    within_days: Annotated[int, Query(ge=0, le=365, description="Due in so many days, or overdue")] = 14,
) -> Page[Service]:
    """Published services that one's own organisation, or oneself as a curator, should look at, the longest overdue
    first: their review is due, or somebody has reported a field to be wrong. `POST …/confirm` says that one has."""
    return await queries.page_of_reviews(session, actor, page, within_days, compared)


@router.post(DOUBTS, status_code=201, response_model=DoubtOut, responses=refusals(NotFound, NotPublished))
async def doubt(service_id: UUID, body: DoubtIn, session: Transaction, actor: Writer) -> Doubt:
    """Report that a field of a published service is wrong; it is shown as doubtful until somebody has looked."""
    return await actions.doubt(session, actor, service_id, body)


@router.get(DOUBTS, response_model=Page[DoubtOut], responses=refusals(NotFound))
async def read_doubts(service_id: UUID, session: Transaction, actor: Reader, page: PageRequest) -> Page[Doubt]:
    """The doubts about a service: all of them for its organisation and curators, for others their own."""
    return await queries.page_of_doubts(session, actor, page, service_id)


@router.get(ONE, response_model=DoubtOut, responses=refusals(NotFound))
async def read_doubt(service_id: UUID, doubt_id: UUID, session: Transaction, actor: Reader) -> Doubt:
    """One doubt."""
    return await queries.get_doubt(session, actor, service_id, doubt_id)


@router.patch(ONE, response_model=DoubtOut, responses=CHANGING)
async def edit_doubt(
    service_id: UUID, doubt_id: UUID, body: MergePatch, expected: Expected, session: Transaction, actor: Writer
) -> Doubt:
    """Say one's own doubt better, until somebody has looked."""
    return await actions.edit(session, actor, service_id, doubt_id, expected, body)


@router.post(f"{ONE}/resolve", response_model=DoubtOut, responses=CHANGING)
async def resolve_doubt(
    service_id: UUID, doubt_id: UUID, body: ResolutionIn, expected: Expected, session: Transaction, actor: Writer
) -> Doubt:
    """Say, for the organisation of the service or as a curator, that the entry was put right, or that it was right."""
    return await actions.resolve(session, actor, service_id, doubt_id, expected, body)
