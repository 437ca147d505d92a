"""The timeline: what was said of each referral, one row an event, and one row a referral that sums it up."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from services.monitoring.tables import Base


class Entry(Base):
    """One event of a referral: codes, ids and times. Only ever added to.

    The key is what the event says of itself, so that the same event applied twice is one entry; in its order the
    entries of a referral are its history.
    """

    __tablename__ = "timeline_entries"

    referral_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    """Of the referral after the event."""
    at: Mapped[datetime] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(primary_key=True)
    """The name of the event, for example `ReferralAccepted`."""
    case_id: Mapped[UUID]
    acted_by: Mapped[UUID | None]
    """The organisation that acted; None: the system."""
    organization_id: Mapped[UUID]
    """Whose task it is after the event."""
    from_organization_id: Mapped[UUID | None]
    """Whose task it was before, where the event took it from somebody."""
    service_id: Mapped[UUID]
    status: Mapped[str]
    leg: Mapped[int]
    place: Mapped[str]
    need: Mapped[str]
    priority: Mapped[str]
    reason: Mapped[str | None]
    outcome: Mapped[str | None]
    deadline: Mapped[str | None]
    """Which deadline was missed."""
    due_at: Mapped[datetime | None]
    how: Mapped[str | None]
    """Passed on as planned or redirected; returned because it was rejected or because nobody answered."""


class Referral(Base):
    """A referral as its newest event describes it."""

    __tablename__ = "timeline_referrals"

    referral_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    case_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    organization_id: Mapped[UUID]
    """Whose task it is."""
    service_id: Mapped[UUID]
    need: Mapped[str]
    priority: Mapped[str]
    status: Mapped[str]
    leg: Mapped[int]
    place: Mapped[str]
    first_at: Mapped[datetime] = mapped_column(index=True)
    """When the earliest event that was heard happened: the sending, once that was heard."""
    changed_at: Mapped[datetime]


class Participant(Base):
    """An organisation that took part in a referral: as the case owner, or because it had the task.

    Its part may have ended; `queries.ended_parts` says when.
    """

    __tablename__ = "timeline_participants"
    __table_args__ = (Index(None, "organization_id", "referral_id"),)

    referral_id: Mapped[UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID] = mapped_column(primary_key=True)
