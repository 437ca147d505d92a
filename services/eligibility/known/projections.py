"""How what the others say becomes rows. Each event carries its aggregate whole, so only the newest version counts."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.eligibility.known.models import (
    KnownAgreement,
    KnownCase,
    KnownMechanism,
    KnownOrganization,
    KnownPlaces,
    KnownProgramme,
    KnownService,
)
from shared.bus.listeners import Projections
from shared.events.referral import (
    CaseArrived,
    CaseChanged,
    CaseClosed,
    CaseDeparted,
    CaseErased,
    CaseRegistered,
    PlacesChanged,
    ReturnCancelled,
)
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
    ServiceDoubted,
    ServicePublished,
    ServiceRetired,
    ServiceWentStale,
)
from shared.newest import keep_newest

projections = Projections()

Programme = ProgrammePublished | ProgrammeChanged | ProgrammeConfirmed | ProgrammeClosed
Service = ServicePublished | ServiceChanged | ServiceConfirmed | ServiceDoubted | ServiceWentStale | ServiceRetired
Agreement = AgreementSigned | AgreementChanged | AgreementEnded
Case = CaseRegistered | CaseChanged | CaseDeparted | CaseArrived | ReturnCancelled | CaseClosed


@projections.on_batch(OrganizationChanged)
async def remember_organizations(session: AsyncSession, events: Sequence[OrganizationChanged]) -> None:
    told = {"organization_id", "version", "name", "kind", "country", "lead"}
    await keep_newest(session, KnownOrganization, [event.model_dump(include=told) for event in events])


@projections.on_batch(ProgrammePublished, ProgrammeChanged, ProgrammeConfirmed, ProgrammeClosed)
async def remember_programmes(session: AsyncSession, events: Sequence[Programme]) -> None:
    told = {"programme_id", "version", "organization_id", "name", "ends_on"}
    rows = [event.model_dump(include=told) | {"closed": isinstance(event, ProgrammeClosed)} for event in events]
    await keep_newest(session, KnownProgramme, rows)


@projections.on_batch(
    ServicePublished, ServiceChanged, ServiceConfirmed, ServiceDoubted, ServiceWentStale, ServiceRetired
)
async def remember_services(session: AsyncSession, events: Sequence[Service]) -> None:
    told = set(KnownService.__table__.columns.keys())
    rows = [
        event.model_dump(include=told)
        | {
            "covered_areas": event.covered_areas or event.areas,
            "hidden": event.freshness == "hidden",
            "retired": isinstance(event, ServiceRetired),
        }
        for event in events
    ]
    await keep_newest(session, KnownService, rows)


@projections.on_batch(AgreementSigned, AgreementChanged, AgreementEnded)
async def remember_agreements(session: AsyncSession, events: Sequence[Agreement]) -> None:
    told = {"agreement_id", "version", "kind", "countries", "valid_from", "valid_until"}
    rows = [
        event.model_dump(include=told)
        | event.covers.model_dump()
        | {
            "parties": [party.organization_id for party in event.parties],
            "ended_on": event.ended_on if isinstance(event, AgreementEnded) else None,
        }
        for event in events
    ]
    await keep_newest(session, KnownAgreement, rows)


@projections.on_batch(MechanismChanged)
async def remember_mechanisms(session: AsyncSession, events: Sequence[MechanismChanged]) -> None:
    told = {"mechanism_id", "version", "organization_id", "countries", "needs", "active"}
    rows = [
        event.model_dump(include=told)
        | {"covered_areas": event.covered_areas or event.areas, "has_procedure": bool(event.procedure)}
        for event in events
    ]
    await keep_newest(session, KnownMechanism, rows)


@projections.on_batch(CaseRegistered, CaseChanged, CaseDeparted, CaseArrived, ReturnCancelled, CaseClosed)
async def remember_cases(session: AsyncSession, events: Sequence[Case]) -> None:
    told = set(KnownCase.__table__.columns.keys())
    rows = [
        event.model_dump(include=told) | {"sex": event.members[0].sex if event.members else None, "erased": False}
        for event in events
    ]
    await keep_newest(session, KnownCase, rows)


@projections.on_batch(CaseErased)
async def forget_cases(session: AsyncSession, events: Sequence[CaseErased]) -> None:
    """Nothing more can be matched for the case; its coarse attributes are told to nobody through it."""
    gone = dict.fromkeys(KnownCase.__table__.columns.keys())
    rows = [gone | {"case_id": event.case_id, "version": event.version, "erased": True} for event in events]
    await keep_newest(session, KnownCase, rows)


@projections.on_batch(PlacesChanged)
async def remember_places(session: AsyncSession, events: Sequence[PlacesChanged]) -> None:
    told = {"service_id", "version", "set_aside", "free", "queued"}
    await keep_newest(session, KnownPlaces, [event.model_dump(include=told) for event in events])
