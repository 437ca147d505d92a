"""Handing a file in and, in the worker, taking it over: one transaction, so that an interrupted import is undone."""

import asyncio
import hashlib
import json
import tempfile
from collections.abc import Iterable
from typing import BinaryIO, cast
from uuid import UUID

from fastapi import UploadFile
from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry import access
from services.registry.areas import countries
from services.registry.imports import area_list, pcodes, queries, threew
from services.registry.imports.domain import FINISHED, MAX_FILE, SUPPORTED, Format, FormatNotSupported, Status, Tally
from services.registry.imports.models import Import, ImportChunk, ImportIssue
from services.registry.imports.schemas import ImportOut, IssueOut
from services.registry.imports.tabular import Issue, Unusable
from services.registry.imports.takeover import Takeover
from shared import clock, timers
from shared.actor import Actor
from shared.errors import TooLarge, Unprocessable, invalid
from shared.ids import new_id

RUN = "import"
CHUNK = 1024 * 1024
_ONE_AT_A_TIME = 7_301_002
"""Key of the advisory lock under which imports run: two at once could create the same organisation twice."""
FIELDS = {Format.THREEW: threew.COLUMNS, Format.AREAS: pcodes.COLUMNS}


async def submit(
    session: AsyncSession, actor: Actor, file: UploadFile, file_format: Format, dry_run: bool, mapping: str | None
) -> Import:
    """Keep the file and let the worker take it up at once."""
    access.require_curator(actor)
    if file_format not in SUPPORTED:
        raise FormatNotSupported(supported=list(SUPPORTED))
    found = Import(
        import_id=new_id(),
        organization_id=actor.org_id,
        client_id=actor.client_id,
        format=file_format,
        dry_run=dry_run,
        mapping=_mapping(mapping, file_format),
        size=0,
        sha256="",
    )
    session.add(found)
    await session.flush()
    digest = hashlib.sha256()
    number = 0
    while content := await file.read(CHUNK):
        digest.update(content)
        found.size += len(content)
        if found.size > MAX_FILE:
            raise TooLarge(f"a file may have {MAX_FILE} bytes")
        await session.execute(insert(ImportChunk).values(import_id=found.import_id, number=number, content=content))
        number += 1
    found.sha256 = digest.hexdigest()
    await timers.set(session, RUN, found.import_id, clock.now())
    await session.flush()
    return found


def _mapping(text: str | None, file_format: Format) -> dict[str, str]:
    """Field → header, as a JSON object; raises Unprocessable for anything else."""
    if text is None or not text.strip():
        return {}
    try:
        mapping = json.loads(text)
    except (ValueError, RecursionError):
        mapping = None
    if not isinstance(mapping, dict) or not all(isinstance(header, str) for header in mapping.values()):
        raise Unprocessable(errors=[invalid("/mapping", "is not a JSON object of field and header", "mapping")])
    if not set(mapping) <= set(FIELDS[file_format]):
        known = ", ".join(FIELDS[file_format])
        raise Unprocessable(errors=[invalid("/mapping", f"names a field that is none of: {known}", "unknown_field")])
    return mapping


async def show(session: AsyncSession, actor: Actor, import_id: UUID) -> ImportOut:
    """The import with the first of its issues."""
    found = await queries.get_import(session, actor, import_id)
    issues = [IssueOut.model_validate(issue) for issue in await queries.first_issues(session, found)]
    columns = {name: getattr(found, name) for name in ImportOut.model_fields if name != "issues"}
    if found.status == Status.QUEUED and await queries.is_taken_up(session, import_id):
        columns["status"] = Status.RUNNING
    return ImportOut(**columns, issues=issues)


async def run(session: AsyncSession, import_id: UUID) -> None:
    """Read the file, take it over unless it is a dry run, keep the account of it. A finished import stays as it is."""
    found = await queries.find_for_update(session, import_id)
    if found is None or found.status in FINISHED:
        return
    await session.execute(select(func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))
    tally = Tally()
    with tempfile.SpooledTemporaryFile(max_size=CHUNK) as file:
        async for content in queries.chunks(session, import_id):
            file.write(content)
        try:
            issues = await _take_over(session, found, cast("BinaryIO", file), tally)
            found.status = Status.DONE
        except Unusable as error:
            issues = list(error.issues)
            found.status = Status.FAILED
    await _keep(session, found, tally, issues)


async def _take_over(session: AsyncSession, found: Import, file: BinaryIO, tally: Tally) -> list[Issue]:
    """The issues of the file. Reading happens in a thread: the worker's loop has other things to do."""
    if found.format == Format.AREAS:
        listed = await asyncio.to_thread(pcodes.read, file, countries.country_of_alpha_3, found.mapping)
        found.rows, found.empty_rows = listed.rows, listed.empty_rows
        await area_list.take_over(session, listed, not found.dry_run, tally)
        return listed.issues
    findings = await asyncio.to_thread(threew.read, file, found.mapping)
    found.rows, found.empty_rows, found.row_counts = findings.rows, findings.empty_rows, findings.statuses
    takeover = Takeover(session, not found.dry_run, tally, findings.issues)
    await takeover.run(findings)
    return takeover.issues


async def _keep(session: AsyncSession, found: Import, tally: Tally, issues: Iterable[Issue]) -> None:
    """Counts and issues by row; the file itself is no longer needed. Whoever waits for the import is woken."""
    rows = [
        {"import_id": found.import_id, "row": each.row, "path": each.path, "code": each.code, "detail": each.detail}
        for each in sorted(issues, key=lambda each: each.row or 0)
    ]
    if rows:
        await session.execute(insert(ImportIssue), rows)
    await session.execute(delete(ImportChunk).where(ImportChunk.import_id == found.import_id))
    found.created, found.changed = tally.created.total(), tally.changed.total()
    found.unchanged, found.by_kind = tally.unchanged.total(), tally.by_kind()
    found.issue_count = len(rows)
    found.finished_at = clock.now()
    found.touch()
    await session.execute(select(func.pg_notify("heard", "")))
