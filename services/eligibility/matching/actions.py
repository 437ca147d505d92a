"""One match: judge every service of the country, say what is missing and what to ask, and keep it for a case."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.eligibility.access import stays
from services.eligibility.facts.catalogue import CATALOGUE
from services.eligibility.facts.domain import LATEST, UnfitValueError, Value, read, store
from services.eligibility.known.models import KnownCase
from services.eligibility.known.queries import get_own_case, standing
from services.eligibility.matching import queries
from services.eligibility.matching.domain import (
    Judgement,
    NearMiss,
    Profile,
    Verdict,
    count,
    failing_criteria,
    near_miss,
    never_leaving,
    next_questions,
)
from services.eligibility.matching.models import Match
from services.eligibility.matching.ranking import Ranked, rank
from services.eligibility.matching.schemas import MatchIn, MatchOut, NearMissOut, QuestionOut, ResultOut
from shared import clock, outbox
from shared.actor import Actor
from shared.crypto import KeyDestroyed, case_keys
from shared.errors import NotFound, Unprocessable, invalid
from shared.events.eligibility import UnmetNeedRecorded
from shared.http import keep_sealed
from shared.ids import new_id

_MOST_FAILING = 50


async def match(session: AsyncSession, actor: Actor, body: MatchIn, languages: tuple[str, ...]) -> MatchOut:
    """The answer of `POST /matches`. With a case it is stored, and a need that nothing meets is said."""
    case = None if body.case_id is None else await _case_of(session, actor, body.case_id, body.country)
    profile = _profile(actor, body, case)
    judged = await queries.judge(session, body.country, profile)
    shown = [judgement for judgement in judged.judgements if judgement.service.serves(body.needs)]
    ranked = rank(shown, profile.area, clock.today())[: body.limit]
    misses = _near_misses(shown, judged.sets, profile)[: body.limit]
    counts = count(judged.judgements)
    rests_on = await standing(session, actor, body.country, clock.today())
    answer = MatchOut(
        as_of=profile.as_of,
        evaluated=len(judged.judgements),
        eligible=counts[Verdict.ELIGIBLE],
        needs_information=counts[Verdict.NEEDS_INFORMATION],
        not_eligible=counts[Verdict.NOT_ELIGIBLE],
        results=[ResultOut.of(one, rests_on, profile.area, languages, body.explain) for one in ranked],
        near_misses=[NearMissOut.of(miss, languages) for miss in misses],
        next_questions=[QuestionOut.of(question, languages) for question in next_questions(shown)],
    )
    if case is not None:
        answer.match_id = new_id()
        await _keep(session, actor, body, profile, answer, case, _verdicts(ranked, misses, shown))
        if all(judgement.verdict is Verdict.NOT_ELIGIBLE for judgement in shown):
            await _say_unmet(session, body, profile, answer.match_id, case, shown)
    return answer


async def _case_of(session: AsyncSession, actor: Actor, case_id: UUID, country: str) -> KnownCase:
    case = await get_own_case(session, actor, case_id)
    if case.country_of_origin != country:
        raise Unprocessable(errors=[invalid("/country", "the case returns to another country", "not_of_the_case")])
    return case


def _profile(actor: Actor, body: MatchIn, case: KnownCase | None) -> Profile:
    """What was sent, completed by what the case already says; what was sent counts more."""
    in_member_state = stays(actor, body.country)
    sent = _read_facts(body.profile, in_member_state)
    return Profile(
        facts=_heard_facts(case) | sent if case else sent,
        as_of=body.as_of or _default_day(case),
        area=body.area or (case.area if case else None),
        stays=in_member_state,
    )


def _read_facts(sent: Mapping[str, Any], in_member_state: bool) -> dict[str, Value]:
    """The answers, each as its fact's type. A name that is not in the catalogue is refused and not repeated."""
    facts: dict[str, Value] = {}
    errors = []
    if any(name not in CATALOGUE for name in sent):
        errors.append(invalid("/profile", "holds a field that is no fact of the catalogue", "unknown_field"))
    if not in_member_state and never_leaving(sent.keys()):
        errors.append(invalid("/profile", "holds a fact that never leaves a member state", "never_leaves"))
    for name in sorted(sent.keys() & CATALOGUE.keys()):
        try:
            value = read(CATALOGUE[name], sent[name])
        except UnfitValueError as unfit:
            errors.append(invalid(f"/profile/{name}", unfit.detail, unfit.code))
        else:
            if value is not None:
                facts[name] = value
    if errors:
        raise Unprocessable(errors=errors)
    return facts


