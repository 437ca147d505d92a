"""Sealing and opening what people wrote about a referral: only here is known under which contexts it is sealed."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.referrals.models import HistoryEntry, Referral
from shared.crypto import Cipher, KeyDestroyed, case_keys


async def seal_words(session: AsyncSession, case_id: UUID, entry_id: UUID, words: dict[str, Any]) -> bytes:
    return (await case_keys(session).cipher(case_id)).seal(words, _of_entry(entry_id))


async def seal_order(
    session: AsyncSession, referral: Referral, *, external_refs: list[dict[str, Any]], safety_note: str | None
) -> None:
    """The sender's references are identity; what a counsellor noted about safety is a person's words."""
    referral.external_refs = referral.safety_note = None
    if external_refs or safety_note:
        cipher = await case_keys(session).cipher(referral.case_id)
        if external_refs:
            referral.external_refs = cipher.seal(external_refs, _of_order(referral, "external_refs"))
        if safety_note:
            referral.safety_note = cipher.seal(safety_note, _of_order(referral, "safety_note"))


async def open_order(session: AsyncSession, referral: Referral) -> tuple[list[dict[str, Any]], str | None]:
    """External references and safety note; nothing once the case is erased."""
    if referral.external_refs is None and referral.safety_note is None:
        return [], None
    if (cipher := await _cipher(session, referral.case_id)) is None:
        return [], None
    refs, note = referral.external_refs, referral.safety_note
    return (
        [] if refs is None else cipher.open(refs, _of_order(referral, "external_refs")),
        None if note is None else cipher.open(note, _of_order(referral, "safety_note")),
    )


async def open_words(session: AsyncSession, case_id: UUID, entries: list[HistoryEntry]) -> dict[UUID, dict[str, Any]]:
    """What was written in these entries of one referral; nothing once the case is erased."""
    written = [entry for entry in entries if entry.words is not None]
    if not written or (cipher := await _cipher(session, case_id)) is None:
        return {}
    return {entry.entry_id: cipher.open(entry.words or b"", _of_entry(entry.entry_id)) for entry in written}


async def _cipher(session: AsyncSession, case_id: UUID) -> Cipher | None:
    try:
        return await case_keys(session).cipher(case_id)
    except KeyDestroyed:
        return None


def _of_entry(entry_id: UUID) -> str:
    return f"referral_history.words:{entry_id}"


def _of_order(referral: Referral, column: str) -> str:
    return f"referrals.{column}:{referral.referral_id}"
