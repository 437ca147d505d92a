"""What was heard, as the domain wants it: as many questions to the database for ten thousand services as for one."""

from datetime import date
from uuid import UUID

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.eligibility.known.domain import Agreement, Mechanism, Service, Standing
from services.eligibility.known.models import (
    KnownAgreement,
    KnownCase,
    KnownMechanism,
    KnownOrganization,
    KnownPlaces,
    KnownProgramme,
    KnownService,
)
from shared.actor import Actor
from shared.errors import NotFound

PUBLIC_AUTHORITY = "public_authority"


async def find_service(session: AsyncSession, service_id: UUID) -> KnownService | None:
    """The service as it was last heard of, also when it is retired; None when it was never published."""
    return await session.get(KnownService, service_id)


async def get_own_case(session: AsyncSession, actor: Actor, case_id: UUID) -> KnownCase:
    """The case, if the actor's organisation owns it and it was not erased."""
    found = await session.get(KnownCase, case_id)
    if found is None or found.erased or found.owner_id != actor.org_id:
        raise NotFound
    return found


async def published_services(session: AsyncSession, country: str) -> list[Service]:
    """Every published service of the country, with its places and what is known of its programme and provider."""
    services, places, programmes, organizations = KnownService, KnownPlaces, KnownProgramme, KnownOrganization
    # Until the ledger has spoken of a service nobody holds a place: what is set aside is free.
    heard = places.service_id.is_not(None)
    query = (
        select(
            services.service_id,
            services.organization_id,
            services.programme_id,
            services.name,
            services.translations,
            services.type,
            services.dimension,
            services.country,
            services.covered_areas,
            services.remote,
            services.open_to_all,
            services.waiting_days,
            services.confirmed_on,
            services.review_by,
            case((heard, places.set_aside), else_=services.set_aside).label("set_aside"),
            case((heard, places.free), else_=services.set_aside).label("free"),
            func.coalesce(places.queued, 0).label("queued"),
            programmes.ends_on.label("programme_ends_on"),
            func.coalesce(programmes.closed, False).label("programme_closed"),
            func.coalesce(organizations.kind == PUBLIC_AUTHORITY, False).label("public"),
        )
        .outerjoin(places, places.service_id == services.service_id)
        .outerjoin(programmes, programmes.programme_id == services.programme_id)
        .outerjoin(organizations, organizations.organization_id == services.organization_id)
        .where(services.country == country, services.retired.is_(False), services.hidden.is_(False))
        .order_by(services.service_id)
    )
    rows = (await session.execute(query)).mappings()
    return [Service(**{**row, "covered_areas": tuple(row["covered_areas"])}) for row in rows]


async def standing(session: AsyncSession, actor: Actor, country: str, today: date) -> Standing:
    """What the actor's organisation can rest a referral into `country` on today: agreements and mechanisms in force."""
    agreements, mechanisms = KnownAgreement, KnownMechanism
    in_force = and_(
        agreements.valid_from <= today,
        agreements.valid_until >= today,
        or_(agreements.ended_on.is_(None), agreements.ended_on > today),
    )
    agreed = await session.execute(
        select(agreements.parties, agreements.service_ids, agreements.programme_ids, agreements.mechanism_ids).where(
            agreements.parties.contains([actor.org_id]),
            agreements.countries.contains([country]),
            agreements.kind != "data_sharing",  # such an agreement alone permits no referral
            in_force,
        )
    )
    active = await session.execute(
        select(
            mechanisms.mechanism_id,
            mechanisms.organization_id,
            mechanisms.covered_areas,
            mechanisms.needs,
            mechanisms.has_procedure,
        ).where(mechanisms.countries.contains([country]), mechanisms.active)
    )
    return Standing(
        organization_id=actor.org_id,
        today=today,
        agreements=[
            Agreement(
                parties=frozenset(row.parties),
                service_ids=frozenset(row.service_ids),
                programme_ids=frozenset(row.programme_ids),
                mechanism_ids=frozenset(row.mechanism_ids),
            )
            for row in agreed
        ],
        mechanisms=[
            Mechanism(
                mechanism_id=row.mechanism_id,
                organization_id=row.organization_id,
                covered_areas=tuple(row.covered_areas),
                needs=frozenset(row.needs),
                has_procedure=row.has_procedure,
            )
            for row in active
        ],
    )
