from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.tables import Base
from shared.ids import new_id


class Change(Base):
    """One field of one resource, changed."""

    __tablename__ = "changes"
    __table_args__ = (Index("ix_changes_resource_id_change_id", "resource_id", "change_id"),)

    change_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    resource_id: Mapped[UUID]
    resource_version: Mapped[int]
    """The version that the change made."""
    changed_at: Mapped[datetime]
    organization_id: Mapped[UUID | None]
    client_id: Mapped[str | None]
    """Both None: the system itself, when a time had come."""
    field: Mapped[str]
    before: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    public: Mapped[bool]
    """Whether everybody who sees the resource sees the change: it was public then, and the field is no inner one."""
