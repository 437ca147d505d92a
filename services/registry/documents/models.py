from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.agreements.models import Agreement
from services.registry.tables import Base
from shared import clock
from shared.ids import new_id


class Document(Base):
    """One file attached to an agreement. It is never changed: another version is another document."""

    __tablename__ = "agreement_documents"
    __table_args__ = (UniqueConstraint("agreement_id", "sha256"),)

    document_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    agreement_id: Mapped[UUID] = mapped_column(ForeignKey(Agreement.agreement_id, ondelete="CASCADE"))
    kind: Mapped[str]
    title: Mapped[str]
    language: Mapped[str | None]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    attached_at: Mapped[datetime] = mapped_column(default=clock.now)
    attached_by: Mapped[UUID]
    """The organisation."""
    content: Mapped[bytes] = mapped_column(deferred=True, deferred_raiseload=True)
