from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.directory.models import Organization
from services.registry.tables import Base
from shared.db import Versioned
from shared.ids import new_id


class Mechanism(Versioned, Base):
    """An arrangement by which referrals flow: who receives those for which area and need."""

    __tablename__ = "mechanisms"

    mechanism_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(default="")
    kind: Mapped[str]
    organization_id: Mapped[UUID] = mapped_column(ForeignKey(Organization.organization_id), index=True)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("mechanisms.mechanism_id"), index=True)
    countries: Mapped[list[str]]
    areas: Mapped[list[str]] = mapped_column(default=list)
    covered_areas: Mapped[list[str]]
    needs: Mapped[list[str]] = mapped_column(default=list)
    procedure: Mapped[str | None]
    opening_hours: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    contacts: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    active: Mapped[bool] = mapped_column(default=True)
