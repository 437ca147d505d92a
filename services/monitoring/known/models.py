"""Foreign facts, as the registry and the referral service said them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from services.monitoring.tables import Base


class KnownOrganization(Base):
    """An organisation as the registry named it last."""

    __tablename__ = "known_organizations"

    organization_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str]
    kind: Mapped[str]
    country: Mapped[str]


class KnownService(Base):
    """A service as the registry described it last; a retired one stays, because old referrals name it."""

    __tablename__ = "known_services"

    service_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    organization_id: Mapped[UUID]
    name: Mapped[str]
    type: Mapped[str]
    dimension: Mapped[str]


class CaseState(Base):
    """A case by its coarse attributes, as each event described it.

    Every state is kept, so that an indicator as of an earlier day is broken down by what was known on that day.
    """

    __tablename__ = "known_case_states"

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    owner_id: Mapped[UUID]
    member_state: Mapped[str]
    country_of_origin: Mapped[str]
    area: Mapped[str | None]
    return_type: Mapped[str]
    phase: Mapped[str]
    sex: Mapped[str]
    """Of the first member, who stands for the case in indicators."""
    age_band: Mapped[str]
    """Of the first member."""
    members: Mapped[int]
    """How many people return together."""
