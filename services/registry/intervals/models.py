from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.tables import Base
from shared.db import Versioned


class ReviewInterval(Versioned, Base):
    """What somebody has set instead of the project's default; a default itself has no row."""

    __tablename__ = "review_intervals"
    __table_args__ = (CheckConstraint("review_days > 0 AND hide_days >= 0", name="days_ahead"),)

    type: Mapped[str] = mapped_column(primary_key=True)
    review_days: Mapped[int]
    hide_days: Mapped[int | None]
    set_by: Mapped[UUID | None]

    @property
    def project_default(self) -> bool:
        return self.set_by is None
