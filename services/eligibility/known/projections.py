"""How what the others say becomes rows. Each event carries its aggregate whole, so only the newest version counts."""

from typing import Any

from sqlalchemy.dialects.postgresql import insert
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
from services.eligibility.tables import Base
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
    ServicePublished,
    ServiceRetired,
)

projections = Projections()


async def _remember(session: AsyncSession, model: type[Base], key: str, values: dict[str, Any]) -> None:
    """Keep the row unless a version as new as this one is already kept: late and repeated events change nothing."""
    statement = insert(model).values(values)
    told = {name: statement.excluded[name] for name in values if name != key}
    newer = model.__table__.c.version < statement.excluded.version
    await session.execute(statement.on_conflict_do_update(index_elements=[key], set_=told, where=newer))


@projections.on(OrganizationChanged)
async def remember_organization(session: AsyncSession, event: OrganizationChanged) -> None:
    values = event.model_dump(include={"organization_id", "version", "name", "kind", "country", "lead"})
    await _remember(session, KnownOrganization, "organization_id", values)


@projections.on(ProgrammePublished, ProgrammeChanged, ProgrammeConfirmed, ProgrammeClosed)
async def remember_programme(
    session: AsyncSession, event: ProgrammePublished | ProgrammeChanged | ProgrammeConfirmed | ProgrammeClosed
) -> None:
    values = event.model_dump(include={"programme_id", "version", "organization_id", "name", "ends_on"})
    closed = isinstance(event, ProgrammeClosed)
    await _remember(session, KnownProgramme, "programme_id", values | {"closed": closed})


@projections.on(ServicePublished, ServiceChanged, ServiceConfirmed, ServiceRetired)
async def remember_service(
    session: AsyncSession, event: ServicePublished | ServiceChanged | ServiceConfirmed | ServiceRetired
) -> None:
    retired = isinstance(event, ServiceRetired)
    values = event.model_dump(include=set(KnownService.__table__.columns.keys()))
    values["covered_areas"] = event.covered_areas or event.areas
    await _remember(session, KnownService, "service_id", values | {"retired": retired})


@projections.on(AgreementSigned, AgreementChanged, AgreementEnded)
async def remember_agreement(session: AsyncSession, event: AgreementSigned | AgreementChanged | AgreementEnded) -> None:
    values = event.model_dump(include={"agreement_id", "version", "kind", "countries", "valid_from", "valid_until"})
    values |= event.covers.model_dump()
    values["parties"] = [party.organization_id for party in event.parties]
    values["ended_on"] = event.ended_on if isinstance(event, AgreementEnded) else None
    await _remember(session, KnownAgreement, "agreement_id", values)


@projections.on(MechanismChanged)
async def remember_mechanism(session: AsyncSession, event: MechanismChanged) -> None:
    values = event.model_dump(include={"mechanism_id", "version", "organization_id", "countries", "needs", "active"})
    values["covered_areas"] = event.covered_areas or event.areas
    values["has_procedure"] = bool(event.procedure)
    await _remember(session, KnownMechanism, "mechanism_id", values)


@projections.on(CaseRegistered, CaseChanged, CaseDeparted, CaseArrived, ReturnCancelled, CaseClosed)
async def remember_case(
    session: AsyncSession,
    event: CaseRegistered | CaseChanged | CaseDeparted | CaseArrived | ReturnCancelled | CaseClosed,
) -> None:
    values = event.model_dump(include=set(KnownCase.__table__.columns.keys()))
    values["sex"] = event.members[0].sex if event.members else None
    await _remember(session, KnownCase, "case_id", values | {"erased": False})


@projections.on(CaseErased)
async def forget_case(session: AsyncSession, event: CaseErased) -> None:
    """Nothing more can be matched for the case; its coarse attributes are told to nobody through it."""
    gone = dict.fromkeys(KnownCase.__table__.columns.keys())
    values = gone | {"case_id": event.case_id, "version": event.version, "erased": True}
    await _remember(session, KnownCase, "case_id", values)


@projections.on(PlacesChanged)
async def remember_places(session: AsyncSession, event: PlacesChanged) -> None:
    values = event.model_dump(include={"service_id", "version", "set_aside", "free", "queued"})
    await _remember(session, KnownPlaces, "service_id", values)
