"""Consents and derogations over HTTP, and what the referrals are judged by."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from relink.system import System
from services.referral.consents import queries
from shared import clock
from shared.db import outbox
from shared.ids import new_id
from shared.questions import ask
from tests.integration.referral.invented import (
    SECRETS,
    Clients,
    a_consent,
    a_derogation,
    registered,
    version,
)
from tests.support.system import at, problem

CASES = "/referral/v1/cases"
TODAY = date(2026, 5, 4)


@pytest.fixture(autouse=True)
def _on_a_day_in_may() -> None:
    clock.move_to(datetime(2026, 5, 4, 9, tzinfo=UTC))


async def a_case_of(client: Clients) -> str:
    case_id: str = (await registered(client("be-return"))).json()["case_id"]
    return case_id


async def in_force(system: System, case_id: str, on: date) -> list[queries.ConsentInForce]:
    async with system.runtimes["referral"].sessions() as session:
        answers = await ask(session, queries.CONSENTS, case_id=UUID(case_id), on=on, purpose="assistance")
        return answers.to(queries.CONSENTS)


async def test_a_consent_holds_from_the_day_it_was_given_to_its_last(system: System, client: Clients) -> None:
    case_id = await a_case_of(client)
    body = a_consent(given_on="2026-05-02", valid_until="2026-05-20")
    response = await client("be-return").post(f"{CASES}/{case_id}/consents", json=body)
    assert response.status_code == 201, response.text
    consent = response.json()
    assert consent["recipients"][1] == {"kind": "ngo"}
    assert "evidence" not in consent
    assert await in_force(system, case_id, date(2026, 5, 1)) == []
    assert await in_force(system, case_id, date(2026, 5, 21)) == []
    for day in (2, 20):
        (held,) = await in_force(system, case_id, date(2026, 5, day))
        assert held.consent_id == UUID(consent["consent_id"])
        assert held.recipient_organization_ids == {UUID(body["recipients"][0]["organization_id"])}
        assert held.recipient_kinds == {"ngo"}
        assert held.fields == {"name", "contacts"}
    read = await client("be-return").get(f"{CASES}/{case_id}/consents/{consent['consent_id']}")
    assert read.json()["evidence"] == SECRETS["evidence"]


async def test_consent_to_be_asked_later_is_no_consent_to_be_assisted(system: System, client: Clients) -> None:
    case_id = await a_case_of(client)
    await client("be-return").post(f"{CASES}/{case_id}/consents", json=a_consent(purpose="follow_up"))
    assert await in_force(system, case_id, TODAY) == []


async def test_a_withdrawn_consent_holds_no_more_and_is_withdrawn_once(system: System, client: Clients) -> None:
    case_id = await a_case_of(client)
    owner = client("be-return")
    given = await owner.post(f"{CASES}/{case_id}/consents", json=a_consent())
    address = f"{CASES}/{case_id}/consents/{given.json()['consent_id']}/withdraw"
    assert problem(await owner.post(address))["status"] == 428
    assert problem(await owner.post(address, headers=version(3)))["status"] == 412
    withdrawn = await owner.post(address, headers=at(given))
    assert withdrawn.json()["withdrawn_on"] == "2026-05-04"
    assert await in_force(system, case_id, TODAY) == []
    assert len(await in_force(system, case_id, TODAY - timedelta(days=1))) == 1
    again = problem(await owner.post(address, headers=at(withdrawn)))
    assert (again["current"], again["allowed"]) == ("withdrawn", [])
    query = select(outbox.c.type, outbox.c.version).where(outbox.c.subject == UUID(case_id)).order_by(outbox.c.seq)
    async with system.runtimes["referral"].sessions() as session:
        said = [(kind.rpartition(".")[2], number) for kind, number in await session.execute(query)]
    assert said == [("CaseRegistered", 1), ("ConsentGiven", 2), ("ConsentWithdrawn", 3)]
    page = (await owner.get(f"{CASES}/{case_id}/consents")).json()
    assert [each["consent_id"] for each in page["items"]] == [given.json()["consent_id"]]


async def test_consent_is_withdrawn_in_a_closed_case_but_not_given_in_it(client: Clients) -> None:
    case_id = await a_case_of(client)
    owner = client("be-return")
    given = await owner.post(f"{CASES}/{case_id}/consents", json=a_consent())
    case = await owner.get(f"{CASES}/{case_id}")
    await owner.post(f"{CASES}/{case_id}/close", headers=at(case))
    for kind, body in (("consents", a_consent()), ("derogations", a_derogation())):
        refused = await owner.post(f"{CASES}/{case_id}/{kind}", json=body)
        assert problem(refused)["type"] == "urn:relink:problem:case-is-closed"
    address = f"{CASES}/{case_id}/consents/{given.json()['consent_id']}/withdraw"
    assert (await owner.post(address, headers=at(given))).status_code == 200


async def test_a_consent_of_another_case_does_not_exist(client: Clients) -> None:
    owner = client("be-return")
    one, other = await a_case_of(client), await a_case_of(client)
    given = (await owner.post(f"{CASES}/{one}/consents", json=a_consent())).json()
    assert (await owner.get(f"{CASES}/{other}/consents/{given['consent_id']}")).status_code == 404


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"recipients": []}, "/recipients"),
        ({"recipients": [{}]}, "/recipients/0"),
        ({"recipients": [{"kind": "ngo", "organization_id": str(new_id())}]}, "/recipients/0"),
        ({"fields": ["asylum"]}, "/fields/0"),
        ({"given_on": "2026-05-05"}, "/given_on"),
        ({"valid_until": "2026-01-14"}, "/valid_until"),
    ],
)
async def test_a_consent_that_says_too_little_or_too_much_is_refused(
    client: Clients, changes: dict[str, object], pointer: str
) -> None:
    case_id = await a_case_of(client)
    response = await client("be-return").post(f"{CASES}/{case_id}/consents", json=a_consent(**changes))
    assert [each["pointer"] for each in problem(response)["errors"]] == [pointer]


async def test_a_public_authority_may_not_rest_a_transfer_on_consent(client: Clients) -> None:
    case_id = await a_case_of(client)
    body = a_derogation(article="49(1)(a)")
    response = await client("be-return").post(f"{CASES}/{case_id}/derogations", json=body)
    assert response.status_code == 409
    assert problem(response)["type"] == "urn:relink:problem:derogation-not-for-public-authority"


async def test_a_derogation_holds_from_its_record_to_its_last_day(system: System, client: Clients) -> None:
    case_id = await a_case_of(client)
    owner = client("be-return")
    body = a_derogation(valid_until="2026-05-10")
    response = await owner.post(f"{CASES}/{case_id}/derogations", json=body)
    assert response.status_code == 201, response.text
    assert "justification" not in response.json()
    expected = queries.Derogation("49(1)(d)", UUID(body["recipient_id"]))
    async with system.runtimes["referral"].sessions() as session:
        for day, held in [(3, []), (4, [expected]), (10, [expected]), (11, [])]:
            told = {"case_id": UUID(case_id), "on": date(2026, 5, day)}
            assert (await ask(session, queries.DEROGATIONS, **told)).to(queries.DEROGATIONS) == held
    page = (await owner.get(f"{CASES}/{case_id}/derogations")).json()
    read = await owner.get(f"{CASES}/{case_id}/derogations/{page['items'][0]['derogation_id']}")
    assert read.json()["justification"] == SECRETS["justification"]
