"""What a referral needs before it can be sent: organisations, services, a hub, agreements, and many cases.

Foreign facts are heard as events; one case is registered with its consent as a client would, and then copied row by row
under new ids, for what is measured comes afterwards.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from relink.demo_issuer import CLIENTS
from services.referral.app import service
from services.referral.cases import actions as cases
from services.referral.cases.schemas import CaseIn, MemberIn
from services.referral.consents import actions as consents
from services.referral.consents.schemas import ConsentIn
from services.referral.known import projections as known
from shared import clock
from shared.actor import Actor
from shared.events.registry import (
    AgreementSigned,
    Covers,
    Disclosure,
    MechanismChanged,
    OrganizationChanged,
    Party,
    ServicePublished,
    TransferInstrument,
)
from shared.http.auth import Trust
from shared.ids import new_id
from shared.settings import Settings

CLIENT, HUB, PROVIDER = "be-return", "ng-hub", "ng-provider"
SERVICES, PLACES = 50, 1_000_000
AREA = "NG012"
COPIED = ("cases", "case_members", "case_parties", "consents")


@dataclass(frozen=True)
class Order:
    """One request."""

    key: str
    body: bytes


@dataclass(frozen=True)
class World:
    token: str
    orders: Iterator[Order]


async def build(settings: Settings, token: str, how_many: int) -> World:
    """Everything is there for so many referrals, each of another case."""
    runtime = service.runtime(settings, Trust(settings.origin, []))
    service_ids = [new_id() for _ in range(SERVICES)]
    try:
        async with runtime.sessions() as session:
            await _hear(session, service_ids)
            case_id = await _register(session)
            await session.commit()
    finally:
        await runtime.close()
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        case_ids = [new_id() for _ in range(how_many)]
        for table in COPIED:
            await _copy(connection, table, case_id, case_ids)
        decisions = [(new_id(), each, service_ids[number % SERVICES]) for number, each in enumerate(case_ids)]
        await _decide(connection, decisions)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
    return World(token, (_order(*decision) for decision in decisions))


async def _hear(session: Any, service_ids: list[UUID]) -> None:
    owner, hub, provider = (CLIENTS[name].org_id for name in (CLIENT, HUB, PROVIDER))
    for organization_id, kind, country in (
        (owner, "public_authority", "BE"),
        (hub, "ngo", "NG"),
        (provider, "ngo", "NG"),
    ):
        told = OrganizationChanged(version=1, organization_id=organization_id, name=kind, kind=kind, country=country)
        await known.remember_organizations(session, [told])
    for service_id in service_ids:
        await known.remember_services(
            session,
            [ServicePublished(
                version=1, service_id=service_id, organization_id=provider, name="Welding course",
                type="vocational_training", dimension="economic", level="individual", country="NG", areas=[AREA],
                covered_areas=[AREA], set_aside=PLACES,
            )],
        )  # fmt: skip
    mechanism = MechanismChanged(
        version=1, mechanism_id=new_id(), kind="hub", organization_id=hub, countries=["NG"], areas=[AREA],
        covered_areas=[AREA], development_referral_system="yes",
    )  # fmt: skip
    await known.remember_mechanisms(session, [mechanism])
    covers = Covers(service_ids=service_ids, mechanism_ids=[mechanism.mechanism_id])
    for parties, kind, of_which, instrument in (
        ((owner, hub), "sop", covers, None),
        ((hub, provider), "sop", covers, None),
        ((owner, hub), "data_sharing", Covers(), TransferInstrument(article="46(2)(a)", onward_kinds=["ngo"])),
    ):
        today = clock.today()
        signed = [Party(organization_id=each, signed_on=today) for each in parties]
        await known.remember_agreements(
            session,
            [AgreementSigned(
                version=1, agreement_id=new_id(), kind=kind, parties=signed, covers=of_which, countries=["BE", "NG"],
                valid_from=today - timedelta(days=1), valid_until=today + timedelta(days=700),
                disclosure=Disclosure(fields=["name", "contacts"]), transfer_instrument=instrument,
            )],
        )  # fmt: skip


async def _register(session: Any) -> UUID:
    client = CLIENTS[CLIENT]
    actor = Actor(CLIENT, CLIENT, client.org_id, frozenset(client.scopes.split()), client.country)
    case = await cases.register(
        session,
        actor,
        CaseIn(
            reference="BE/1", country_of_origin="NG", area=AREA, return_type="voluntary",
            members=[MemberIn(sex="female", age_band="25-34")],
        ),
    )  # fmt: skip
    recipients = [{"organization_id": str(CLIENTS[name].org_id)} for name in (HUB, PROVIDER)]
    consent = {
        "purpose": "assistance", "recipients": recipients, "fields": ["name", "contacts"], "language": "eng",
        "given_on": clock.today().isoformat(), "evidence": "signed",
    }  # fmt: skip
    await consents.give(session, actor, case.case_id, ConsentIn.model_validate(consent))
    return case.case_id


async def _copy(connection: asyncpg.Connection, table: str, of: UUID, case_ids: list[UUID]) -> None:
    """The rows of one case in this table again for each of these cases, with ids of their own."""
    found = await connection.fetchrow(f"SELECT * FROM {table} WHERE case_id = $1", of)  # noqa: S608  # of ours
    assert found is not None
    row = dict(found)
    own_id = {"case_members": "member_id", "consents": "consent_id"}.get(table)
    copies = [tuple((row | {"case_id": each} | ({own_id: new_id()} if own_id else {})).values()) for each in case_ids]
    await connection.copy_records_to_table(table, records=copies, columns=list(row))


async def _decide(connection: asyncpg.Connection, decisions: list[tuple[UUID, UUID, UUID]]) -> None:
    now, owner = clock.now(), CLIENTS[CLIENT].org_id
    rows = [
        (decision_id, 1, case_id, service_id, "eligible", owner, now.date(), now)
        for decision_id, case_id, service_id in decisions
    ]
    columns = ["decision_id", "version", "case_id", "service_id", "outcome", "organization_id", "as_of", "decided_at"]
    await connection.copy_records_to_table("known_decisions", records=rows, columns=columns)


def _order(decision_id: UUID, case_id: UUID, service_id: UUID) -> Order:
    body = {
        "case_id": str(case_id),
        "service_id": str(service_id),
        "need": {"dimension": "economic", "type": "vocational_training"},
        "decision_id": str(decision_id),
    }
    return Order(str(new_id()), json.dumps(body).encode())
