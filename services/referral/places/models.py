"""Tables of places: one ledger row for each service, locked by whoever changes it, and one claim for each referral."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.referral.places.domain import Counts, PlaceState, Turn
from services.referral.tables import Base
from shared.db import Versioned


class Ledger(Versioned, Base):
    """How the places of one service stand. The counts are those of its claims, kept so that nobody has to count."""

    __tablename__ = "place_ledgers"
    __table_args__ = (CheckConstraint("held >= 0 AND offered >= 0 AND used >= 0 AND queued >= 0", name="not_negative"),)

    service_id: Mapped[UUID] = mapped_column(primary_key=True)
    set_aside: Mapped[int | None]
    held: Mapped[int] = mapped_column(default=0)
    offered: Mapped[int] = mapped_column(default=0)
    used: Mapped[int] = mapped_column(default=0)
    queued: Mapped[int] = mapped_column(default=0)

    @property
    def counts(self) -> Counts:
        return Counts(self.set_aside, self.held, self.offered, self.used, self.queued)


class Claim(Base):
    """What one referral has of a service's places. Moved only under the lock of the ledger."""

    __tablename__ = "place_claims"
    __table_args__ = (
        Index(
            "ix_place_claims_queue",
            "service_id",
            "declines",
            "urgency",
            text("vulnerable DESC"),
            "queued_at",
            postgresql_where=text("state = 'queued'"),
        ),
        Index("ix_place_claims_case_id", "case_id"),
    )

    referral_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID]
    service_id: Mapped[UUID]
    state: Mapped[str]
    priority: Mapped[str]
    urgency: Mapped[int]
    """The place of the priority in the order: 0 comes first."""
    vulnerable: Mapped[bool]
    """By the latest vulnerability screening."""
    declines: Mapped[int] = mapped_column(default=0)
    """How many offered places it let pass at this service: it stands behind all who let fewer pass."""
    passed_over: Mapped[bool] = mapped_column(default=False)
    """It has had the place that is free now; set back when another becomes free."""
    queued_at: Mapped[datetime]

    @property
    def place(self) -> PlaceState:
        return PlaceState(self.state)

    @property
    def turn(self) -> Turn:
        return Turn(self.declines, self.priority, self.vulnerable, self.queued_at)
