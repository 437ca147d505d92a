"""Reading documents. Whoever sees an agreement sees what is attached to it."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from services.registry.agreements import queries as agreements
from services.registry.documents.models import Document
from shared.actor import Actor
from shared.errors import NotFound
from shared.http import Page, PageRequest, page_of


async def page_of_documents(
    session: AsyncSession, actor: Actor, page: PageRequest, agreement_id: UUID
) -> Page[Document]:
    await agreements.get_agreement(session, actor, agreement_id)
    query = select(Document).where(Document.agreement_id == agreement_id)
    return await page_of(session, query, page, by=(Document.document_id,))


async def get_document(
    session: AsyncSession, actor: Actor, agreement_id: UUID, document_id: UUID, *, content: bool = False
) -> Document:
    await agreements.get_agreement(session, actor, agreement_id)
    query = select(Document).where(Document.agreement_id == agreement_id, Document.document_id == document_id)
    found = await session.scalar(query.options(undefer(Document.content)) if content else query)
    if found is None:
        raise NotFound
    return found


async def count_of(session: AsyncSession, agreement_id: UUID) -> int:
    query = select(func.count()).select_from(Document).where(Document.agreement_id == agreement_id)
    return await session.scalar(query) or 0


async def has(session: AsyncSession, agreement_id: UUID, sha256: str) -> bool:
    """Whether the very same content is attached."""
    query = select(Document.document_id).where(Document.agreement_id == agreement_id, Document.sha256 == sha256)
    return await session.scalar(query) is not None
