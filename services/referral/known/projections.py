"""Keep what the registry and eligibility say: only a newer version changes a row, whatever the order or repetition."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.known.models import Agreement, Decision, Mechanism, Organization, Programme, Service
from services.referral.tables import Base
from shared.bus.listeners import Projections
from shared.events import Event
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
from shared.newest import keep_newest

projections = Projections()


@projections.on_batch(OrganizationChanged)
async def remember_organizations(session: AsyncSession, events: Sequence[OrganizationChanged]) -> None:
    await keep_newest(session, Organization, [_said(event, Organization) for event in events])


@projections.on_batch(ProgrammePublished, ProgrammeChanged, ProgrammeConfirmed, ProgrammeClosed)
async def remember_programmes(session: AsyncSession, events: Sequence[Event]) -> None:
    rows = [_said(event, Programme) | {"closed": isinstance(event, ProgrammeClosed)} for event in events]
    await keep_newest(session, Programme, rows)


@projections.on_batch(ServicePublished, ServiceChanged, ServiceConfirmed, ServiceRetired)
async def remember_services(session: AsyncSession, events: Sequence[Event]) -> None:
    rows = [_said(event, Service) | {"retired": isinstance(event, ServiceRetired)} for event in events]
    await keep_newest(session, Service, rows)


@projections.on_batch(AgreementSigned, AgreementChanged, AgreementEnded)
async def remember_agreements(
    session: AsyncSession, events: Sequence[AgreementSigned | AgreementChanged | AgreementEnded]
) -> None:
    rows = [
        _said(event, Agreement)
        | {
            "party_ids": sorted({party.organization_id for party in event.parties}),
            "ended_on": event.ended_on if isinstance(event, AgreementEnded) else None,
        }
        for event in events
    ]
    await keep_newest(session, Agreement, rows)


@projections.on_batch(MechanismChanged)
async def remember_mechanisms(session: AsyncSession, events: Sequence[MechanismChanged]) -> None:
    await keep_newest(session, Mechanism, [_said(event, Mechanism) for event in events])


@projections.on_batch(EligibilityDecided, AppealDecided)
async def remember_decisions(session: AsyncSession, events: Sequence[EligibilityDecided | AppealDecided]) -> None:
    await keep_newest(session, Decision, [_said(event, Decision) for event in events])


def _said(event: Event, model: type[Base]) -> dict[str, Any]:
    """The event's fields that are columns of the model by the same names."""
    return event.model_dump(include=set(model.__table__.columns.keys()))
