"""Services, criteria and profiles for tests: only what a test says differs from the ordinary."""

from datetime import date
from typing import Any
from uuid import UUID

from services.eligibility.criteria.domain import Criterion, InForce, read_criterion
from services.eligibility.facts.catalogue import CATALOGUE
from services.eligibility.facts.domain import read
from services.eligibility.known.domain import Service
from services.eligibility.matching.domain import Profile

ARRIVAL = date(2026, 9, 1)
EDO, BENIN_CITY, LAGOS = "NG012", "NG012010", "NG025"


def criterion(operation: str, fact: str, **more: Any) -> Criterion:
    """An inclusion named after its fact."""
    raw = {"criterion_id": fact, "operation": operation, "fact": fact, "text": {"eng": f"about {fact}"}} | more
    return read_criterion(raw)


def in_force(*criteria: Criterion) -> InForce:
    return InForce(criteria_version=1, criteria=criteria)


def service(number: int = 1, **more: Any) -> Service:
    """A vocational training of the provider in Edo, places not counted."""
    return Service(
        **{
            "service_id": UUID(int=number),
            "organization_id": UUID(int=1000),
            "name": f"Service {number}",
            "translations": {},
            "type": "vocational_training",
            "dimension": "economic",
            "country": "NG",
            "covered_areas": (EDO,),
            **more,
        }
    )


def profile(as_of: date = ARRIVAL, area: str | None = EDO, stays: bool = True, **facts: Any) -> Profile:
    """A returnee to Edo of whom these facts, given as JSON values, are known."""
    answers = {name: read(CATALOGUE[name], raw) for name, raw in facts.items()}
    known = {name: answer for name, answer in answers.items() if answer is not None}
    return Profile(facts=known, as_of=as_of, area=area, stays=stays)
