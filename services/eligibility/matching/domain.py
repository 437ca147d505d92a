"""Verdicts: one service, one profile, one day. And what follows from many of them: near misses, the next question.

A verdict only proposes; a person decides. If a criterion is not met: *not eligible*. If not, but nobody can answer one
yet: *needs information*. Otherwise: *eligible*.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from services.eligibility.criteria.domain import Criterion, InForce, Outcome
from services.eligibility.facts.catalogue import CATALOGUE
from services.eligibility.facts.domain import Level, Value
from services.eligibility.known.domain import Coverage, Service, covers


class Verdict(StrEnum):
    ELIGIBLE = "eligible"
    NEEDS_INFORMATION = "needs_information"
    NOT_ELIGIBLE = "not_eligible"


AREA = "area"
CRITERIA = "criteria"
WITHHELD = "withheld"

TEXTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        AREA: {
            "eng": "The service can be had where the returnee goes",
            "fra": "Le service est disponible là où la personne retourne",
            "deu": "Den Dienst gibt es dort, wohin die Person zurückkehrt",
        },
        CRITERIA: {
            "eng": "The criteria of this service are not validated for that day",
            "fra": "Les critères de ce service ne sont pas validés pour ce jour",
            "deu": "Die Kriterien dieses Dienstes sind für diesen Tag nicht validiert",
        },
        WITHHELD: {
            "eng": "A criterion that only the sending member state can judge",
            "fra": "Un critère que seul l'État membre d'envoi peut apprécier",
            "deu": "Ein Kriterium, das nur der entsendende Mitgliedstaat beurteilen kann",
        },
        "area_question": {
            "eng": "To which area does the returnee go?",
            "fra": "Dans quelle zone la personne retourne-t-elle ?",
            "deu": "In welche Gegend kehrt die Person zurück?",
        },
    }
)
"""Reasons that are no criterion of a set, and the question that is no fact of the catalogue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is known of one person, and for which day and place it is judged."""

    facts: Mapping[str, Value]
    as_of: date
    area: str | None = None
    stays: bool = False
    """True when whoever asks is a member state: only then may a reason rest on a fact that never leaves one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """How one criterion came out. `fact` is None where no answer of a person was asked."""

    criterion_id: str
    level: Level
    outcome: Outcome
    text: Mapping[str, str] = field(hash=False)
    fact: str | None = None
    becomes_true_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A service judged for a profile, with a reason for each criterion of the set."""

    service: Service
    verdict: Verdict
    reasons: tuple[Reason, ...]
    criteria_version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """A service that is refused only for now, or only for one thing."""

    service: Service
    missing: tuple[Reason, ...]
    becomes_true_on: date | None
    verdict_then: Verdict
    """What is proposed once `missing` is met: eligible, or needs information."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to ask next. `decides`: open verdicts that the answer settles alone; `bears_on`: all that wait for it."""

    fact: str
    text: Mapping[str, str] = field(hash=False)
    decides: int
    bears_on: int


def verdict_of(outcomes: Iterable[Outcome]) -> Verdict:
    """A known obstacle counts more than an open question; no criteria at all: open to all."""
    found = set(outcomes)
    if Outcome.NOT_MET in found:
        return Verdict.NOT_ELIGIBLE
    return Verdict.NEEDS_INFORMATION if Outcome.UNKNOWN in found else Verdict.ELIGIBLE


def evaluate(service: Service, in_force: InForce | None, profile: Profile) -> Judgement:
    """The verdict for one service. Without a validated set it needs information, wherever else it might fail."""
    reasons = [_area_reason(service, profile.area)]
    if in_force is None:
        reasons.append(
            Reason(criterion_id=CRITERIA, level=Level.STRUCTURAL, outcome=Outcome.UNKNOWN, text=TEXTS[CRITERIA])
        )
    else:
        reasons += [_reason(criterion, profile) for criterion in in_force.criteria]
    return Judgement(
        service=service,
        verdict=verdict_of(reason.outcome for reason in reasons),
        reasons=tuple(reasons),
        criteria_version=in_force.criteria_version if in_force else None,
    )


