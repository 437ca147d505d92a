"""Deciding, appealing, and deciding appeals."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.eligibility.criteria.domain import Outcome
from services.eligibility.decisions import domain, queries
from services.eligibility.decisions.models import Appeal, Decision
from services.eligibility.decisions.schemas import AppealDecisionIn, AppealIn, DecisionIn
from services.eligibility.known.queries import get_own_case
from services.eligibility.matching.queries import get_match, open_match
from shared import clock, outbox
from shared.actor import Actor
from shared.errors import Unprocessable, invalid
from shared.events.eligibility import AppealDecided, DecisionAppealed, EligibilityDecided
from shared.http import expect, keep_sealed
from shared.ids import new_id


async def decide(session: AsyncSession, actor: Actor, body: DecisionIn) -> dict[str, Any]:
    """The judgement is recorded beside the verdict it was taken on; an earlier one on the same service gives way."""
    match = await get_match(session, actor, body.match_id, lock=True)
    await get_own_case(session, actor, match.case_id)
    judged = (await open_match(session, match))["judged"].get(str(body.service_id))
    if judged is None:
        raise Unprocessable(errors=[invalid("/service_id", "the match did not show this service", "not_in_match")])
    outcomes = [(criterion_id, Outcome(outcome)) for criterion_id, outcome in judged["outcomes"]]
    domain.require_founded(body.outcome, outcomes, _overrides(body, outcomes), bool(body.reasons))
    decision = Decision(
        decision_id=new_id(),
        match_id=match.match_id,
        case_id=match.case_id,
        service_id=body.service_id,
        organization_id=actor.org_id,
        decided_by=actor.sub,
        decided_at=clock.now(),
        as_of=match.as_of,
        criteria_version=judged["criteria_version"],
        proposed=judged["verdict"],
        decided=body.outcome,
        outcome=body.outcome,
        version=1,
        created_at=clock.now(),
        changed_at=clock.now(),
    )
    cipher = await queries.cipher_of(session, match.case_id)
    keep_sealed(session, match.case_id)
    written = body.model_dump(mode="json", include={"reasons", "overrides"})
    decision.sealed = cipher.seal(written, decision.context())
    await _supersede(session, decision)
    session.add(decision)
    await session.flush()
    await outbox.publish(
        session,
        EligibilityDecided(
            decision_id=decision.decision_id,
            version=decision.version,
            match_id=match.match_id,
            case_id=match.case_id,
            service_id=body.service_id,
            outcome=body.outcome,
            organization_id=actor.org_id,
            as_of=match.as_of,
            decided_at=decision.decided_at,
        ),
    )
    return await queries.view_of(session, decision)


async def appeal(session: AsyncSession, actor: Actor, decision_id: UUID, body: AppealIn) -> dict[str, Any]:
    """The decision is to be looked at again, by somebody else; until then it holds."""
    decision = await _get_locked(session, actor, decision_id)
    _require_current(decision)
    if await queries.find_open_appeal(session, decision_id) is not None:
        raise domain.AppealOpen
    decision.touch()
    cipher = await queries.cipher_of(session, decision.case_id)
    keep_sealed(session, decision.case_id)
    row = Appeal(
        appeal_id=new_id(),
        decision_id=decision_id,
        grounds=body.grounds,
        appealed_at=clock.now(),
        version=1,
        created_at=clock.now(),
        changed_at=clock.now(),
    )
    row.sealed = cipher.seal({"text": body.text}, row.context("sealed"))
    session.add(row)
    await session.flush()
    await outbox.publish(
        session,
        DecisionAppealed(
            decision_id=decision_id,
            version=decision.version,
            appeal_id=row.appeal_id,
            case_id=decision.case_id,
            service_id=decision.service_id,
        ),
    )
    return queries.view_of_appeal(cipher, row)


async def decide_appeal(
    session: AsyncSession, actor: Actor, decision_id: UUID, appeal_id: UUID, expected: int, body: AppealDecisionIn
) -> dict[str, Any]:
    """What the appeal decides holds from now on, whichever way it went."""
    decision = await _get_locked(session, actor, decision_id)
    row = await queries.get_appeal(session, decision, appeal_id)
    expect(row, expected)
    _require_current(decision)
    if row.decided_at is not None:
        raise domain.AppealDecided
    domain.require_another_person(decision.decided_by, actor.sub)
    cipher = await queries.cipher_of(session, decision.case_id)
    keep_sealed(session, decision.case_id)
    row.decided_by, row.decided_at, row.outcome = actor.sub, clock.now(), body.outcome
    row.sealed_answer = cipher.seal(body.model_dump(mode="json", include={"reasons"}), row.context("sealed_answer"))
    row.touch()
    decision.outcome = body.outcome
    decision.touch()
    await outbox.publish(
        session,
        AppealDecided(
            decision_id=decision_id,
            version=decision.version,
            appeal_id=appeal_id,
            case_id=decision.case_id,
            service_id=decision.service_id,
            outcome=body.outcome,
            organization_id=actor.org_id,
            as_of=decision.as_of,
            decided_at=row.decided_at,
        ),
    )
    return queries.view_of_appeal(cipher, row)


def _overrides(body: DecisionIn, outcomes: list[tuple[str, Outcome]]) -> dict[str, Outcome]:
    """Criterion → what a person found instead; every one has to be a reason of the verdict, and is named once."""
    known = {criterion_id for criterion_id, _ in outcomes}
    overrides: dict[str, Outcome] = {}
    errors = []
    for index, override in enumerate(body.overrides):
        pointer = f"/overrides/{index}/criterion_id"
        if override.criterion_id not in known:
            errors.append(invalid(pointer, "the verdict has no such criterion", "unknown_criterion"))
        if override.criterion_id in overrides:
            errors.append(invalid(pointer, "this criterion is overridden twice", "not_unique"))
        overrides[override.criterion_id] = override.outcome
    if errors:
        raise Unprocessable(errors=errors)
    return overrides


async def _supersede(session: AsyncSession, later: Decision) -> None:
    """The decision that held until now gives way, unless somebody is still to decide an appeal against it."""
    former = await queries.find_current(session, later.match_id, later.service_id)
    if former is None:
        return
    if await queries.find_open_appeal(session, former.decision_id) is not None:
        raise domain.AppealOpen
    former.superseded_by = later.decision_id
    former.touch()
    await session.flush()


async def _get_locked(session: AsyncSession, actor: Actor, decision_id: UUID) -> Decision:
    """A decision of the actor's organisation under lock, as long as the case is that organisation's too."""
    decision = await queries.get_decision(session, actor, decision_id, lock=True)
    await get_own_case(session, actor, decision.case_id)
    return decision


def _require_current(decision: Decision) -> None:
    if decision.superseded_by is not None:
        raise domain.DecisionSuperseded
