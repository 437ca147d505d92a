"""Decisions and appeals, for the organisation that decided: rows, and the one view of each with what was sealed."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.eligibility.decisions.models import Appeal, Decision
from shared.actor import Actor
from shared.crypto import Cipher, KeyDestroyed, case_keys
from shared.errors import NotFound


def own_decisions(
    actor: Actor, case_id: UUID | None = None, match_id: UUID | None = None, service_id: UUID | None = None
) -> Select[Any]:
    """The decisions of the actor's organisation, narrowed to what is given."""
    query = select(Decision).where(Decision.organization_id == actor.org_id)
    wanted = {Decision.case_id: case_id, Decision.match_id: match_id, Decision.service_id: service_id}
    return query.where(*(column == value for column, value in wanted.items() if value is not None))


async def get_decision(session: AsyncSession, actor: Actor, decision_id: UUID, *, lock: bool = False) -> Decision:
    query = own_decisions(actor).where(Decision.decision_id == decision_id)
    found: Decision | None = await session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound
    return found


async def find_current(session: AsyncSession, match_id: UUID, service_id: UUID) -> Decision | None:
    """The decision that holds for a service of a match, locked; lock the match first."""
    current: Decision | None = await session.scalar(
        select(Decision)
        .where(Decision.match_id == match_id, Decision.service_id == service_id, Decision.superseded_by.is_(None))
        .with_for_update()
    )
    return current


async def find_open_appeal(session: AsyncSession, decision_id: UUID) -> Appeal | None:
    appeal: Appeal | None = await session.scalar(
        select(Appeal).where(Appeal.decision_id == decision_id, Appeal.decided_at.is_(None))
    )
    return appeal


async def get_appeal(session: AsyncSession, decision: Decision, appeal_id: UUID) -> Appeal:
    found = await session.get(Appeal, appeal_id)
    if found is None or found.decision_id != decision.decision_id:
        raise NotFound
    return found


def appeals_of(decision_id: UUID) -> Select[Any]:
    return select(Appeal).where(Appeal.decision_id == decision_id)


async def cipher_of(session: AsyncSession, case_id: UUID) -> Cipher:
    """The case's cipher; not found once the case is erased."""
    try:
        return await case_keys(session).cipher(case_id)
    except KeyDestroyed:
        raise NotFound from None


async def view_decision(session: AsyncSession, actor: Actor, decision_id: UUID) -> dict[str, Any]:
    """A decision with its reasons, overrides and appeals."""
    return await view_of(session, await get_decision(session, actor, decision_id))


async def view_of(session: AsyncSession, decision: Decision) -> dict[str, Any]:
    cipher = await cipher_of(session, decision.case_id)
    found = await session.scalars(appeals_of(decision.decision_id).order_by(Appeal.appeal_id))
    plain = {column.key: getattr(decision, column.key) for column in Decision.__table__.columns}
    return {
        **plain,
        **cipher.open(decision.sealed, decision.context()),
        "appeals": [view_of_appeal(cipher, appeal) for appeal in found],
    }


def view_of_appeal(cipher: Cipher, appeal: Appeal) -> dict[str, Any]:
    """An appeal with what was written and answered."""
    plain = {column.key: getattr(appeal, column.key) for column in Appeal.__table__.columns}
    answer: dict[str, Any] = {"reasons": []}
    if appeal.sealed_answer is not None:
        answer = cipher.open(appeal.sealed_answer, appeal.context("sealed_answer"))
    status = "open" if appeal.decided_at is None else "decided"
    return {**plain, **cipher.open(appeal.sealed, appeal.context("sealed")), **answer, "status": status}


async def view_appeals(session: AsyncSession, actor: Actor, decision_id: UUID) -> list[dict[str, Any]]:
    """The appeals against a decision, the oldest first."""
    appeals: list[dict[str, Any]] = (await view_decision(session, actor, decision_id))["appeals"]
    return appeals


async def view_one_appeal(session: AsyncSession, actor: Actor, decision_id: UUID, appeal_id: UUID) -> dict[str, Any]:
    decision = await get_decision(session, actor, decision_id)
    appeal = await get_appeal(session, decision, appeal_id)
    return view_of_appeal(await cipher_of(session, decision.case_id), appeal)
