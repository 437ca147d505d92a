"""Matching over HTTP."""

from typing import Any
from uuid import UUID

from services.eligibility.access import Evaluator
from services.eligibility.languages import Languages
from services.eligibility.matching import actions, queries
from services.eligibility.matching.models import Match
from services.eligibility.matching.schemas import MatchIn, MatchOut, MatchSummaryOut, StoredMatchOut
from shared.errors import NotFound, Unprocessable
from shared.http import Page, PageRequest, Router, Transaction, page_of, refusals

router = Router(tags=["matching"])


@router.post("/matches", response_model=MatchOut, responses=refusals(NotFound, Unprocessable))
async def match(body: MatchIn, session: Transaction, actor: Evaluator, languages: Languages) -> MatchOut:
    """Which services of a country a returnee can have on a day, ranked, with reasons, near misses and what to ask next.

    Without `case_id` nothing is stored. With it, only the case owner may ask, and the answer can be decided on.
    """
    return await actions.match(session, actor, body, languages)


@router.get("/matches", response_model=Page[MatchSummaryOut])
async def list_matches(
    session: Transaction, actor: Evaluator, page: PageRequest, case_id: UUID | None = None
) -> Page[Match]:
    """The matches that one's own organisation made, the oldest first."""
    return await page_of(session, queries.own_matches(actor, case_id), page, by=(Match.match_id,))


@router.get("/matches/{match_id}", response_model=StoredMatchOut, responses=refusals(NotFound))
async def get_match(match_id: UUID, session: Transaction, actor: Evaluator) -> dict[str, Any]:
    """A match as it was answered, with the facts it rests on."""
    return await queries.stored_match(session, actor, match_id)
