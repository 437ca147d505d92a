from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.imports.domain import Status
from services.registry.tables import Base
from shared.db import Versioned
from shared.ids import new_id


class Import(Versioned, Base):
    """One file handed in, what became of it, and by whom."""

    __tablename__ = "imports"

    import_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID] = mapped_column(index=True)
    client_id: Mapped[str]
    format: Mapped[str]
    dry_run: Mapped[bool]
    mapping: Mapped[dict[str, str]] = mapped_column(default=dict)
    size: Mapped[int]
    sha256: Mapped[str]
    status: Mapped[str] = mapped_column(default=Status.QUEUED)
    rows: Mapped[int] = mapped_column(default=0)
    empty_rows: Mapped[int] = mapped_column(default=0)
    row_counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Rows that are not empty by what their status column says."""
    created: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    by_kind: Mapped[dict[str, Any]] = mapped_column(default=dict)
    issue_count: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None]


class ImportChunk(Base):
    """A piece of the file, kept until the import is finished."""

    __tablename__ = "import_chunks"

    import_id: Mapped[UUID] = mapped_column(ForeignKey(Import.import_id, ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[bytes]


class ImportIssue(Base):
    """Something in the file that a person should know."""

    __tablename__ = "import_issues"
    __table_args__ = (Index("ix_import_issues_import_id_issue_id", "import_id", "issue_id"),)

    issue_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    import_id: Mapped[UUID] = mapped_column(ForeignKey(Import.import_id, ondelete="CASCADE"))
    row: Mapped[int | None]
    path: Mapped[str]
    code: Mapped[str]
    detail: Mapped[str]
