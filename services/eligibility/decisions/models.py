"""Decisions and appeals. What was written about a person is sealed under the case's key; codes and dates are not."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.eligibility.matching.models import Match
from services.eligibility.tables import Base
from shared.db import Versioned


class Decision(Versioned, Base):
    """A judgement about one service for one case, on the snapshot of one match."""

    __tablename__ = "decisions"
    __table_args__ = (
        Index(
            "uq_decisions_current",
            "match_id",
            "service_id",
            unique=True,
            postgresql_where=text("superseded_by IS NULL"),
        ),
    )

    decision_id: Mapped[UUID] = mapped_column(primary_key=True)
    match_id: Mapped[UUID] = mapped_column(ForeignKey(Match.match_id))
    case_id: Mapped[UUID] = mapped_column(index=True)
    service_id: Mapped[UUID]
    organization_id: Mapped[UUID] = mapped_column(index=True)
    decided_by: Mapped[str]
    """The `sub` of who decided: an appeal needs another."""
    decided_at: Mapped[datetime]
    as_of: Mapped[date]
    criteria_version: Mapped[int | None]
    proposed: Mapped[str]
    """The automatic verdict."""
    decided: Mapped[str]
    """What was decided first."""
    outcome: Mapped[str]
    """What holds now, after any appeal."""
    superseded_by: Mapped[UUID | None]
    sealed: Mapped[bytes]
    """`{reasons, overrides}` with their texts."""

    def context(self) -> str:
        """The place that `sealed` is bound to."""
        return f"decisions.sealed:{self.decision_id}"


class Appeal(Versioned, Base):
    """Somebody asked for a decision to be looked at again."""

    __tablename__ = "appeals"
    __table_args__ = (
        Index("uq_appeals_open", "decision_id", unique=True, postgresql_where=text("decided_at IS NULL")),
    )

    appeal_id: Mapped[UUID] = mapped_column(primary_key=True)
    decision_id: Mapped[UUID] = mapped_column(ForeignKey(Decision.decision_id), index=True)
    grounds: Mapped[str]
    appealed_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    sealed: Mapped[bytes]
    """`{text}`: why."""
    sealed_answer: Mapped[bytes | None]
    """`{reasons}`: what was answered."""

    def context(self, column: str) -> str:
        """The place that a sealed column is bound to."""
        return f"appeals.{column}:{self.appeal_id}"
