"""Every view of consents and derogations is built here; only the case owner is shown any."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.cases.models import Case
from services.referral.consents import sealing
from services.referral.consents.models import Consent, TransferDerogation
from services.referral.consents.schemas import ConsentOut, DerogationOut, Recipient
from shared.http import Page


def consent_view(consent: Consent) -> ConsentOut:
    """Without its evidence: as it may be kept for replays and stand in pages."""
    return ConsentOut.model_validate(_consent(consent))


async def whole_consent_view(session: AsyncSession, case: Case, consent: Consent) -> ConsentOut:
    evidence = await sealing.open_evidence(session, case, consent)
    return ConsentOut.model_validate(_consent(consent) | {"evidence": evidence})


def derogation_view(derogation: TransferDerogation) -> DerogationOut:
    """Without its justification: as it may be kept for replays and stand in pages."""
    return DerogationOut.model_validate(_derogation(derogation))


async def whole_derogation_view(session: AsyncSession, case: Case, derogation: TransferDerogation) -> DerogationOut:
    justification = await sealing.open_justification(session, case, derogation)
    return DerogationOut.model_validate(_derogation(derogation) | {"justification": justification})


def consent_page_view(page: Page[Any]) -> Page[ConsentOut]:
    return Page[ConsentOut](items=[consent_view(each) for each in page.items], next=page.next)


def derogation_page_view(page: Page[Any]) -> Page[DerogationOut]:
    return Page[DerogationOut](items=[derogation_view(each) for each in page.items], next=page.next)


def _consent(consent: Consent) -> dict[str, Any]:
    recipients = [
        *(Recipient(organization_id=each) for each in consent.recipient_organization_ids),
        *(Recipient.model_validate({"kind": each}) for each in consent.recipient_kinds),
    ]
    names = ConsentOut.model_fields.keys() - {"evidence", "recipients"}
    return {name: getattr(consent, name) for name in names} | {"recipients": recipients}


def _derogation(derogation: TransferDerogation) -> dict[str, Any]:
    return {name: getattr(derogation, name) for name in DerogationOut.model_fields.keys() - {"justification"}}
