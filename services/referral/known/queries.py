"""What is known of the others, as of a day where that matters; None or nothing where nothing was heard."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Text,
    and_,
    any_,
    bindparam,
    exists,
    false,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUuid  # noqa: N811  # Python's own has the name
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.referral.known.domain import reach
from services.referral.known.models import Agreement, Decision, Mechanism, Organization, Programme, Service
from shared.events.registry import Covers, Deadlines, Disclosure, TransferInstrument
from shared.questions import Question, columns_of


@dataclass(frozen=True)
class KnownOrganization:
    organization_id: UUID
    name: str
    kind: str
    country: str


@dataclass(frozen=True)
class KnownService:
    service_id: UUID
    organization_id: UUID
    programme_id: UUID | None
    name: str
    type: str
    dimension: str
    country: str
    areas: list[str]
    covered_areas: list[str]
    remote: bool
    open_to_all: bool
    set_aside: int | None
    retired: bool
    programme_is_development: bool
    """It belongs to a programme that is known and not financed as the return package of a case."""


@dataclass(frozen=True)
class KnownAgreement:
    agreement_id: UUID
    kind: str
    party_ids: frozenset[UUID]
    covers: Covers
    countries: list[str]
    valid_from: date
    valid_until: date
    deadlines: Deadlines
    disclosure: Disclosure
    transfer_instrument: TransferInstrument | None


@dataclass(frozen=True)
class KnownMechanism:
    mechanism_id: UUID
    name: str
    kind: str
    organization_id: UUID
    parent_id: UUID | None
    countries: list[str]
    areas: list[str]
    covered_areas: list[str]
    needs: list[str]
    procedure: str | None
    development_referral_system: str
    active: bool


# Of mechanisms that meet an area equally closely the more local one comes first.
_NEAREST_FIRST = {"sub": 0, "local_desk": 1, "hub": 2, "national": 3}


# What a referral is judged by is asked in one go with what other modules know (`shared.questions`).
_PROVIDER = select(Service.organization_id).where(Service.service_id == bindparam("service_id", type_=PgUuid()))
_OF_COUNTRY = and_(Mechanism.active, Mechanism.countries.overlap(bindparam("countries", type_=ARRAY(Text()))))
_ON: ColumnElement[date] = bindparam("on", type_=Date())

SERVICE = Question(
    select(
        *columns_of(Service, KnownService),
        func.coalesce(Programme.development, false()).label("programme_is_development"),
    )
    .outerjoin(Programme, Programme.programme_id == Service.programme_id)
    .where(Service.service_id == bindparam("service_id", type_=PgUuid())),
    KnownService,
)
"""The service, retired or not."""
ORGANIZATIONS = Question(
    select(*columns_of(Organization, KnownOrganization)).where(
        or_(
            Organization.organization_id == any_(bindparam("organization_ids", type_=ARRAY(PgUuid()))),
            Organization.organization_id.in_(_PROVIDER),
            Organization.organization_id.in_(select(Mechanism.organization_id).where(_OF_COUNTRY)),
        )
    ),
    KnownOrganization,
)
"""These organisations, the service's, and those of the countries' mechanisms."""
MECHANISMS = Question(
    select(*columns_of(Mechanism, KnownMechanism))
    .where(or_(_OF_COUNTRY, Mechanism.mechanism_id == any_(bindparam("mechanism_ids", type_=ARRAY(PgUuid())))))
    .order_by(Mechanism.mechanism_id),
    KnownMechanism,
)
"""The active mechanisms of the countries, and these, active or not."""


def _in_force(on: Any) -> ColumnElement[bool]:
    """From the first to the last day of its validity, both included; not on the day it was ended or after."""
    not_ended = or_(Agreement.ended_on.is_(None), Agreement.ended_on > on)
    return and_(Agreement.valid_from <= on, Agreement.valid_until >= on, not_ended)


AGREEMENTS = Question(
    select(*columns_of(Agreement, KnownAgreement))
    .where(
        _in_force(_ON),
        Agreement.party_ids.overlap(
            bindparam("organization_ids", type_=ARRAY(PgUuid())) + func.array(_PROVIDER.scalar_subquery())
        ),
    )
    .order_by(Agreement.agreement_id),
    KnownAgreement,
)
"""Those in force on the day to which one of these organisations, or the service's, is a party."""
SENT_UNDER = Question(
    select(*columns_of(Agreement, KnownAgreement)).where(
        Agreement.agreement_id == bindparam("sent_under_id", type_=PgUuid())
    ),
    KnownAgreement,
)
"""The agreement as it was last heard of, in force or not."""


@dataclass(frozen=True)
class PresentDecision:
    """The latest decision for a case and a service, after any appeal; `named`: the one that was named is about them."""

    outcome: str
    named: bool


_THIS_CASE = Decision.case_id == bindparam("case_id", type_=PgUuid())
_THIS_SERVICE = Decision.service_id == bindparam("service_id", type_=PgUuid())
_LATEST_FIRST = Decision.decided_at.desc(), Decision.decision_id.desc()
_named = aliased(Decision)
DECISION = Question(
    select(
        Decision.outcome,
        exists()
        .where(
            _named.decision_id == bindparam("decision_id", type_=PgUuid()),
            _named.case_id == Decision.case_id,
            _named.service_id == Decision.service_id,
        )
        .label("named"),
    )
    .where(_THIS_CASE, _THIS_SERVICE)
    .order_by(*_LATEST_FIRST)
    .limit(1),
    PresentDecision,
)


async def get_organization(session: AsyncSession, organization_id: UUID) -> KnownOrganization | None:
    return (await find_organizations(session, {organization_id})).get(organization_id)


async def find_organizations(
    session: AsyncSession, organization_ids: Collection[UUID]
) -> dict[UUID, KnownOrganization]:
    """Those of the organisations that are known, by id."""
    rows = await session.scalars(select(Organization).where(Organization.organization_id.in_(organization_ids)))
    return {
        row.organization_id: KnownOrganization(row.organization_id, row.name, row.kind, row.country) for row in rows
    }


async def get_service(session: AsyncSession, service_id: UUID) -> KnownService | None:
    return (await find_services(session, {service_id})).get(service_id)


async def find_services(session: AsyncSession, service_ids: Collection[UUID]) -> dict[UUID, KnownService]:
    """Those of the services that are known, by id; retired ones too."""
    rows = await session.execute(
        select(Service, Programme.development)
        .outerjoin(Programme, Programme.programme_id == Service.programme_id)
        .where(Service.service_id.in_(service_ids))
    )
    return {
        row.service_id: KnownService(
            row.service_id,
            row.organization_id,
            row.programme_id,
            row.name,
            row.type,
            row.dimension,
            row.country,
            row.areas,
            row.covered_areas,
            row.remote,
            row.open_to_all,
            row.set_aside,
            row.retired,
            programme_is_development=bool(development),
        )
        for row, development in rows
    }


def nearest_first(mechanisms: Iterable[KnownMechanism], country: str, area: str | None) -> list[KnownMechanism]:
    """The active ones of these that serve the area, the smallest area first, those for the whole country last."""
    found = [(reach(country, area, each.covered_areas or each.areas), each) for each in mechanisms if each.active]
    serving = [(closeness, each) for closeness, each in found if closeness is not None and country in each.countries]
    serving.sort(key=lambda pair: (-pair[0], _NEAREST_FIRST[pair[1].kind]))
    return [each for _, each in serving]
