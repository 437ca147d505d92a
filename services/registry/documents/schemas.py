from datetime import datetime
from uuid import UUID

from services.registry.documents.domain import Kind
from shared.http.schema import Out


class DocumentOut(Out):
    """A document, without its content; `attached_by` is an organisation."""

    document_id: UUID
    agreement_id: UUID
    kind: Kind
    title: str
    language: str | None
    media_type: str
    size: int
    """Bytes."""
    sha256: str
    attached_at: datetime
    attached_by: UUID
