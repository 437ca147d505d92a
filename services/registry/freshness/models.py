from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.directory.models import Service
from services.registry.tables import Base
from shared.db import Versioned
from shared.ids import new_id


class Doubt(Versioned, Base):
    """A report that one field of a service is wrong, until somebody has looked."""

    __tablename__ = "doubts"
    __table_args__ = (Index("ix_doubts_service_id_doubt_id", "service_id", "doubt_id"),)

    doubt_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    service_id: Mapped[UUID] = mapped_column(ForeignKey(Service.service_id))
    field: Mapped[str]
    source: Mapped[str]
    note: Mapped[str | None]
    organization_id: Mapped[UUID]
    """Who reported it."""
    outcome: Mapped[str | None]
    """None: nobody has looked yet."""
    resolved_by: Mapped[UUID | None]
    resolved_at: Mapped[datetime | None]
