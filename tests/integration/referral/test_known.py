"""What the referral service has heard: only newer versions count, and facts hold on the days they hold."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from relink.system import System
from services.referral.known import queries
from services.referral.known.projections import projections
from shared.events import Event
from shared.events.eligibility import AppealDecided, EligibilityDecided
from shared.events.registry import (
    AgreementEnded,
    AgreementSigned,
    Covers,
    Deadlines,
    Disclosure,
    MechanismChanged,
    OrganizationChanged,
    Party,
    ProgrammePublished,
    ServicePublished,
    ServiceRetired,
    TransferInstrument,
)
from shared.ids import new_id
from shared.questions import ask

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
Serving = TypeVar("Serving", ServicePublished, ServiceRetired)
Agreeing = TypeVar("Agreeing", AgreementSigned, AgreementEnded)


@pytest.fixture
async def session(system: System) -> AsyncIterator[AsyncSession]:
    """A session of which nothing stays."""
    async with system.runtimes["referral"].sessions() as opened:
        yield opened


async def hear(session: AsyncSession, *events: Event) -> None:
    """The projections apply these as one batch."""
    await projections.apply(session, events)


def a_service(kind: type[Serving], service_id: UUID, number: int, **changes: Any) -> Serving:
    return kind.model_validate(
        {
            "version": number,
            "service_id": service_id,
            "organization_id": new_id(),
            "name": "Tailoring",
            "type": "vocational_training",
            "dimension": "economic",
            "level": "individual",
            "country": "NG",
            "areas": ["NG012"],
            "covered_areas": ["NG012"],
            "set_aside": 4,
        }
        | changes
    )


def an_agreement(kind: type[Agreeing], parties: list[UUID], number: int = 1, **changes: Any) -> Agreeing:
    return kind.model_validate(
        {
            "version": number,
            "agreement_id": new_id(),
            "kind": "mou",
            "parties": [Party(organization_id=each, signed_on=FIRST) for each in parties],
            "covers": Covers(mechanism_ids=[new_id()]),
            "countries": ["BE", "NG"],
            "valid_from": FIRST,
            "valid_until": LAST,
            "deadlines": Deadlines(decision=5),
            "disclosure": Disclosure(fields=["name"], hub_sees_identity=True),
            "transfer_instrument": TransferInstrument(article="46(2)(a)", onward_kinds=["ngo"]),
        }
        | changes
    )


async def test_an_organisation_is_known_as_it_last_was(session: AsyncSession) -> None:
    organization_id = new_id()

    def named(name: str, number: int) -> OrganizationChanged:
        return OrganizationChanged(version=number, organization_id=organization_id, name=name, kind="ngo", country="NG")

    for event in (named("Second", 2), named("First", 1), named("Second again", 2)):
        await hear(session, event)
    known = await queries.get_organization(session, organization_id)
    assert known == queries.KnownOrganization(organization_id, "Second", "ngo", "NG")
    assert await queries.find_organizations(session, {organization_id, new_id()}) == {organization_id: known}
    assert await queries.get_organization(session, new_id()) is None


async def test_of_one_batch_the_newest_version_stays(session: AsyncSession) -> None:
    service_id = new_id()
    old, new = (a_service(ServicePublished, service_id, number, set_aside=number) for number in (1, 2))
    await hear(session, new, a_service(ServiceRetired, service_id, 3, set_aside=3), old)
    known = await queries.get_service(session, service_id)
    assert known is not None
    assert (known.set_aside, known.retired) == (3, True)


async def test_a_service_is_of_development_only_through_a_programme_that_is(session: AsyncSession) -> None:
    programme_id, service_id = new_id(), new_id()
    await hear(session, a_service(ServicePublished, service_id, 1, programme_id=programme_id))
    known = await queries.get_service(session, service_id)
    assert known is not None
    assert (known.set_aside, known.retired, known.programme_is_development) == (4, False, False)
    programme = ProgrammePublished(
        version=1, programme_id=programme_id, organization_id=new_id(), name="Skills", countries=["NG"]
    )
    await hear(session, programme)
    known = await queries.get_service(session, service_id)
    assert known is not None
    assert known.programme_is_development


async def test_a_retired_service_stays_retired_when_older_news_come_late(session: AsyncSession) -> None:
    service_id = new_id()
    await hear(session, a_service(ServiceRetired, service_id, 3))
    await hear(session, a_service(ServicePublished, service_id, 2))
    known = await queries.get_service(session, service_id)
    assert known is not None
    assert known.retired


async def in_force(session: AsyncSession, on: date, *organization_ids: UUID) -> list[queries.KnownAgreement]:
    told = {"on": on, "organization_ids": list(organization_ids), "service_id": None}
    return (await ask(session, queries.AGREEMENTS, **told)).to(queries.AGREEMENTS)


async def test_an_agreement_of_the_services_provider_is_found_with_those_of_the_others(session: AsyncSession) -> None:
    service = a_service(ServicePublished, new_id(), 1)
    await hear(session, service)
    event = an_agreement(AgreementSigned, [new_id(), service.organization_id])
    await hear(session, event)
    told = {"on": FIRST, "organization_ids": [new_id()], "service_id": service.service_id}
    (known,) = (await ask(session, queries.AGREEMENTS, **told)).to(queries.AGREEMENTS)
    assert known.agreement_id == event.agreement_id


async def test_an_agreement_is_in_force_on_its_first_and_last_day(session: AsyncSession) -> None:
    sender, hub, stranger = new_id(), new_id(), new_id()
    event = an_agreement(AgreementSigned, [sender, hub])
    await hear(session, event)
    for day in (FIRST, LAST):
        (known,) = await in_force(session, day, sender, stranger)
        assert (known.agreement_id, known.party_ids) == (event.agreement_id, frozenset({sender, hub}))
        assert (known.covers, known.deadlines, known.disclosure) == (event.covers, event.deadlines, event.disclosure)
        assert known.transfer_instrument == event.transfer_instrument
    for day in (FIRST - timedelta(days=1), LAST + timedelta(days=1)):
        assert await in_force(session, day, sender) == []
    assert await in_force(session, FIRST, stranger) == []


async def test_an_ended_agreement_is_in_force_until_the_day_before(session: AsyncSession) -> None:
    sender = new_id()
    signed = an_agreement(AgreementSigned, [sender])
    ended_on = date(2026, 5, 4)
    ended = an_agreement(AgreementEnded, [sender], 2, agreement_id=signed.agreement_id, ended_on=ended_on)
    await hear(session, signed)
    await hear(session, ended)
    assert len(await in_force(session, ended_on - timedelta(days=1), sender)) == 1
    assert await in_force(session, ended_on, sender) == []


async def test_the_mechanism_of_the_smallest_area_comes_first(session: AsyncSession) -> None:
    country = "XK"  # no other test speaks of it

    async def heard(kind: str, *areas: str, active: bool = True, country: str = country) -> UUID:
        mechanism_id = new_id()
        await hear(
            session,
            MechanismChanged.model_validate(
                {
                    "version": 1,
                    "mechanism_id": mechanism_id,
                    "kind": kind,
                    "organization_id": new_id(),
                    "countries": [country],
                    "areas": list(areas),
                    "covered_areas": list(areas),
                    "active": active,
                }
            ),
        )
        return mechanism_id

    national = await heard("national")
    hub = await heard("hub", "XK01")
    desk = await heard("local_desk", "XK0102")
    beside = await heard("sub", "XK0102")
    await heard("hub", "XK02")
    closed = await heard("hub", "XK01", active=False)
    await heard("hub", "XK01", active=False)
    await heard("national", country="RS")
    found = (await ask(session, queries.MECHANISMS, countries=[country], mechanism_ids=[closed])).to(queries.MECHANISMS)
    nearest = queries.nearest_first(found, country, "XK010203")
    assert [each.mechanism_id for each in nearest] == [beside, desk, hub, national]
    assert nearest[2].covered_areas == ["XK01"]
    assert [each.mechanism_id for each in queries.nearest_first(found, country, None)] == [national]
    assert {each.mechanism_id for each in found if not each.active} == {closed}


def a_decision(case_id: UUID, service_id: UUID, at: datetime, outcome: str = "eligible") -> EligibilityDecided:
    return EligibilityDecided.model_validate(
        {
            "version": 1,
            "decision_id": new_id(),
            "match_id": new_id(),
            "case_id": case_id,
            "service_id": service_id,
            "outcome": outcome,
            "organization_id": new_id(),
            "as_of": date(2026, 6, 2),
            "decided_at": at,
        }
    )


async def test_the_latest_decision_counts_and_an_appeal_is_one(session: AsyncSession) -> None:
    case_id, service_id = new_id(), new_id()

    async def present(named: UUID) -> list[tuple[str, bool]]:
        told = {"case_id": case_id, "service_id": service_id, "decision_id": named}
        return [
            (each.outcome, each.named) for each in (await ask(session, queries.DECISION, **told)).to(queries.DECISION)
        ]

    first = a_decision(case_id, service_id, NOW, "not_eligible")
    second = a_decision(case_id, service_id, NOW + timedelta(hours=1))
    elsewhere = a_decision(case_id, new_id(), NOW + timedelta(days=9))
    assert await present(first.decision_id) == []
    await hear(session, first)
    await hear(session, elsewhere)
    assert await present(first.decision_id) == [("not_eligible", True)]
    assert await present(elsewhere.decision_id) == [("not_eligible", False)]
    await hear(session, second)
    assert await present(first.decision_id) == [("eligible", True)]
    appeal = AppealDecided.model_validate(
        first.model_dump()
        | {"version": 3, "appeal_id": new_id(), "outcome": "not_eligible", "decided_at": NOW + timedelta(hours=2)}
    )
    await hear(session, appeal)
    assert await present(second.decision_id) == [("not_eligible", True)]
