"""Reading the timeline. Who may see what of it is decided here and nowhere else.

An organisation sees the referrals in which it took part, up to the event by which its part ended: nothing of what came
after, neither in the timeline nor in the summary nor in its indicators. When it gets the task again it sees on. The
case owner sees all.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    String,
    Subquery,
    and_,
    case,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, array, distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from services.monitoring.known import queries as known
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
GIVES_THE_TASK = ("ReferralCreated", "ReferralPassedOn", "ReferralReturned")
SEES_ALL = "evaluation:read"
"""Who evaluates independently counts over all referrals, and sees the timeline of none by that."""


def took_part(actor: Actor) -> ColumnElement[bool]:
    """The rule of access: the actor's organisation owned the referral or had a task in it."""
    return Referral.referral_id.in_(select(Participant.referral_id).where(Participant.organization_id == actor.org_id))


def ended_parts(actor: Actor, *which: ColumnElement[bool]) -> Subquery:
    """Among these referrals those in which the actor's organisation has no part any more: `referral_id`, and `version`
    of the event by which it ended.

    It ended when the referral was returned from it, when it was the provider and redirected it, or when it rejected it
    for good; unless it got the task again since. A hub that passes on, wherever to, stays on the way.
    """
    its_own = actor.org_id

    def last(*happened: ColumnElement[bool]) -> ColumnElement[int]:
        return func.max(Entry.version).filter(*happened)

    its_task, gone = Entry.organization_id == its_own, Entry.from_organization_id == its_own
    got = func.coalesce(last(Entry.type.in_(GIVES_THE_TASK), its_task), 0)
    as_provider = last(
        its_task, or_(Entry.type == "ReferralAccepted", Entry.service_id.in_(known.services_of(its_own)))
    )
    redirected = last(Entry.type == "ReferralPassedOn", Entry.how == "redirected", gone)
    given_back = last(
        or_(
            and_(Entry.type == "ReferralReturned", gone),
            and_(Entry.type == "ReferralRejected", Entry.acted_by == its_own),
        )
    )
    ended = func.greatest(given_back, case((as_provider.is_not(None), redirected)))
    return (
        select(Entry.referral_id, ended.label("version"))
        .join(Referral, Referral.referral_id == Entry.referral_id)
        .where(took_part(actor), Referral.owner_id != its_own, *which)
        .group_by(Entry.referral_id)
        .having(ended > got)
        .subquery("ended_parts")
    )


@dataclass(frozen=True)
class Seen:
    """A referral, and where the asker's part has ended the last entry it sees: the summary is then made from that."""

    referral: Referral
    until: Entry | None = None


async def get_timeline(session: AsyncSession, actor: Actor, referral_id: UUID) -> tuple[Seen, Sequence[Entry]]:
    """The referral and its entries in order, as an organisation that took part sees them; for others there is none."""
    referral = await session.scalar(select(Referral).where(Referral.referral_id == referral_id, took_part(actor)))
    if referral is None:
        raise NotFound
    ended = ended_parts(actor, Entry.referral_id == referral_id)
    in_order = (
        select(Entry, ended.c.version)
        .outerjoin(ended, ended.c.referral_id == Entry.referral_id)
        .where(Entry.referral_id == referral_id, _before_it_ended(ended))
        .order_by(Entry.version, Entry.at, Entry.type)
    )
    rows = (await session.execute(in_order)).all()
    entries = [row.Entry for row in rows]
    return Seen(referral, None if rows[-1].version is None else entries[-1]), entries


async def find_referrals(session: AsyncSession, actor: Actor, page: PageRequest) -> Page[Any]:
    """Referrals in which the actor's organisation took part, by id: those made later come later."""
    found = await page_of(session, select(Referral).where(took_part(actor)), page, by=(Referral.referral_id,))
    until = await _last_seen(session, actor, [referral.referral_id for referral in found.items])
    return Page(items=[Seen(each, until.get(each.referral_id)) for each in found.items], next=found.next)


async def _last_seen(session: AsyncSession, actor: Actor, referral_ids: Collection[UUID]) -> dict[UUID, Entry]:
    """Referral → the last entry that the actor's organisation sees, for those in which its part has ended."""
    ended = ended_parts(actor, Entry.referral_id.in_(referral_ids))
    query = (
        select(Entry)
        .join(ended, ended.c.referral_id == Entry.referral_id)
        .where(_before_it_ended(ended))
        .order_by(Entry.referral_id, Entry.version.desc(), Entry.at.desc(), Entry.type.desc())
        .ext(distinct_on(Entry.referral_id))
    )
    return {entry.referral_id: entry for entry in await session.scalars(query)}


def _before_it_ended(ended: Subquery) -> ColumnElement[bool]:
    """Up to the event by which the part ended, that event included; everything where it has not."""
    return or_(ended.c.version.is_(None), Entry.version <= ended.c.version)


def _values(column: Expression, order: Sequence[Expression], where: ColumnElement[bool]) -> Any:
    """The column's values in those entries of a group, as an array in that order."""
    return func.array_agg(column, type_=ARRAY(String)).aggregate_order_by(*order).filter(where)


def _sent(since: datetime | None, before: datetime | None) -> list[ColumnElement[bool]]:
    bounds = (
        None if since is None else Referral.first_at >= since,
        None if before is None else Referral.first_at < before,
    )
    return [bound for bound in bounds if bound is not None]


def _counted_for(actor: Actor, sent: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """The entries of referrals sent so from which the actor's indicators are made: all of them for the evaluator.

    Others count what they see. An organisation whose part has ended counts the referral as it stood then: a total over
    one referral would tell it the outcome.
    """
    entries = select().join_from(Referral, Entry, Entry.referral_id == Referral.referral_id).where(*sent)
    if actor.may(SEES_ALL):
        return entries
    ended = ended_parts(actor, *sent)
    seen = entries.join(ended, ended.c.referral_id == Entry.referral_id, isouter=True)
    return seen.where(took_part(actor), _before_it_ended(ended))


def journeys(actor: Actor, *, since: datetime | None, before: datetime | None, as_of: datetime | None) -> Select[Any]:
    """One row a referral that was sent in [since, before): what became of it, from all that had happened by `as_of`.

    The columns are those of a journey in the indicators, less the attributes of its case. None means without bound.
    """
    earliest, newest = (Entry.version, Entry.at), (Entry.version.desc(), Entry.at.desc())
    acknowledged = and_(Entry.type.in_(RECEIVER_ACTS), Entry.acted_by.is_not(None))
    declined = or_(Entry.type == "ReferralRejected", and_(Entry.type == "ReferralReturned", Entry.how == "rejected"))
    return (
        _counted_for(actor, _sent(since, before))
        .add_columns(
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
        .where(true() if as_of is None else Entry.at <= as_of)
        .group_by(Referral.referral_id, Entry.case_id)
    )
