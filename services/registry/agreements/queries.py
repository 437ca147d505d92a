"""Reading agreements. Only parties and curators see one; for everybody else it does not exist."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from services.registry import access
from services.registry.agreements.domain import State
from services.registry.agreements.models import Agreement, AgreementParty
from shared.actor import Actor
from shared.errors import NotFound
from shared.http import Page, PageRequest, page_of


def _visible(actor: Actor) -> Select[Any]:
    """Every query of this module that somebody asked for begins here."""
    if access.is_curator(actor):
        return _with_parties()
    return _with_parties().where(Agreement.parties.any(AgreementParty.organization_id == actor.org_id))


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
) -> Page[Agreement]:
    query = _visible(actor)
    if country is not None:
        query = query.where(Agreement.countries.contains([country]))
    if state is not None:
        query = query.where(Agreement.state == state)
    if organization_id is not None:
        query = query.where(Agreement.parties.any(AgreementParty.organization_id == organization_id))
    return await page_of(session, query, page, by=(Agreement.agreement_id,))
