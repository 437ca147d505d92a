"""Reading imports. An import is seen by the organisation that handed the file in and by curators."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry import access
from services.registry.imports.domain import FINISHED, SHOWN_ISSUES
from services.registry.imports.models import Import, ImportChunk, ImportIssue
from shared.actor import Actor
from shared.errors import NotFound
from shared.http import Page, PageRequest, page_of
from shared.runtime import Runtime


def _visible(actor: Actor) -> Select[Any]:
    return select(Import).where(access.visible(actor, Import.organization_id, ~true()))


async def get_import(session: AsyncSession, actor: Actor, import_id: UUID) -> Import:
    found: Import | None = await session.scalar(_visible(actor).where(Import.import_id == import_id))
    if found is None:
        raise NotFound
    return found


async def page_of_imports(session: AsyncSession, actor: Actor, page: PageRequest) -> Page[Import]:
    return await page_of(session, _visible(actor), page, by=(Import.import_id,))


async def first_issues(session: AsyncSession, found: Import) -> list[ImportIssue]:
    """The issues that stand in the answer itself."""
    query = select(ImportIssue).where(ImportIssue.import_id == found.import_id).order_by(ImportIssue.issue_id)
    return list(await session.scalars(query.limit(SHOWN_ISSUES)))


async def is_taken_up(session: AsyncSession, import_id: UUID) -> bool:
    """True while a worker holds the row: its transaction is the whole import, so nothing else shows that it runs."""
    query = select(Import.import_id).where(Import.import_id == import_id)
    return await session.scalar(query.with_for_update(key_share=True, read=True, skip_locked=True)) is None


async def page_of_issues(session: AsyncSession, actor: Actor, page: PageRequest, import_id: UUID) -> Page[ImportIssue]:
    await get_import(session, actor, import_id)
    query = select(ImportIssue).where(ImportIssue.import_id == import_id)
    return await page_of(session, query, page, by=(ImportIssue.issue_id,))


async def find_for_update(session: AsyncSession, import_id: UUID) -> Import | None:
    """Under lock, for the worker."""
    found: Import | None = await session.get(Import, import_id, with_for_update=True)
    return found


async def chunks(session: AsyncSession, import_id: UUID) -> AsyncIterator[bytes]:
    """The file, piece by piece."""
    query = select(ImportChunk.content).where(ImportChunk.import_id == import_id).order_by(ImportChunk.number)
    async for content in await session.stream_scalars(query.execution_options(yield_per=1)):
        yield content


async def wait_until_finished(runtime: Runtime, import_id: UUID, seconds: float) -> None:
    """Return when the import is finished, or after `seconds`; woken by the worker, holding no connection."""
    query = select(Import.status).where(Import.import_id == import_id)
    await runtime.ears.open()
    woken = runtime.ears.listen()
    until = time.monotonic() + seconds
    try:
        while (left := until - time.monotonic()) > 0:
            woken.clear()
            async with runtime.sessions() as session:
                status = await session.scalar(query)
            if status is None or status in FINISHED:
                return
            try:
                async with asyncio.timeout(left):
                    await woken.wait()
            except TimeoutError:
                return
    finally:
        runtime.ears.forget(woken)
