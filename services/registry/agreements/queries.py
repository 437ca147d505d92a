"""Reading agreements. Only parties and curators see one; for everybody else it does not exist."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.dialects.postgresql import array as pg_array
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from services.registry import access
from services.registry.agreements.domain import State
from services.registry.agreements.models import Agreement, AgreementParty
from shared import clock
from shared.actor import Actor
from shared.errors import NotFound
from shared.http import Page, PageRequest, page_of


def _visible(actor: Actor) -> Select[Any]:
    """Every query of this module that somebody asked for begins here."""
    if not access.is_curator(actor):
        return _with_parties().where(_party(actor.org_id))
    if actor.country is None:
        return _with_parties()
    return _with_parties().where(or_(_party(actor.org_id), Agreement.countries.contains([actor.country])))


def _party(organization_id: UUID) -> ColumnElement[bool]:
    return Agreement.parties.any(AgreementParty.organization_id == organization_id)


def _with_parties() -> Select[Any]:
    return select(Agreement).options(selectinload(Agreement.parties))


async def get_agreement(session: AsyncSession, actor: Actor, agreement_id: UUID, for_update: bool = False) -> Agreement:
    query = _visible(actor).where(Agreement.agreement_id == agreement_id)
    found: Agreement | None = await session.scalar(query.with_for_update(of=Agreement) if for_update else query)
    if found is None:
        raise NotFound
    return found


async def find_agreement_for_update(session: AsyncSession, agreement_id: UUID) -> Agreement | None:
    """Under lock, for the system itself."""
    query = _with_parties().where(Agreement.agreement_id == agreement_id).with_for_update(of=Agreement)
    found: Agreement | None = await session.scalar(query)
    return found


async def page_of_agreements(
    session: AsyncSession,
    actor: Actor,
    page: PageRequest,
    *,
    country: str | None,
    state: State | None,
    organization_id: UUID | None,
    ending_within_days: int | None,
) -> Page[Agreement]:
    query = _visible(actor)
    if country is not None:
        query = query.where(Agreement.countries.contains([country]))
    if state is not None:
        query = query.where(Agreement.state == state)
    if organization_id is not None:
        query = query.where(_party(organization_id))
    if ending_within_days is not None:
        last = clock.today() + timedelta(days=ending_within_days)
        query = query.where(Agreement.state == State.SIGNED, Agreement.valid_until < last)
    return await page_of(session, query, page, by=(Agreement.agreement_id,))


async def page_of_overlaps(
    session: AsyncSession, actor: Actor, page: PageRequest, agreement_id: UUID
) -> Page[Agreement]:
    """Agreements of the same kind, not ended, of which two parties, a day, a country and something covered are the
    same."""
    one = await get_agreement(session, actor, agreement_id)
    parties = [party.organization_id for party in one.parties]
    shared = (
        select(func.count())
        .where(AgreementParty.agreement_id == Agreement.agreement_id, AgreementParty.organization_id.in_(parties))
        .correlate(Agreement)
        .scalar_subquery()
    )
    covered = [Agreement.covers[name].has_any(pg_array(ids)) for name, ids in one.covers.items() if ids]
    query = _visible(actor).where(
        Agreement.agreement_id != agreement_id,
        Agreement.kind == one.kind,
        Agreement.state != State.ENDED,
        Agreement.valid_from <= one.valid_until,
        Agreement.valid_until >= one.valid_from,
        Agreement.countries.overlap(one.countries),
        shared >= 2,
        or_(Agreement.covers == one.covers, *covered),
    )
    return await page_of(session, query, page, by=(Agreement.agreement_id,))
