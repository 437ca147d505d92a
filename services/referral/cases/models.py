"""Tables of cases: coarse attributes in plain, identity sealed; who takes part; assessments."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.referral.cases.domain import ARRIVED_PHASES, Phase
from services.referral.tables import Base
from shared.db import Versioned
from shared.ids import new_id

OWNER, RECEIVER, READER = "owner", "receiver", "reader"
"""What an organisation is to a case: its owner; with a part in an open referral, and so acting in the case; or with a
part in one that was delivered, and only reading it."""


class Case(Versioned, Base):
    """One return of one person or family.

    `identity`, `reference` and `external_refs` are sealed under the key of the case; `reference_index` is the keyed
    blind index by which the owner finds its own reference again, `returnee_index` the one by which two organisations'
    cases of perhaps the same person are noticed.
    """

    __tablename__ = "cases"
    __table_args__ = (
        Index("ix_cases_owner_id_case_id", "owner_id", "case_id"),
        Index("ix_cases_reference_index", "owner_id", "reference_index"),
        Index("ix_cases_returnee_index", "returnee_index", postgresql_where=text("returnee_index IS NOT NULL")),
    )

    case_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    owner_id: Mapped[UUID]
    member_state: Mapped[str]
    country_of_origin: Mapped[str]
    area: Mapped[str | None]
    return_type: Mapped[str]
    origin: Mapped[str]
    phase: Mapped[str]
    planned_departure_on: Mapped[date | None]
    planned_arrival_on: Mapped[date | None]
    arrival_certainty: Mapped[str]
    departed_on: Mapped[date | None]
    arrived_on: Mapped[date | None]
    """None too for somebody who walked in, if nobody knows since when she is there; `has_arrived` says that she is."""
    identity: Mapped[bytes | None]
    reference: Mapped[bytes | None]
    reference_index: Mapped[bytes | None]
    returnee_index: Mapped[bytes | None]
    external_refs: Mapped[bytes | None]
    open_referrals: Mapped[int] = mapped_column(default=0)
    """Kept by the referrals module, in the transaction that opens or ends a referral."""
    closed_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]

    members: Mapped[list["CaseMember"]] = relationship(
        order_by="CaseMember.position", lazy="raise", cascade="all, delete-orphan"
    )

    @property
    def has_arrived(self) -> bool:
        """The arrival is confirmed, or she walked in."""
        return Phase(self.phase) in ARRIVED_PHASES

    @property
    def walked_in(self) -> bool:
        return self.origin == "hub"

    @property
    def is_closed(self) -> bool:
        return self.phase == Phase.CLOSED


class CaseMember(Base):
    """One person of a case; the first is the returnee after whom the case is counted."""

    __tablename__ = "case_members"

    member_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.case_id"), index=True)
    position: Mapped[int]
    sex: Mapped[str]
    age_band: Mapped[str]
    identity: Mapped[bytes | None]


class CaseParty(Base):
    """An organisation that may see the case, and as what; taken back when its part has ended."""

    __tablename__ = "case_parties"
    __table_args__ = (Index("ix_case_parties_organization_id_case_id", "organization_id", "case_id"),)

    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.case_id"), primary_key=True)
    organization_id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[str]


class Assessment(Base):
    """A dated assessment: never edited, only followed by a later one. Its answers are sealed."""

    __tablename__ = "assessments"
    __table_args__ = (Index("ix_assessments_case_id_kind", "case_id", "kind", "assessed_on"),)

    assessment_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.case_id"))
    kind: Mapped[str]
    phase: Mapped[str]
    result: Mapped[str]
    answers: Mapped[bytes | None]
    assessed_on: Mapped[date]
    recorded_by: Mapped[UUID]
    recorded_at: Mapped[datetime]
