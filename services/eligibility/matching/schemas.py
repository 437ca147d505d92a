"""What a match asks and answers."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, StringConstraints, WithJsonSchema

from services.eligibility.criteria.domain import Outcome
from services.eligibility.facts.catalogue import CATALOGUE
from services.eligibility.facts.domain import EARLIEST, LATEST, Fact, FactType, Level
from services.eligibility.known.domain import Blocker, Standing
from services.eligibility.languages import pick
from services.eligibility.matching.domain import NearMiss, Question, Reason, Verdict
from services.eligibility.matching.ranking import Ranked
from shared.http.schema import AreaCode, Country, In, Out

_JSON_TYPES: dict[FactType, dict[str, Any]] = {
    FactType.BOOLEAN: {"type": "boolean"},
    FactType.INTEGER: {"type": "integer"},
    FactType.DECIMAL: {"type": ["number", "string"]},
    FactType.DATE: {"type": "string", "format": "date"},
    FactType.CODE: {"type": "string"},
    FactType.CODES: {"type": "array", "items": {"type": "string"}},
}


def _described(fact: Fact) -> dict[str, Any]:
    schema: dict[str, Any] = _JSON_TYPES[fact.type] | {"description": pick(fact.question, ())}
    return schema | ({"examples": list(fact.allowed)} if fact.type is FactType.CODE and fact.allowed else {})


ProfileIn = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "properties": {fact.name: _described(fact) for fact in CATALOGUE.values()},
            "additionalProperties": False,
        }
    ),
]
"""Fact → answer. Left out or null: nobody knows. No identity: what is not in the catalogue is refused."""

Need = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]


class MatchIn(In):
    """For whom, where and for which day. Without `case_id` nothing is stored."""

    country: Country = Field(description="The country of return.")
    area: AreaCode | None = Field(default=None, description="Where in it; without it, where the named case goes.")
    as_of: Annotated[date, Field(ge=EARLIEST, le=LATEST)] | None = Field(
        default=None,
        description="The day criteria are evaluated for; without it the planned arrival of the named case, else today.",
    )
    needs: list[Need] = Field(
        default=[],
        max_length=20,
        description="Dimensions or service types: only services for one of these are shown. The counts stay complete.",
    )
    profile: ProfileIn = Field(default={}, description="Facts of the catalogue, by name.")
    case_id: UUID | None = None
    limit: int = Field(default=20, ge=1, le=200)
    explain: bool = Field(default=True, description="False leaves out the reasons of the results.")


class ReasonOut(Out):
    """How one criterion came out. `met`: it does not stand in the way, also when it is an exclusion."""

    criterion_id: str = Field(description="`area`, `criteria` and `withheld` are no criterion of the set.")
    level: Level
    outcome: Outcome
    text: str
    fact: str | None = None
    becomes_true_on: date | None = None

    @classmethod
    def of(cls, reason: Reason, languages: tuple[str, ...]) -> Self:
        return cls(
            criterion_id=reason.criterion_id,
            level=reason.level,
            outcome=reason.outcome,
            text=pick(reason.text, languages),
            fact=reason.fact,
            becomes_true_on=reason.becomes_true_on,
        )


class ResultOut(Out):
    """One service. The verdict proposes; a person decides."""

    service_id: UUID
    name: str
    programme_id: UUID | None
    verdict: Verdict
    rank: int
    score: float
    score_parts: dict[str, float]
    referable: bool = Field(description="True when no known obstacle stands in the way of a referral today.")
    blockers: list[Blocker]
    reasons: list[ReasonOut]
    criteria_version: int | None = Field(description="The criteria set that was in force on the day.")

    @classmethod
    def of(
        cls, ranked: Ranked, standing: Standing, area: str | None, languages: tuple[str, ...], explain: bool
    ) -> Self:
        judgement = ranked.judgement
        service = judgement.service
        blockers = standing.obstacles(service, area)
        return cls(
            service_id=service.service_id,
            name=_name(service.name, service.translations, languages),
            programme_id=service.programme_id,
            verdict=judgement.verdict,
            rank=ranked.rank,
            score=ranked.score,
            score_parts=dict(ranked.parts),
            referable=not blockers,
            blockers=list(blockers),
            reasons=[ReasonOut.of(reason, languages) for reason in judgement.reasons] if explain else [],
            criteria_version=judgement.criteria_version,
        )


class NearMissOut(Out):
    """A service refused only for now, or only for one thing."""

    service_id: UUID
    name: str
    programme_id: UUID | None
    missing: list[ReasonOut]
    becomes_true_on: date | None = Field(
        description="The first day on which nothing is missing, if time alone brings it."
    )
    verdict_then: Verdict

    @classmethod
    def of(cls, miss: NearMiss, languages: tuple[str, ...]) -> Self:
        return cls(
            service_id=miss.service.service_id,
            name=_name(miss.service.name, miss.service.translations, languages),
            programme_id=miss.service.programme_id,
            missing=[ReasonOut.of(reason, languages) for reason in miss.missing],
            becomes_true_on=miss.becomes_true_on,
            verdict_then=miss.verdict_then,
        )


class QuestionOut(Out):
    """What to ask next."""

    fact: str
    text: str
    decides: int = Field(description="How many open verdicts the answer settles, whichever way it turns out.")
    bears_on: int = Field(description="How many open verdicts wait for it, alone or with others.")

    @classmethod
    def of(cls, question: Question, languages: tuple[str, ...]) -> Self:
        return cls(
            fact=question.fact,
            text=pick(question.text, languages),
            decides=question.decides,
            bears_on=question.bears_on,
        )


class MatchOut(Out):
    """Every published service of the country, counted in one of three classes; the best of them with reasons."""

    match_id: UUID | None = Field(default=None, description="Only when a case was named.")
    as_of: date
    evaluated: int
    eligible: int
    needs_information: int
    not_eligible: int
    results: list[ResultOut]
    near_misses: list[NearMissOut]
    next_questions: list[QuestionOut]


class StoredMatchOut(MatchOut):
    """A match as it was answered, with the facts it rests on."""

    case_id: UUID
    country: str
    matched_at: datetime
    profile: dict[str, Any]


class MatchSummaryOut(Out):
    match_id: UUID
    case_id: UUID
    country: str
    as_of: date
    matched_at: datetime


def _name(name: str, translations: dict[str, str], languages: tuple[str, ...]) -> str:
    """The service's name in the first language that has one; the name as it was entered otherwise."""
    return next((translations[language] for language in languages if language in translations), name)
