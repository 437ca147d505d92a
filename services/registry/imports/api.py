from typing import Annotated
from uuid import UUID

from fastapi import File, Form, Query, Request, UploadFile

from services.registry.imports import actions, queries
from services.registry.imports.domain import MAX_FILE, Format, FormatNotSupported
from services.registry.imports.models import Import, ImportIssue
from services.registry.imports.schemas import ImportAccepted, ImportOut, ImportSummary, IssueOut
from shared.actor import Actor
from shared.errors import Forbidden, NotFound, TooLarge, Unprocessable
from shared.http import Page, PageRequest, Router, Transaction, body_limit, needs, refusals

router = Router(tags=["imports"])
Reader = Annotated[Actor, needs("registry:read")]
Curator = Annotated[Actor, needs("registry:publish")]

FORM_OVERHEAD = 100_000
"""Bytes that the other parts of the form may take beside the file."""


@router.post(
    "/imports",
    status_code=202,
    response_model=ImportAccepted,
    responses=refusals(Forbidden, TooLarge, FormatNotSupported, Unprocessable),
    openapi_extra=body_limit(MAX_FILE + FORM_OVERHEAD),
)
async def submit_import(
    session: Transaction,
    actor: Curator,
    file: Annotated[UploadFile, File(description="A CSV file in UTF-8, at most 64 MB and 100,000 rows")],
    format: Annotated[Format, Form()],  # noqa: A002  # the field's name in the contract
    dry_run: Annotated[bool, Form(description="Say what would change, and change nothing")] = False,
    mapping: Annotated[str | None, Form(description="JSON object: field → header, where headers are not known")] = None,
) -> Import:
    """Hand in a file; it is read at once, in the background. What it holds becomes leads, never something published.

    `threew` is a 3W or 4W spreadsheet (who does what where), `areas` the global list of P-codes.
    """
    return await actions.submit(session, actor, file, format, dry_run, mapping)


@router.get("/imports", response_model=Page[ImportSummary])
async def read_imports(session: Transaction, actor: Reader, page: PageRequest) -> Page[Import]:
    """The imports of one's own organisation; for curators all. One that runs shows as queued here."""
    return await queries.page_of_imports(session, actor, page)


@router.get("/imports/{import_id}", response_model=ImportOut, responses=refusals(NotFound))
async def read_import(
    import_id: UUID,
    request: Request,
    session: Transaction,
    actor: Reader,
    wait: Annotated[float, Query(ge=0, le=30, description="Seconds to wait for the import to finish")] = 0,
) -> ImportOut:
    """What the import did, or would do, and everything that it could not use. With `wait` nobody has to ask twice."""
    await queries.wait_until_finished(request.app.state.runtime, import_id, wait)
    return await actions.show(session, actor, import_id)


@router.get("/imports/{import_id}/issues", response_model=Page[IssueOut], responses=refusals(NotFound))
async def read_issues(import_id: UUID, session: Transaction, actor: Reader, page: PageRequest) -> Page[ImportIssue]:
    """All issues of an import, in the order of their rows."""
    return await queries.page_of_issues(session, actor, page, import_id)
