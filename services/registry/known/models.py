from datetime import date
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.tables import Base


class UnmetNeed(Base):
    """That nothing was found for a case, as last heard; one row for each case, however often it was tried.

    Which criteria failed is not kept: here only where and for what nothing is there is counted.
    """

    __tablename__ = "unmet_needs"
    __table_args__ = (Index("ix_unmet_needs_country_area", "country", "area"),)

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    match_id: Mapped[UUID]
    """Matches are numbered in time: the greatest is the newest."""
    country: Mapped[str]
    area: Mapped[str | None]
    needs: Mapped[list[str]]
    as_of: Mapped[date]
