"""The order in which services are shown: one table of weights, parts between 0 and 1, the same answer every time.

What nobody knows counts 0.5: neither rewarded nor punished. The weights are the project's own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from services.eligibility.criteria.domain import Outcome
from services.eligibility.known.domain import Service, nesting
from services.eligibility.matching.domain import AREA, Judgement, Verdict

WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "specificity": 0.30,  # made for somebody like her, rather than for everybody
        "distance": 0.25,  # nearer: the narrower the covered area around hers
        "capacity": 0.20,  # the share of places that is free
        "waiting": 0.15,  # shorter waiting time
        "freshness": 0.10,  # confirmed lately
    }
)
NOT_KNOWN = 0.5
_ORDER = {Verdict.ELIGIBLE: 0, Verdict.NEEDS_INFORMATION: 1, Verdict.NOT_ELIGIBLE: 2}
_MANY_CRITERIA = 5
_HALVED_AFTER_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    rank: int
    score: float
    parts: Mapping[str, float]
    judgement: Judgement


def rank(judgements: Iterable[Judgement], area: str | None, today: date) -> list[Ranked]:
    """Eligible before open before not eligible; within a class by score; equals by id, so that it is reproducible."""
    scored = []
    for judgement in judgements:
        found = parts(judgement, area, today)
        scored.append((_ORDER[judgement.verdict], -score(found), judgement.service.service_id, found, judgement))
    scored.sort(key=lambda one: one[:3])
    return [
        Ranked(rank=position, score=-negative, parts=found, judgement=judgement)
        for position, (_, negative, _, found, judgement) in enumerate(scored, start=1)
    ]


def score(found: Mapping[str, float]) -> float:
    return round(sum(weight * found[name] for name, weight in WEIGHTS.items()), 4)


def parts(judgement: Judgement, area: str | None, today: date) -> dict[str, float]:
    """Each part of the score, from 0 to 1, rounded as it is shown."""
    service = judgement.service
    met = sum(reason.outcome is Outcome.MET and reason.criterion_id != AREA for reason in judgement.reasons)
    found = {
        "specificity": min(met, _MANY_CRITERIA) / _MANY_CRITERIA,
        "distance": _distance(service, area),
        "capacity": _capacity(service),
        "waiting": NOT_KNOWN if service.waiting_days is None else 1 / (1 + service.waiting_days / _HALVED_AFTER_DAYS),
        "freshness": _freshness(service, today),
    }
    return {name: round(part, 4) for name, part in found.items()}


def _distance(service: Service, area: str | None) -> float:
    """How much of the area's code the service's narrowest area around it shares; a remote service is near nobody."""
    if area is None or service.remote:
        return NOT_KNOWN
    around = nesting(service.covered_areas, area)
    return 0.0 if around is None else len(around) / len(area)


def _capacity(service: Service) -> float:
    if service.free is None:
        return NOT_KNOWN
    return min(1.0, max(0, service.free) / service.set_aside) if service.set_aside else 0.0


def _freshness(service: Service, today: date) -> float:
    if service.confirmed_on is None:
        return NOT_KNOWN
    age = max(0, (today - service.confirmed_on).days)
    return max(0.0, 1 - age / service.stale_after.days)
