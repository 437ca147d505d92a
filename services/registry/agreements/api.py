from typing import Annotated
from uuid import UUID

from fastapi import Query

from services.registry.agreements import actions, queries
from services.registry.agreements.domain import AgreementRunOut, AlreadySigned, State
from services.registry.agreements.models import Agreement
from services.registry.agreements.schemas import AgreementIn, AgreementOut
from shared.actor import Actor
from shared.errors import (
    Forbidden,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    TransitionNotAllowed,
    Unprocessable,
)
from shared.http import Expected, MergePatch, Page, PageRequest, Router, Transaction, needs, refusals
from shared.http.schema import Country

router = Router(tags=["agreements"])
Reader = Annotated[Actor, needs("registry:read")]
Writer = Annotated[Actor, needs("registry:write")]

ACTING = refusals(Forbidden, NotFound, TransitionNotAllowed, PreconditionFailed, PreconditionRequired)


@router.post("/agreements", status_code=201, response_model=AgreementOut, responses=refusals(Forbidden, Unprocessable))
async def create_agreement(body: AgreementIn, session: Transaction, actor: Writer) -> Agreement:
    """Draw up an agreement between organisations, one's own among them; a curator draws up any."""
    return await actions.create(session, actor, body)


@router.get("/agreements", response_model=Page[AgreementOut])
async def read_agreements(
    session: Transaction,
    actor: Reader,
    page: PageRequest,
    country: Annotated[Country | None, Query()] = None,
    state: Annotated[State | None, Query()] = None,
    organization_id: Annotated[UUID | None, Query(description="To which this organisation is a party")] = None,
    ending_within_days: Annotated[
        int | None, Query(ge=0, le=3650, description="In force, and no longer after so many days")
    ] = None,
) -> Page[Agreement]:
    """The agreements of one's own organisation; for a curator, all."""
    return await queries.page_of_agreements(
        session,
        actor,
        page,
        country=country,
        state=state,
        organization_id=organization_id,
        ending_within_days=ending_within_days,
    )


@router.get("/agreements/{agreement_id}", response_model=AgreementOut, responses=refusals(NotFound))
async def read_agreement(agreement_id: UUID, session: Transaction, actor: Reader) -> Agreement:
    """An agreement, for its parties and curators."""
    return await queries.get_agreement(session, actor, agreement_id)


@router.get("/agreements/{agreement_id}/overlaps", response_model=Page[AgreementOut], responses=refusals(NotFound))
async def read_overlaps(agreement_id: UUID, session: Transaction, actor: Reader, page: PageRequest) -> Page[Agreement]:
    """Agreements of the same kind that two of its parties have besides, for some of the same days, countries and
    services: worth a look before it is signed, and no obstacle. Of those that one may see."""
    return await queries.page_of_overlaps(session, actor, page, agreement_id)


@router.patch(
    "/agreements/{agreement_id}",
    response_model=AgreementOut,
    responses=ACTING | refusals(Unprocessable),
)
async def edit_agreement(
    agreement_id: UUID, body: MergePatch, expected: Expected, session: Transaction, actor: Writer
) -> Agreement:
    """Edit what not all have signed yet. Signatures given so far are returned: each party signs what it says now."""
    return await actions.edit(session, actor, agreement_id, expected, body)


@router.post("/agreements/{agreement_id}/propose", response_model=AgreementOut, responses=ACTING)
async def propose_agreement(agreement_id: UUID, expected: Expected, session: Transaction, actor: Writer) -> Agreement:
    """Put the draft before its parties for signature."""
    return await actions.propose(session, actor, agreement_id, expected)


@router.post(
    "/agreements/{agreement_id}/sign",
    response_model=AgreementOut,
    responses=refusals(
        Forbidden,
        NotFound,
        TransitionNotAllowed,
        AlreadySigned,
        AgreementRunOut,
        PreconditionFailed,
        PreconditionRequired,
    ),
)
async def sign_agreement(agreement_id: UUID, expected: Expected, session: Transaction, actor: Writer) -> Agreement:
    """Sign for one's own organisation; in force when every party has."""
    return await actions.sign(session, actor, agreement_id, expected)


@router.post("/agreements/{agreement_id}/end", response_model=AgreementOut, responses=ACTING)
async def end_agreement(agreement_id: UUID, expected: Expected, session: Transaction, actor: Writer) -> Agreement:
    """End it as of today, as one of its parties."""
    return await actions.end(session, actor, agreement_id, expected)
