"""Keep what the registry and eligibility say: only a newer version changes a row, whatever the order or repetition."""

from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.known.models import Agreement, Decision, Mechanism, Organization, Programme, Service
from services.referral.tables import Base
from shared.bus.listeners import Projections
from shared.events.eligibility import AppealDecided, EligibilityDecided
from shared.events.registry import (
    AgreementChanged,
    AgreementEnded,
    AgreementSigned,
    MechanismChanged,
    OrganizationChanged,
    ProgrammeChanged,
    ProgrammeClosed,
    ProgrammeConfirmed,
    ProgrammePublished,
    ServiceChanged,
    ServiceConfirmed,
    ServicePublished,
    ServiceRetired,
)

projections = Projections()


async def _remember(session: AsyncSession, model: type[Base], **heard: Any) -> None:
    """Insert the row, or replace it if what was heard is newer than what it holds."""
    statement = insert(model).values(**heard)
    table = model.__table__
    keys = [column.name for column in table.primary_key]
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=keys,
            set_={name: statement.excluded[name] for name in heard if name not in keys},
            where=table.c.version < statement.excluded.version,
        )
    )


@projections.on(OrganizationChanged)
async def remember_organization(session: AsyncSession, event: OrganizationChanged) -> None:
    await _remember(session, Organization, **event.model_dump(include=_columns(Organization)))


@projections.on(ProgrammePublished, ProgrammeChanged, ProgrammeConfirmed, ProgrammeClosed)
async def remember_programme(
    session: AsyncSession, event: ProgrammePublished | ProgrammeChanged | ProgrammeConfirmed | ProgrammeClosed
) -> None:
    closed = isinstance(event, ProgrammeClosed)
    await _remember(session, Programme, closed=closed, **event.model_dump(include=_columns(Programme)))


@projections.on(ServicePublished, ServiceChanged, ServiceConfirmed, ServiceRetired)
async def remember_service(
    session: AsyncSession, event: ServicePublished | ServiceChanged | ServiceConfirmed | ServiceRetired
) -> None:
    retired = isinstance(event, ServiceRetired)
    await _remember(session, Service, retired=retired, **event.model_dump(include=_columns(Service)))


@projections.on(AgreementSigned, AgreementChanged, AgreementEnded)
async def remember_agreement(session: AsyncSession, event: AgreementSigned | AgreementChanged | AgreementEnded) -> None:
    documents = {"covers", "deadlines", "disclosure", "transfer_instrument"}
    await _remember(
        session,
        Agreement,
        party_ids=sorted({party.organization_id for party in event.parties}),
        ended_on=event.ended_on if isinstance(event, AgreementEnded) else None,
        **event.model_dump(include=_columns(Agreement) - documents - {"ended_on"}),
        **event.model_dump(mode="json", include=documents),
    )


@projections.on(MechanismChanged)
async def remember_mechanism(session: AsyncSession, event: MechanismChanged) -> None:
    await _remember(session, Mechanism, **event.model_dump(include=_columns(Mechanism)))


@projections.on(EligibilityDecided, AppealDecided)
async def remember_decision(session: AsyncSession, event: EligibilityDecided | AppealDecided) -> None:
    await _remember(session, Decision, **event.model_dump(include=_columns(Decision)))


def _columns(model: type[Base]) -> set[str]:
    """The columns of a table; an event's fields of the same names are what it is filled from."""
    return set(model.__table__.columns.keys())
