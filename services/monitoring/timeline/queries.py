"""Reading the timeline. Access is one filter: an organisation sees the referrals in which it took part."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, String, and_, case, func, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.ext.asyncio import AsyncSession

from services.monitoring.timeline.models import Entry, Participant, Referral
from shared.actor import Actor
from shared.errors import NotFound
from shared.http import Page, PageRequest, page_of

Expression = SQLColumnExpression[Any]

ENDINGS = ("ServiceDelivered", "ReferralFailed", "ReferralRejected", "ReferralCancelled", "ReferralExpired")
RECEIPTS = {"ReceiptConfirmed": "confirmed", "ReceiptDisputed": "disputed", "ReceiptNotReached": "not_reached"}
RECEIVER_ACTS = (
    "ReferralReceived",
    "InformationRequested",
    "ReferralWaitlisted",
    "ReferralPassedOn",
    "ReferralAccepted",
    "ReferralRejected",
    "ReferralReturned",
)
"""By these a receiver shows that it has the referral, if it was an organisation that acted and not the system."""
SEES_ALL = "evaluation:read"
"""Who evaluates independently counts over all referrals, and sees the timeline of none by that."""


def took_part(actor: Actor) -> ColumnElement[bool]:
    """The rule of access: the actor's organisation owned the referral or had a task in it."""
    return Referral.referral_id.in_(select(Participant.referral_id).where(Participant.organization_id == actor.org_id))


def counted_for(actor: Actor) -> ColumnElement[bool]:
    """Which referrals stand in the actor's indicators: all for the evaluator, else those it took part in."""
    return true() if actor.may(SEES_ALL) else took_part(actor)


async def get_timeline(session: AsyncSession, actor: Actor, referral_id: UUID) -> tuple[Referral, Sequence[Entry]]:
    """The referral and its entries in order, for an organisation that took part; for all others there is none."""
    referral = await session.scalar(select(Referral).where(Referral.referral_id == referral_id, took_part(actor)))
    if referral is None:
        raise NotFound
    in_order = select(Entry).where(Entry.referral_id == referral_id).order_by(Entry.version, Entry.at, Entry.type)
    return referral, (await session.scalars(in_order)).all()


async def find_referrals(session: AsyncSession, actor: Actor, page: PageRequest) -> Page[Any]:
    """Referrals in which the actor's organisation took part, by id: those made later come later."""
    return await page_of(session, select(Referral).where(took_part(actor)), page, by=(Referral.referral_id,))


def _values(column: Expression, order: Sequence[Expression], where: ColumnElement[bool]) -> Any:
    """The column's values in those entries of a group, as an array in that order."""
    return func.array_agg(column, type_=ARRAY(String)).aggregate_order_by(*order).filter(where)


def _bounds(since: datetime | None, before: datetime | None, as_of: datetime | None) -> list[ColumnElement[bool]]:
    bounds = (
        None if since is None else Referral.first_at >= since,
        None if before is None else Referral.first_at < before,
        None if as_of is None else Entry.at <= as_of,
    )
    return [bound for bound in bounds if bound is not None]


def journeys(actor: Actor, *, since: datetime | None, before: datetime | None, as_of: datetime | None) -> Select[Any]:
    """One row a referral that was sent in [since, before): what became of it, from all that had happened by `as_of`.

    The columns are those of a journey in the indicators, less the attributes of its case. None means without bound.
    """
    earliest, newest = (Entry.version, Entry.at), (Entry.version.desc(), Entry.at.desc())
    acknowledged = and_(Entry.type.in_(RECEIVER_ACTS), Entry.acted_by.is_not(None))
    declined = or_(Entry.type == "ReferralRejected", and_(Entry.type == "ReferralReturned", Entry.how == "rejected"))
    return (
        select(
            Entry.case_id,
            func.min(Referral.first_at).label("sent_at"),
            _values(Entry.status, newest, true())[1].label("status"),
            _values(Entry.need, earliest, true())[1].label("need"),
            _values(Entry.priority, earliest, true())[1].label("priority"),
            func.min(Entry.at).filter(acknowledged).label("acknowledged_at"),
            func.min(Entry.at).filter(Entry.type == "ReferralAccepted").label("accepted_at"),
            _values(Entry.reason, newest, Entry.type.in_(ENDINGS))[1].label("end_reason"),
            _values(case(RECEIPTS, value=Entry.type), newest, Entry.type.in_(RECEIPTS))[1].label("receipt"),
            func.coalesce(_values(Entry.reason, earliest, declined), array([], type_=String)).label("declines"),
        )
        .join(Entry, Entry.referral_id == Referral.referral_id)
        .where(counted_for(actor), *_bounds(since, before, as_of))
        .group_by(Referral.referral_id, Entry.case_id)
    )
