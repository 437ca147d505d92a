"""Tables of referrals: the order, every organisation's task on its way, and what happened, in order."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from services.referral.referrals.domain import OPEN, Status
from services.referral.tables import Base
from shared.db import Versioned
from shared.ids import new_id

_OPEN = ", ".join(f"'{status}'" for status in sorted(OPEN))


class Referral(Versioned, Base):
    """One order: this case, this need, this service. Its status is that of its current task."""

    __tablename__ = "referrals"
    __table_args__ = (
        # The second net behind the refusal: the case's row lock is the first.
        Index(
            "uq_referrals_open",
            "case_id",
            "service_id",
            unique=True,
            postgresql_where=text(f"status IN ({_OPEN})"),
        ),
        Index("ix_referrals_case_id", "case_id"),
        Index(
            "ix_referrals_sharing_stopped_at",
            "sharing_stopped_at",
            postgresql_where=text("sharing_stopped_at IS NOT NULL"),
        ),
        Index("ix_referrals_owner_id_changed_at", "owner_id", "changed_at"),
        Index("ix_referrals_service_id", "service_id"),
    )

    referral_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    """The case owner; follows the case when that is transferred."""
    status: Mapped[str]
    service_id: Mapped[UUID]
    need_dimension: Mapped[str]
    need_type: Mapped[str]
    priority: Mapped[str]
    when_full: Mapped[str]
    decision_id: Mapped[UUID | None]
    member_ids: Mapped[list[UUID]]
    """Whom of the case it is for; empty: all."""
    via: Mapped[UUID | None]
    """The mechanism that the case owner named."""
    mechanism_id: Mapped[UUID | None]
    """The mechanism by which it was sent."""
    requested_fields: Mapped[list[str] | None]
    declared_safe: Mapped[bool] = mapped_column(default=False)
    """The counsellor has recorded that a state body of the country of origin may hear of it."""
    safety_note: Mapped[bytes | None]
    external_refs: Mapped[bytes | None]
    follows_referral_id: Mapped[UUID | None]
    development_referral: Mapped[str] = mapped_column(default="unknown")
    """Inherited from the mechanism when it was sent."""
    warnings: Mapped[list[dict[str, Any]]] = mapped_column(default=list)

    task_id: Mapped[UUID | None]
    """The current task, and of an ended referral the last; None for a draft."""
    ahead: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """The legs that the route plans after the current one: `organization_id`, `mechanism_id`."""
    due: Mapped[dict[str, str]] = mapped_column(default=dict)
    """Deadline → when; those whose clock runs. Their timers are set and cleared with them."""
    decision_due_at: Mapped[datetime | None]
    """When the decision is due if nobody departs before."""
    stood_still_at: Mapped[datetime | None]
    """Since when the clock of the decision stands still."""
    escalated: Mapped[bool] = mapped_column(default=False)
    """A deadline that leads to expiry was missed, and both sides were told."""

    submitted_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    """When the organisation whose task it is accepted it; None before."""
    ended_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    """When the case owner knew the outcome."""
    sharing_stopped_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    """Why it stands as it stands: the code of the last action that gave one."""
    outcome: Mapped[str | None]
    receipt: Mapped[str | None]

    @property
    def state(self) -> Status:
        return Status(self.status)


class Task(Base):
    """One organisation's part. A task that ended stays as it is; a return opens a new one."""

    __tablename__ = "referral_tasks"
    __table_args__ = (
        UniqueConstraint("referral_id", "number"),
        Index("ix_referral_tasks_organization_id_referral_id", "organization_id", "referral_id"),
        Index("ix_referral_tasks_agreement_id", "agreement_id"),
    )

    task_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.referral_id"))
    number: Mapped[int]
    """Counts the tasks of the referral from 1."""
    leg: Mapped[int]
    """Counts the legs of the way from 1; a return goes back to an earlier one."""
    organization_id: Mapped[UUID]
    role: Mapped[str]
    state: Mapped[str]
    """The referral's status while this task is current, then how it ended."""
    from_organization_id: Mapped[UUID]
    """Who sent it here."""
    parent_id: Mapped[UUID | None]
    """The task of whoever passed it on; None where the case owner sent it."""
    service_id: Mapped[UUID]
    mechanism_id: Mapped[UUID | None]
    agreement_id: Mapped[UUID | None]
    """The agreement that permitted the leg; None where none was needed."""
    deadlines: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What that agreement says about deadlines, and above it the case owner's own, when the leg was travelled."""
    takes_part: Mapped[bool] = mapped_column(default=True)
    """It gives its organisation a part in the referral: it is the current one, or that of a hub on the way to it."""
    opened_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    """When the organisation first did something about it."""
    contacted_at: Mapped[datetime | None]
    """When the provider first spoke with the returnee."""
    ended_at: Mapped[datetime | None]
    reason: Mapped[str | None]


class HistoryEntry(Base):
    """What happened, and who did it. Only added to; a person's words are sealed under the key of the case."""

    __tablename__ = "referral_history"
    __table_args__ = (UniqueConstraint("referral_id", "version"),)

    entry_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.referral_id"))
    version: Mapped[int]
    """The referral's version after it."""
    at: Mapped[datetime]
    what: Mapped[str]
    """The action, or what the system did."""
    by: Mapped[UUID | None]
    """The organisation that acted; None: the system."""
    from_status: Mapped[str]
    to_status: Mapped[str]
    task_id: Mapped[UUID | None]
    """The current task after it."""
    acted_task_id: Mapped[UUID | None]
    """The current task before it."""
    place: Mapped[str | None]
    reason: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Codes and dates, never a person's words."""
    words: Mapped[bytes | None]
