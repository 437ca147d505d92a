"""Consents and derogations of a case: for its owner to read, for referrals to be judged by."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.cases.models import Case
from services.referral.consents.models import Consent, TransferDerogation
from shared.errors import NotFound
from shared.http import Page, PageRequest, page_of


@dataclass(frozen=True)
class ConsentInForce:
    consent_id: UUID
    recipient_organization_ids: frozenset[UUID]
    recipient_kinds: frozenset[str]
    fields: frozenset[str]
    purpose: str


@dataclass(frozen=True)
class Derogation:
    article: str
    recipient_id: UUID


async def consents_in_force(
    session: AsyncSession, case_id: UUID, on: date, purpose: str = "assistance"
) -> list[ConsentInForce]:
    """The consents for that purpose which hold on that day: given, not run out, not withdrawn on it or before."""
    rows = await session.scalars(
        select(Consent)
        .where(
            Consent.case_id == case_id,
            Consent.purpose == purpose,
            Consent.given_on <= on,
            or_(Consent.valid_until.is_(None), Consent.valid_until >= on),
            or_(Consent.withdrawn_on.is_(None), Consent.withdrawn_on > on),
        )
        .order_by(Consent.consent_id)
    )
    return [
        ConsentInForce(
            row.consent_id,
            frozenset(row.recipient_organization_ids),
            frozenset(row.recipient_kinds),
            frozenset(row.fields),
            row.purpose,
        )
        for row in rows
    ]


async def derogations_in_force(session: AsyncSession, case_id: UUID, on: date) -> list[Derogation]:
    """The derogations recorded on that day or before that have not run out."""
    rows = await session.scalars(
        select(TransferDerogation)
        .where(
            TransferDerogation.case_id == case_id,
            TransferDerogation.recorded_on <= on,
            TransferDerogation.valid_until >= on,
        )
        .order_by(TransferDerogation.derogation_id)
    )
    return [Derogation(row.article, row.recipient_id) for row in rows]


async def get(session: AsyncSession, case: Case, consent_id: UUID) -> Consent:
    """A consent of a case that was found for the actor; the lock of the case is enough to withdraw it."""
    statement = select(Consent).where(Consent.case_id == case.case_id, Consent.consent_id == consent_id)
    consent = (await session.scalars(statement.execution_options(populate_existing=True))).one_or_none()
    if consent is None:
        raise NotFound
    return consent


async def page(session: AsyncSession, case: Case, request: PageRequest) -> Page[Any]:
    query = select(Consent).where(Consent.case_id == case.case_id)
    return await page_of(session, query, request, by=(Consent.consent_id,))


async def get_derogation(session: AsyncSession, case: Case, derogation_id: UUID) -> TransferDerogation:
    statement = select(TransferDerogation).where(
        TransferDerogation.case_id == case.case_id, TransferDerogation.derogation_id == derogation_id
    )
    derogation = (await session.scalars(statement)).one_or_none()
    if derogation is None:
        raise NotFound
    return derogation


async def derogation_page(session: AsyncSession, case: Case, request: PageRequest) -> Page[Any]:
    query = select(TransferDerogation).where(TransferDerogation.case_id == case.case_id)
    return await page_of(session, query, request, by=(TransferDerogation.derogation_id,))
