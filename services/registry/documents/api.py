from typing import Annotated
from uuid import UUID

from fastapi import File, Form, UploadFile
from starlette.responses import Response

from services.registry.documents import actions, queries
from services.registry.documents.domain import (
    MAX_FILE,
    AgreementIsSigned,
    DocumentAttached,
    Kind,
    MediaTypeNotSupported,
    TooManyDocuments,
)
from services.registry.documents.models import Document
from services.registry.documents.schemas import DocumentOut
from shared.actor import Actor
from shared.errors import Forbidden, NotFound, TooLarge, Unprocessable
from shared.http import Page, PageRequest, Router, Transaction, body_limit, needs, refusals
from shared.http.schema import Language, Name

router = Router(tags=["agreements"])
Reader = Annotated[Actor, needs("registry:read")]
Writer = Annotated[Actor, needs("registry:write")]

ALL = "/agreements/{agreement_id}/documents"
ONE = f"{ALL}/{{document_id}}"
FORM_OVERHEAD = 100_000
"""Bytes that the other parts of the form may take beside the file."""


@router.post(
    ALL,
    status_code=201,
    response_model=DocumentOut,
    responses=refusals(
        Forbidden, NotFound, TooLarge, MediaTypeNotSupported, DocumentAttached, TooManyDocuments, Unprocessable
    ),
    openapi_extra=body_limit(MAX_FILE + FORM_OVERHEAD),
)
async def attach_document(
    agreement_id: UUID,
    session: Transaction,
    actor: Writer,
    file: Annotated[UploadFile, File(description="PDF, OOXML, OpenDocument, PNG or JPEG, at most 10 MB")],
    kind: Annotated[Kind, Form()],
    title: Annotated[Name, Form()],
    language: Annotated[Language | None, Form()] = None,
) -> Document:
    """Attach a document, as a party: the SOP itself, an annex, the minutes. Who sees the agreement sees it."""
    return await actions.attach(session, actor, agreement_id, file, kind, title, language)


@router.get(ALL, response_model=Page[DocumentOut], responses=refusals(NotFound))
async def read_documents(agreement_id: UUID, session: Transaction, actor: Reader, page: PageRequest) -> Page[Document]:
    """What is attached to an agreement, for its parties and curators."""
    return await queries.page_of_documents(session, actor, page, agreement_id)


@router.get(ONE, response_model=DocumentOut, responses=refusals(NotFound))
async def read_document(agreement_id: UUID, document_id: UUID, session: Transaction, actor: Reader) -> Document:
    """One document, without its content."""
    return await queries.get_document(session, actor, agreement_id, document_id)


@router.get(f"{ONE}/content", response_class=Response, responses=refusals(NotFound))
async def read_content(agreement_id: UUID, document_id: UUID, session: Transaction, actor: Reader) -> Response:
    """The document itself, byte for byte as it was attached."""
    document = await queries.get_document(session, actor, agreement_id, document_id, content=True)
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
    return Response(document.content, media_type=document.media_type, headers=headers)


@router.delete(ONE, status_code=204, responses=refusals(Forbidden, NotFound, AgreementIsSigned))
async def detach_document(agreement_id: UUID, document_id: UUID, session: Transaction, actor: Writer) -> None:
    """Take back what one's own organisation has attached, until all have signed."""
    await actions.detach(session, actor, agreement_id, document_id)
