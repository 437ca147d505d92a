"""Decisions and appeals over HTTP."""

from typing import Any
from uuid import UUID

from services.eligibility.access import Evaluator
from services.eligibility.decisions import actions, queries
from services.eligibility.decisions.domain import (
    AppealDecided,
    AppealOpen,
    DecisionSuperseded,
    DecisionUnfounded,
    SamePerson,
)
from services.eligibility.decisions.models import Decision
from services.eligibility.decisions.schemas import (
    AppealDecisionIn,
    AppealIn,
    AppealOut,
    DecisionIn,
    DecisionOut,
    DecisionSummaryOut,
)
from shared.errors import NotFound, PreconditionFailed, PreconditionRequired, Unprocessable
from shared.http import Expected, Page, PageRequest, Router, Transaction, page_of, refusals

router = Router(tags=["decisions"])


@router.post(
    "/decisions",
    status_code=201,
    response_model=DecisionOut,
    responses=refusals(NotFound, AppealOpen, Unprocessable, DecisionUnfounded),
)
async def decide(body: DecisionIn, session: Transaction, actor: Evaluator) -> dict[str, Any]:
    """Record what a person decided about a service that a match showed; a later decision takes its place."""
    return await actions.decide(session, actor, body)


@router.get("/decisions", response_model=Page[DecisionSummaryOut])
async def list_decisions(
    session: Transaction,
    actor: Evaluator,
    page: PageRequest,
    case_id: UUID | None = None,
    match_id: UUID | None = None,
    service_id: UUID | None = None,
) -> Page[Decision]:
    """The decisions of one's own organisation, the oldest first."""
    query = queries.own_decisions(actor, case_id, match_id, service_id)
    return await page_of(session, query, page, by=(Decision.decision_id,))


@router.get("/decisions/{decision_id}", response_model=DecisionOut, responses=refusals(NotFound))
async def get_decision(decision_id: UUID, session: Transaction, actor: Evaluator) -> dict[str, Any]:
    """A decision with its reasons, overrides and appeals."""
    return await queries.view_decision(session, actor, decision_id)


@router.post(
    "/decisions/{decision_id}/appeals",
    status_code=201,
    response_model=AppealOut,
    responses=refusals(NotFound, AppealOpen, DecisionSuperseded),
)
async def appeal(decision_id: UUID, body: AppealIn, session: Transaction, actor: Evaluator) -> dict[str, Any]:
    """Ask, for the returnee, that a decision be looked at again. Until the appeal is decided the decision holds."""
    return await actions.appeal(session, actor, decision_id, body)


@router.get("/decisions/{decision_id}/appeals", response_model=Page[AppealOut], responses=refusals(NotFound))
async def list_appeals(decision_id: UUID, session: Transaction, actor: Evaluator) -> Page[dict[str, Any]]:
    """The appeals against a decision, the oldest first, all on one page."""
    return Page(items=await queries.view_appeals(session, actor, decision_id), next=None)


@router.get("/decisions/{decision_id}/appeals/{appeal_id}", response_model=AppealOut, responses=refusals(NotFound))
async def get_appeal(decision_id: UUID, appeal_id: UUID, session: Transaction, actor: Evaluator) -> dict[str, Any]:
    """One appeal, and what was answered."""
    return await queries.view_one_appeal(session, actor, decision_id, appeal_id)


@router.post(
    "/decisions/{decision_id}/appeals/{appeal_id}/decide",
    response_model=AppealOut,
    responses=refusals(
        NotFound, AppealDecided, DecisionSuperseded, SamePerson, PreconditionFailed, PreconditionRequired
    ),
)
async def decide_appeal(
    decision_id: UUID,
    appeal_id: UUID,
    body: AppealDecisionIn,
    session: Transaction,
    actor: Evaluator,
    expected: Expected,
) -> dict[str, Any]:
    """Decide an appeal, as somebody else than who took the decision. Its outcome is what holds from now on."""
    return await actions.decide_appeal(session, actor, decision_id, appeal_id, expected, body)
