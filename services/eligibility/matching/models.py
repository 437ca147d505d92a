"""Matches that named a case. What was answered and what came out are facts: sealed under the case's key."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from services.eligibility.tables import Base


class Match(Base):
    """One match for one case, never changed afterwards."""

    __tablename__ = "matches"

    match_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(index=True)
    organization_id: Mapped[UUID] = mapped_column(index=True)
    country: Mapped[str]
    as_of: Mapped[date]
    matched_at: Mapped[datetime]
    sealed: Mapped[bytes]
    """`{profile, answer, judged}`: the facts, the answer as it was given, and each shown verdict with its reasons."""

    def context(self) -> str:
        """The place that `sealed` is bound to."""
        return f"matches.sealed:{self.match_id}"
