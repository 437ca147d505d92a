"""Attaching documents, and taking back what was attached in error."""

import hashlib
from uuid import UUID

from fastapi import UploadFile
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.agreements import queries as agreements
from services.registry.agreements.domain import State
from services.registry.documents import domain, queries
from services.registry.documents.models import Document
from shared.actor import Actor
from shared.errors import Forbidden, TooLarge


async def attach(
    session: AsyncSession,
    actor: Actor,
    agreement_id: UUID,
    file: UploadFile,
    kind: domain.Kind,
    title: str,
    language: str | None,
) -> Document:
    """By a party, in any state: minutes come when all have signed, and the last of them when it is over."""
    agreement = await agreements.get_agreement(session, actor, agreement_id, for_update=True)
    if actor.org_id not in {party.organization_id for party in agreement.parties}:
        raise Forbidden("only a party of the agreement may do this")
    content = await file.read(domain.MAX_FILE + 1)
    if len(content) > domain.MAX_FILE:
        raise TooLarge(f"a document may have {domain.MAX_FILE} bytes")
    media_type = domain.require_fits(file.content_type, content)
    sha256 = hashlib.sha256(content).hexdigest()
    if await queries.has(session, agreement_id, sha256):
        raise domain.DocumentAttached
    if await queries.count_of(session, agreement_id) >= domain.MAX_DOCUMENTS:
        raise domain.TooManyDocuments(most=domain.MAX_DOCUMENTS)
    document = Document(
        agreement_id=agreement_id,
        kind=kind,
        title=title,
        language=language,
        media_type=media_type,
        size=len(content),
        sha256=sha256,
        attached_by=actor.org_id,
        content=content,
    )
    session.add(document)
    await session.flush()
    return document


async def detach(session: AsyncSession, actor: Actor, agreement_id: UUID, document_id: UUID) -> None:
    """By the organisation that attached it, until all have signed: from then on it is part of what they signed."""
    agreement = await agreements.get_agreement(session, actor, agreement_id, for_update=True)
    document = await queries.get_document(session, actor, agreement_id, document_id)
    if document.attached_by != actor.org_id:
        raise Forbidden("only the organisation that attached it may do this")
    if agreement.state not in (State.DRAFT, State.PROPOSED):
        raise domain.AgreementIsSigned
    await session.delete(document)
