"""Criteria sets as rows: content never changes once written, only the state of a set does."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from services.eligibility.tables import Base
from shared.db import Versioned


class ServiceCriteria(Versioned, Base):
    """All sets of one service: locked before any of them changes; its `version` is that of the service's events."""

    __tablename__ = "service_criteria"

    service_id: Mapped[UUID] = mapped_column(primary_key=True)
    latest: Mapped[int]
    """The highest `criteria_version` given out."""


class CriteriaSet(Versioned, Base):
    """One version of the criteria of a service."""

    __tablename__ = "criteria_sets"
    __table_args__ = (
        UniqueConstraint("service_id", "criteria_version"),
        Index("ix_criteria_sets_in_force", "service_id", "valid_from", postgresql_where=text("valid_from IS NOT NULL")),
    )

    criteria_set_id: Mapped[UUID] = mapped_column(primary_key=True)
    service_id: Mapped[UUID] = mapped_column(ForeignKey(ServiceCriteria.service_id))
    criteria_version: Mapped[int]
    organization_id: Mapped[UUID]
    """Who wrote it."""
    status: Mapped[str]
    criteria: Mapped[list[dict[str, Any]]]
    source: Mapped[str | None]
    validated_by: Mapped[UUID | None]
    validated_at: Mapped[datetime | None]
    valid_from: Mapped[date | None]
    retired_on: Mapped[date | None]
    valid_until: Mapped[date | None]
    """The first day on which it no longer binds: the next set begins, or it was retired."""