def _heard_facts(case: KnownCase) -> dict[str, Value]:
    """What the coarse attributes and the travel dates of a case answer, so that nobody has to be asked twice."""
    returned_on = case.arrived_on or case.planned_arrival_on
    heard = {
        "sex": case.sex,
        "return_type": case.return_type,
        "returned_from": case.member_state,
        "returned_on": returned_on.isoformat() if returned_on else None,
    }
    facts = {}
    for name, raw in heard.items():
        with suppress(UnfitValueError):  # what was heard cannot be refused any more: nobody knows
            if (value := read(CATALOGUE[name], raw)) is not None:
                facts[name] = value
    return facts


def _default_day(case: KnownCase | None) -> date:
    """The planned arrival, as long as it lies ahead, can be evaluated and nobody has arrived; else today."""
    today = clock.today()
    if case is None or case.arrived_on is not None or case.planned_arrival_on is None:
        return today
    return case.planned_arrival_on if today < case.planned_arrival_on <= LATEST else today


def _near_misses(shown: list[Judgement], sets: Mapping[UUID, Any], profile: Profile) -> list[NearMiss]:
    """Soonest first, then those that time alone does not bring."""
    refused = (judgement for judgement in shown if judgement.verdict is Verdict.NOT_ELIGIBLE)
    found = (near_miss(judgement, sets.get(judgement.service.service_id), profile) for judgement in refused)
    return sorted(
        (miss for miss in found if miss is not None),
        key=lambda miss: (miss.becomes_true_on or date.max, miss.service.service_id),
    )


def _verdicts(ranked: list[Ranked], misses: list[NearMiss], shown: list[Judgement]) -> dict[str, Any]:
    """The snapshot a decision stands on: of every service that was shown, verdict, criteria version and outcomes."""
    ids = {one.judgement.service.service_id for one in ranked} | {miss.service.service_id for miss in misses}
    return {
        str(judgement.service.service_id): {
            "verdict": judgement.verdict,
            "criteria_version": judgement.criteria_version,
            "outcomes": [[reason.criterion_id, reason.outcome] for reason in judgement.reasons],
        }
        for judgement in shown
        if judgement.service.service_id in ids
    }


async def _keep(
    session: AsyncSession,
    actor: Actor,
    body: MatchIn,
    profile: Profile,
    answer: MatchOut,
    case: KnownCase,
    judged: dict[str, Any],
) -> None:
    row = Match(
        match_id=answer.match_id,
        case_id=case.case_id,
        organization_id=actor.org_id,
        country=body.country,
        as_of=profile.as_of,
        matched_at=clock.now(),
    )
    try:
        cipher = await case_keys(session).create(case.case_id)
    except KeyDestroyed:
        raise NotFound from None
    facts = {name: store(value) for name, value in profile.facts.items()}
    keep_sealed(session, case.case_id)
    sealed = {"profile": facts, "answer": answer.model_dump(mode="json"), "judged": judged}
    row.sealed = cipher.seal(sealed, row.context())
    session.add(row)
    await session.flush()


async def _say_unmet(
    session: AsyncSession, body: MatchIn, profile: Profile, match_id: UUID, case: KnownCase, shown: list[Judgement]
) -> None:
    await outbox.publish(
        session,
        UnmetNeedRecorded(
            match_id=match_id,
            version=1,
            case_id=case.case_id,
            country=body.country,
            area=case.area,  # as coarse as the case itself is told, however narrowly it was asked
            needs=body.needs,
            failing_criteria=failing_criteria(shown, _MOST_FAILING),
            as_of=profile.as_of,
        ),
    )