def near_miss(judgement: Judgement, in_force: InForce | None, profile: Profile) -> NearMiss | None:
    """What is missing and from which day it is not, when waiting is enough or a single criterion fails.

    The day is the first on which *no* criterion fails any more: one that fails today may begin to hold when another,
    met today, has already ended.
    """
    missing = tuple(reason for reason in judgement.reasons if reason.outcome is Outcome.NOT_MET)
    if in_force is None or not missing or missing[0].criterion_id == AREA:
        return None
    days = {criterion.turns_on(profile.facts, profile.as_of) for criterion in in_force.criteria} - {None}
    for day in sorted(day for day in days if day is not None):
        then = evaluate(judgement.service, in_force, replace(profile, as_of=day))
        if then.verdict is not Verdict.NOT_ELIGIBLE:
            return NearMiss(service=judgement.service, missing=missing, becomes_true_on=day, verdict_then=then.verdict)
    if len(missing) == 1:
        others = (reason.outcome for reason in judgement.reasons if reason is not missing[0])
        return NearMiss(
            service=judgement.service, missing=missing, becomes_true_on=None, verdict_then=verdict_of(others)
        )
    return None


def next_questions(judgements: Iterable[Judgement]) -> list[Question]:
    """What nobody has answered yet, best first: by open verdicts that the answer settles, then by those it bears on.

    Whichever way it turns out, the answer settles a verdict for which nothing else is unknown. A set that is not
    validated can be settled by no answer.
    """
    decides: Counter[str] = Counter()
    bears_on: Counter[str] = Counter()
    for judgement in judgements:
        if judgement.verdict is not Verdict.NEEDS_INFORMATION:
            continue
        unknown = [reason for reason in judgement.reasons if reason.outcome is Outcome.UNKNOWN]
        facts = {reason.fact for reason in unknown if reason.fact is not None}
        bears_on.update(facts)
        if len(facts) == 1 and all(reason.fact is not None for reason in unknown):
            decides.update(facts)
    ranked = sorted(bears_on, key=lambda name: (-decides[name], -bears_on[name], name))
    return [
        Question(fact=name, text=_question_text(name), decides=decides[name], bears_on=bears_on[name])
        for name in ranked
    ]


def failing_criteria(judgements: Iterable[Judgement], most: int) -> list[str]:
    """The criteria that stand in the way, the most frequent first; none that a reason may not rest on outside."""
    counted = Counter(
        reason.criterion_id
        for judgement in judgements
        for reason in judgement.reasons
        if reason.outcome is Outcome.NOT_MET and (reason.fact is None or not never_leaving([reason.fact]))
    )
    return [name for name, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:most]]


def count(judgements: Sequence[Judgement]) -> dict[Verdict, int]:
    """How many services fall into each class; the three numbers add up to all that were evaluated."""
    counted = Counter(judgement.verdict for judgement in judgements)
    return {verdict: counted[verdict] for verdict in Verdict}


def never_leaving(facts: Collection[str]) -> list[str]:
    """Those of the facts that nobody outside a member state may send or see."""
    return [name for name in facts if name in CATALOGUE and CATALOGUE[name].never_leaves]


def _area_reason(service: Service, area: str | None) -> Reason:
    outcome = {
        Coverage.INSIDE: Outcome.MET,
        Coverage.OUTSIDE: Outcome.NOT_MET,
        Coverage.UNKNOWN: Outcome.UNKNOWN,
    }[covers(service, area)]
    return Reason(criterion_id=AREA, level=Level.STRUCTURAL, outcome=outcome, text=TEXTS[AREA], fact=AREA)


def _reason(criterion: Criterion, profile: Profile) -> Reason:
    """A criterion on a fact that never leaves a member state is, for everybody else, unknown and without its name."""
    if criterion.fact.never_leaves and not profile.stays:
        return Reason(
            criterion_id=WITHHELD, level=criterion.level, outcome=Outcome.UNKNOWN, text=TEXTS[WITHHELD], fact=None
        )
    outcome = criterion.outcome(profile.facts, profile.as_of)
    return Reason(
        criterion_id=criterion.criterion_id,
        level=criterion.level,
        outcome=outcome,
        text=criterion.text,
        fact=criterion.fact.name,
        becomes_true_on=criterion.turns_on(profile.facts, profile.as_of) if outcome is Outcome.NOT_MET else None,
    )


def _question_text(name: str) -> Mapping[str, str]:
    return TEXTS["area_question"] if name == AREA else CATALOGUE[name].question
