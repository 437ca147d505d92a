"""The catalogue, to read."""

from services.eligibility.access import Evaluator
from services.eligibility.facts.catalogue import CATALOGUE
from services.eligibility.facts.domain import Fact
from services.eligibility.facts.schemas import FactOut
from shared.http import Page, Router

router = Router(tags=["facts"])


@router.get("/facts", response_model=Page[FactOut])
async def list_facts(actor: Evaluator) -> Page[Fact]:
    """Every fact that a criterion may ask about and a profile may answer, in the order in which people are asked."""
    return Page(items=list(CATALOGUE.values()), next=None)
