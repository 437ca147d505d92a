"""Reading the ledger: what a referral has, and who is next."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, UnaryExpression, any_, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUuid  # noqa: N811  # Python's own has the name
from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.places.domain import PlaceState
from services.referral.places.models import Claim, Ledger
from shared.questions import Answers, Question, as_read, columns_of

TURN: tuple[ColumnElement[Any] | UnaryExpression[Any] | Any, ...] = (
    Claim.declines,
    Claim.urgency,
    Claim.vulnerable.desc(),
    Claim.queued_at,
    Claim.referral_id,
)
"""`domain.Turn.key` in SQL; the id decides between two of the same moment."""


def _queue(service_id: UUID) -> ColumnElement[bool]:
    return (Claim.service_id == service_id) & (Claim.state == PlaceState.QUEUED)


@dataclass(frozen=True)
class LedgerRead:
    """The columns of a ledger."""

    service_id: UUID
    set_aside: int | None
    held: int
    offered: int
    used: int
    queued: int
    version: int
    created_at: datetime
    changed_at: datetime


LEDGERS = Question(
    select(*columns_of(Ledger, LedgerRead))
    .where(Ledger.service_id == any_(bindparam("ledger_ids", type_=ARRAY(PgUuid()))))
    .order_by(Ledger.service_id)
    .with_for_update(),
    LedgerRead,
)
"""These ledgers, and their locks with them, in the order of their ids."""


def locked(session: AsyncSession, answers: Answers) -> dict[UUID, Ledger]:
    """The ledgers among the answers."""
    return {each.service_id: as_read(session, Ledger, vars(each)) for each in answers.to(LEDGERS)}


async def find_claims(session: AsyncSession, referral_ids: Collection[UUID]) -> dict[UUID, Claim]:
    rows = await session.scalars(
        select(Claim).where(Claim.referral_id.in_(referral_ids)).execution_options(populate_existing=True)
    )
    return {row.referral_id: row for row in rows}


async def find_ledger(session: AsyncSession, service_id: UUID) -> Ledger | None:
    """The ledger as it stands, without its lock."""
    statement = select(Ledger).where(Ledger.service_id == service_id).execution_options(populate_existing=True)
    return (await session.scalars(statement)).one_or_none()


async def waiting(session: AsyncSession, service_id: UUID) -> int:
    """How many queue who have not had the place that is free now."""
    statement = select(func.count()).select_from(Claim).where(_queue(service_id), Claim.passed_over.is_(False))
    return (await session.scalar(statement)) or 0


async def next_in_line(
    session: AsyncSession, service_id: UUID, how_many: int, *, passed_over_too: bool = False
) -> list[tuple[UUID, UUID]]:
    """Whose turn it is: (case id, referral id), the first first."""
    statement = select(Claim.case_id, Claim.referral_id).where(_queue(service_id))
    if not passed_over_too:
        statement = statement.where(Claim.passed_over.is_(False))
    rows = await session.execute(statement.order_by(*TURN).limit(how_many))
    return [(case_id, referral_id) for case_id, referral_id in rows]


async def position(session: AsyncSession, claim: Claim) -> int | None:
    """Where it stands in the queue, from 1; None if it does not queue."""
    if claim.place is not PlaceState.QUEUED:
        return None
    here = (claim.declines, claim.urgency, not claim.vulnerable, claim.queued_at, claim.referral_id)
    turn = tuple_(Claim.declines, Claim.urgency, ~Claim.vulnerable, Claim.queued_at, Claim.referral_id)
    ahead = await session.scalar(
        select(func.count()).select_from(Claim).where(_queue(claim.service_id), turn < tuple_(*here))
    )
    return 1 + (ahead or 0)
