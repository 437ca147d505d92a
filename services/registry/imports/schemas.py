from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from services.registry.imports.domain import Format, Status
from shared.http.schema import Out


class ImportAccepted(Out):
    """The file was taken in; what becomes of it is read under `GET …/imports/{import_id}`."""

    import_id: UUID
    status: Status


class ImportSummary(Out):
    """An import in a list."""

    import_id: UUID
    format: Format
    dry_run: bool
    status: Status
    created_at: datetime
    finished_at: datetime | None
    version: int


class IssueOut(Out):
    """A cell, row or file that was not used, or should be looked at. The header is row 1, as in a spreadsheet."""

    row: int | None
    path: str
    code: str
    detail: str


class KindCounts(BaseModel):
    created: int
    changed: int
    unchanged: int


class ImportOut(Out):
    """What an import did, or with `dry_run` would do."""

    import_id: UUID
    format: Format
    dry_run: bool
    status: Status
    rows: int
    empty_rows: int
    row_counts: dict[str, int]
    created: int
    changed: int
    unchanged: int
    by_kind: dict[str, KindCounts]
    issue_count: int
    issues: list[IssueOut]
    """The first of them; all are paged under `…/issues`."""
    created_at: datetime
    finished_at: datetime | None
    version: int
