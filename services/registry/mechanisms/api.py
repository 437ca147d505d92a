from typing import Annotated
from uuid import UUID

from fastapi import Query

from services.registry.mechanisms import actions, queries
from services.registry.mechanisms.domain import MechanismCycle
from services.registry.mechanisms.models import Mechanism
from services.registry.mechanisms.schemas import MechanismIn, MechanismOut
from shared.actor import Actor
from shared.errors import Forbidden, NotFound, PreconditionFailed, PreconditionRequired, Unprocessable
from shared.http import Expected, MergePatch, Page, PageRequest, Router, Transaction, needs, refusals
from shared.http.schema import Country

router = Router(tags=["mechanisms"])
Reader = Annotated[Actor, needs("registry:read")]
Writer = Annotated[Actor, needs("registry:write")]


@router.post(
    "/mechanisms",
    status_code=201,
    response_model=MechanismOut,
    responses=refusals(Forbidden, MechanismCycle, Unprocessable),
)
async def create_mechanism(body: MechanismIn, session: Transaction, actor: Writer) -> Mechanism:
    """Enter a mechanism of one's own organisation; a curator enters any."""
    return await actions.create(session, actor, body)


@router.get("/mechanisms", response_model=Page[MechanismOut])
async def read_mechanisms(
    session: Transaction,
    actor: Reader,
    page: PageRequest,
    country: Annotated[Country | None, Query()] = None,
    organization_id: Annotated[UUID | None, Query()] = None,
    active: Annotated[bool | None, Query()] = None,
) -> Page[Mechanism]:
    """Mechanisms: who receives referrals for which area and need."""
    return await queries.page_of_mechanisms(
        session, page, country=country, organization_id=organization_id, active=active
    )


@router.get("/mechanisms/{mechanism_id}", response_model=MechanismOut, responses=refusals(NotFound))
async def read_mechanism(mechanism_id: UUID, session: Transaction, actor: Reader) -> Mechanism:
    """A mechanism: where referrals go, and for which areas and needs."""
    return await queries.get_mechanism(session, mechanism_id)


@router.patch(
    "/mechanisms/{mechanism_id}",
    response_model=MechanismOut,
    responses=refusals(Forbidden, NotFound, MechanismCycle, PreconditionFailed, PreconditionRequired, Unprocessable),
)
async def edit_mechanism(
    mechanism_id: UUID, body: MergePatch, expected: Expected, session: Transaction, actor: Writer
) -> Mechanism:
    """Edit a mechanism of one's own organisation; a curator edits any. `active: false` takes it out of routing."""
    return await actions.edit(session, actor, mechanism_id, expected, body)
