"""Sealing and opening what people wrote in consents and derogations: the only place that knows under which contexts."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.cases.identity import case_cipher
from services.referral.cases.models import Case
from services.referral.consents.models import Consent, TransferDerogation
from shared.crypto import Cipher


def seal_evidence(cipher: Cipher, consent: Consent, evidence: str) -> None:
    consent.evidence = cipher.seal(evidence, _of_consent(consent))


def seal_justification(cipher: Cipher, derogation: TransferDerogation, justification: str) -> None:
    derogation.justification = cipher.seal(justification, _of_derogation(derogation))


async def open_evidence(session: AsyncSession, case: Case, consent: Consent) -> str | None:
    """None once the case is erased."""
    cipher = await case_cipher(session, case)
    return None if cipher is None else str(cipher.open(consent.evidence, _of_consent(consent)))


async def open_justification(session: AsyncSession, case: Case, derogation: TransferDerogation) -> str | None:
    """None once the case is erased."""
    cipher = await case_cipher(session, case)
    return None if cipher is None else str(cipher.open(derogation.justification, _of_derogation(derogation)))


def _of_consent(consent: Consent) -> str:
    return f"consents.evidence:{consent.consent_id}"


def _of_derogation(derogation: TransferDerogation) -> str:
    return f"derogations.justification:{derogation.derogation_id}"
