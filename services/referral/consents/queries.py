"""Consents and derogations of a case: for its owner to read, for referrals to be judged by."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Text, bindparam, or_, select
from sqlalchemy.dialects.postgresql import UUID as PgUuid  # noqa: N811  # Python's own has the name
from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.cases.models import Case
from services.referral.consents.models import Consent, TransferDerogation
from shared.errors import NotFound
from shared.http import Page, PageRequest, page_of
from shared.questions import Question, columns_of


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


_THIS_CASE = bindparam("case_id", type_=PgUuid())
_ON = bindparam("on", type_=Date())

CONSENTS = Question(
    select(*columns_of(Consent, ConsentInForce))
    .where(
        Consent.case_id == _THIS_CASE,
        Consent.purpose == bindparam("purpose", type_=Text()),
        Consent.given_on <= _ON,
        or_(Consent.valid_until.is_(None), Consent.valid_until >= _ON),
        or_(Consent.withdrawn_on.is_(None), Consent.withdrawn_on > _ON),
    )
    .order_by(Consent.consent_id),
    ConsentInForce,
)
"""The consents for a purpose which hold on a day: given, not run out, not withdrawn on it or before."""
DEROGATIONS = Question(
    select(*columns_of(TransferDerogation, Derogation))
    .where(
        TransferDerogation.case_id == _THIS_CASE,
        TransferDerogation.recorded_on <= _ON,
        TransferDerogation.valid_until >= _ON,
    )
    .order_by(TransferDerogation.derogation_id),
    Derogation,
)
"""The derogations recorded on a day or before that have not run out."""


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
