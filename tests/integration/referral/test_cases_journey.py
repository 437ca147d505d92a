"""A case from its registration to its erasure, over HTTP."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from relink.system import System
from services.referral.cases import actions, queries
from services.referral.cases.models import Case
from shared import clock
from shared.db import outbox
from shared.ids import new_id
from tests.integration.referral.invented import (
    HUB,
    SECRETS,
    Clients,
    a_case,
    admitted,
    an_assessment,
    identity,
    key,
    registered,
    version,
)
from tests.support.system import at, problem

CASES = "/referral/v1/cases"
ARRIVAL = datetime(2026, 6, 2, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _before_the_journey() -> None:
    clock.move_to(datetime(2026, 5, 4, 9, tzinfo=UTC))


async def events_of(system: System, case_id: str) -> list[tuple[str, int]]:
    """What was said about the case, with its versions, in order."""
    query = select(outbox.c.type, outbox.c.version).where(outbox.c.subject == UUID(case_id)).order_by(outbox.c.seq)
    async with system.runtimes["referral"].sessions() as session:
        return [(name.rpartition(".")[2], number) for name, number in await session.execute(query)]


async def test_a_registered_case_is_owned_by_the_sender_and_waits_for_departure(client: Clients) -> None:
    response = await registered(client("be-return"))
    case = response.json()
    assert (case["phase"], case["member_state"], case["version"]) == ("pre_departure", "BE", 1)
    assert case["owner_id"].endswith("003")
    assert [member["age_band"] for member in case["members"]] == ["25-34", "6-11"]
    assert response.headers["ETag"] == '"1"'
    assert response.headers["Relink-Event"].startswith("referral:")
    assert not {"identity", "reference", "external_refs"} & case.keys()


async def test_only_the_owner_who_reads_one_case_sees_identity(system: System, client: Clients) -> None:
    case_id = (await registered(client("be-return"))).json()["case_id"]
    await admitted(system, case_id, HUB)
    owned = (await client("be-return").get(f"{CASES}/{case_id}")).json()
    assert owned["reference"] == SECRETS["reference"]
    assert owned["identity"] == identity()
    assert owned["members"][1]["identity"]["name"] == SECRETS["child"]
    received = (await client("ng-hub").get(f"{CASES}/{case_id}")).json()
    assert not {"identity", "reference", "external_refs", "return_type", "open_referrals"} & received.keys()
    assert received["members"][0].keys() == {"member_id", "sex", "age_band"}


async def test_the_owner_finds_its_case_by_its_reference_and_others_do_not(client: Clients) -> None:
    reference = f"BE {new_id()}"
    case_id = (await registered(client("be-return"), reference=reference)).json()["case_id"]
    found = await client("be-return").post(f"{CASES}/find", json={"reference": f"  {reference.lower()} "})
    assert [each["case_id"] for each in found.json()["items"]] == [case_id]
    others = await client("de-return").post(f"{CASES}/find", json={"reference": reference})
    assert others.json()["items"] == []


async def test_the_owners_cases_come_in_pages_without_identity(client: Clients) -> None:
    ids = [(await registered(client("de-return"))).json()["case_id"] for _ in range(3)]
    seen: list[str] = []
    after = None
    while True:
        query = {"limit": "2", "phase": "pre_departure"} | ({"after": after} if after else {})
        page = (await client("de-return").get(CASES, params=query)).json()
        assert all("identity" not in each for each in page["items"])
        seen += [each["case_id"] for each in page["items"]]
        if (after := page["next"]) is None:
            break
    assert [each for each in seen if each in ids] == ids
    assert len(seen) == len(set(seen))


async def test_travel_dates_that_cannot_be_are_refused(client: Clients) -> None:
    refusals: list[tuple[dict[str, Any], str]] = [
        ({"planned_arrival_on": "2026-05-31"}, "before_departure"),
        ({"planned_arrival_on": None}, "date_missing"),
        ({"arrived_on": "2026-05-01"}, "not_arrived"),
        ({"member_state": "DE"}, "not_yours"),
        ({"identity": {"birth_date": "2031-01-01"}}, "in_future"),
        ({"members": [{"sex": "female", "identity": {"name": "Somebody Else"}}]}, "given_twice"),
    ]
    for changes, code in refusals:
        response = await client("be-return").post(CASES, json=a_case(**changes), headers=key())
        assert [each["code"] for each in problem(response)["errors"]] == [code]
        assert "Somebody" not in response.text


async def test_an_unknown_field_is_refused_without_being_named(client: Clients) -> None:
    response = await client("be-return").post(CASES, json=a_case(nickname="Ada"), headers=key())
    assert problem(response)["errors"] == [
        {"pointer": "", "detail": "holds a field that is not known here", "code": "unknown_field"}
    ]


async def test_who_walked_in_has_arrived(client: Clients) -> None:
    case = (await registered(client("ng-hub"), origin="hub", planned_departure_on=None, planned_arrival_on=None)).json()
    assert (case["phase"], case["member_state"], case["arrived_on"]) == ("arrived", "unknown", None)


async def test_a_change_keeps_what_it_does_not_name(system: System, client: Clients) -> None:
    case = (await registered(client("be-return"))).json()
    address = f"{CASES}/{case['case_id']}"
    patch = {"planned_arrival_on": "2026-06-09", "identity": {"notes": None}}
    changed = await client("be-return").patch(address, json=patch, headers=version(1))
    assert changed.status_code == 200, changed.text
    assert changed.json()["version"] == 2
    assert "identity" not in changed.json()
    owned = (await client("be-return").get(address)).json()
    assert owned["planned_arrival_on"] == "2026-06-09"
    assert "notes" not in owned["identity"]
    assert owned["identity"]["name"] == SECRETS["name"]
    assert owned["reference"] == SECRETS["reference"]
    assert owned["members"][1]["identity"]["name"] == SECRETS["child"]
    assert await events_of(system, case["case_id"]) == [("CaseRegistered", 1), ("CaseChanged", 2)]


async def test_members_are_replaced_but_the_returnee_stays_the_returnee(client: Clients) -> None:
    case = (await registered(client("be-return"))).json()
    address, (returnee, child) = f"{CASES}/{case['case_id']}", case["members"]
    swapped = [{"member_id": child["member_id"]}, {"member_id": returnee["member_id"]}]
    refused = await client("be-return").patch(address, json={"members": swapped}, headers=version(1))
    assert problem(refused)["errors"][0]["code"] == "returnee"
    unknown = [{"member_id": returnee["member_id"]}, {"member_id": str(new_id())}]
    refused = await client("be-return").patch(address, json={"members": unknown}, headers=version(1))
    assert problem(refused)["errors"][0]["code"] == "unknown_member"
    wanted = [
        {"member_id": returnee["member_id"], "sex": "female"},
        {"sex": "male", "identity": {"birth_date": "2024-05-04"}},
        {"member_id": child["member_id"], "sex": "male"},
    ]
    changed = (await client("be-return").patch(address, json={"members": wanted}, headers=version(1))).json()
    assert [each["age_band"] for each in changed["members"]] == ["25-34", "0-5", "6-11"]
    owned = (await client("be-return").get(address)).json()
    assert owned["members"][2]["identity"]["name"] == SECRETS["child"]
    assert owned["members"][2]["member_id"] == child["member_id"]


async def test_a_corrected_birth_date_corrects_the_age_band(client: Clients) -> None:
    case = (await registered(client("be-return"))).json()
    patch = {"identity": {"birth_date": "1970-01-01"}}
    address = f"{CASES}/{case['case_id']}"
    changed = (await client("be-return").patch(address, json=patch, headers=version(1))).json()
    assert changed["members"][0]["age_band"] == "50-64"


async def test_a_case_departs_arrives_and_is_closed(system: System, client: Clients) -> None:
    case = await registered(client("be-return"))
    address = f"{CASES}/{case.json()['case_id']}"
    clock.move_to(ARRIVAL)
    departed = await client("be-return").post(f"{address}/depart", json={"departed_on": "2026-06-01"}, headers=at(case))
    assert (departed.json()["phase"], departed.json()["departed_on"]) == ("in_transit", "2026-06-01")
    again = await client("be-return").post(f"{address}/depart", headers=at(departed))
    refused = problem(again)
    assert refused["type"] == "urn:relink:problem:transition-not-allowed"
    assert (refused["current"], refused["allowed"]) == ("in_transit", ["arrive", "cancel_return", "close", "erase"])
    for day, code in [("2026-05-31", "before_departure"), ("2026-06-03", "in_future")]:
        early = await client("be-return").post(f"{address}/arrive", json={"arrived_on": day}, headers=at(departed))
        assert problem(early)["errors"][0]["code"] == code
    arrived = await client("be-return").post(
        f"{address}/arrive", json={"arrived_on": "2026-06-02"}, headers=at(departed)
    )
    assert (arrived.json()["phase"], arrived.json()["arrived_on"]) == ("arrived", "2026-06-02")
    closed = await client("be-return").post(f"{address}/close", headers=at(arrived))
    assert (closed.json()["phase"], closed.json()["version"]) == ("closed", 4)
    edited = await client("be-return").patch(address, json={"area": "NG013"}, headers=at(closed))
    assert problem(edited)["type"] == "urn:relink:problem:case-is-closed"
    said = ["CaseRegistered", "CaseDeparted", "CaseArrived", "CaseClosed"]
    assert await events_of(system, case.json()["case_id"]) == list(zip(said, range(1, 5), strict=True))


async def test_whoever_received_a_referral_confirms_the_arrival(system: System, client: Clients) -> None:
    case = await registered(client("be-return"))
    await admitted(system, case.json()["case_id"], HUB)
    clock.move_to(ARRIVAL)
    address = f"{CASES}/{case.json()['case_id']}/arrive"
    arrived = await client("ng-hub").post(address, json={"arrived_on": "2026-06-02"}, headers=at(case))
    assert arrived.status_code == 200
    assert arrived.json()["phase"] == "arrived"


async def test_of_two_at_once_one_is_told_that_the_case_has_changed(client: Clients) -> None:
    case = await registered(client("be-return"))
    address = f"{CASES}/{case.json()['case_id']}/cancel_return"
    both = await asyncio.gather(*(client("be-return").post(address, headers=at(case)) for _ in range(2)))
    assert sorted(each.status_code for each in both) == [200, 412]


async def test_a_case_with_open_referrals_is_neither_closed_nor_erased(system: System, client: Clients) -> None:
    case = await registered(client("be-return"))
    case_id = case.json()["case_id"]
    async with system.runtimes["referral"].sessions() as session:
        (await queries.get_for_update(session, UUID(case_id))).open_referrals += 1
        await session.commit()
    for action in ("close", "erase"):
        response = await client("be-return").post(f"{CASES}/{case_id}/{action}", headers=at(case))
        assert problem(response)["type"] == "urn:relink:problem:referrals-open"
        assert problem(response)["open_referrals"] == 1
    cancelled = await client("be-return").post(f"{CASES}/{case_id}/cancel_return", headers=at(case))
    assert (cancelled.status_code, cancelled.json()["phase"]) == (200, "closed")


async def test_a_first_contact_leads_to_post_arrival_once(system: System, client: Clients) -> None:
    case = await registered(client("ng-hub"), origin="hub")
    case_id = UUID(case.json()["case_id"])
    for _ in range(2):
        async with system.runtimes["referral"].sessions() as session:
            await actions.first_contact(session, await queries.get_for_update(session, case_id))
            await session.commit()
    assert await events_of(system, str(case_id)) == [("CaseRegistered", 1), ("CaseChanged", 2)]
    assert (await client("ng-hub").get(f"{CASES}/{case_id}")).json()["phase"] == "post_arrival"


async def test_the_latest_screening_says_whether_she_is_vulnerable(system: System, client: Clients) -> None:
    case_id = (await registered(client("be-return"))).json()["case_id"]

    async def vulnerable() -> bool:
        async with system.runtimes["referral"].sessions() as session:
            return await queries.is_vulnerable(session, UUID(case_id))

    async def screened(result: str, day: str) -> None:
        body = an_assessment(result=result, assessed_on=day)
        response = await client("be-return").post(f"{CASES}/{case_id}/assessments", json=body)
        assert response.status_code == 201, response.text
        assert "answers" not in response.json()

    assert not await vulnerable()
    await screened("vulnerable", "2026-05-03")
    assert await vulnerable()
    await screened("not_vulnerable", "2026-05-04")
    assert not await vulnerable()
    await screened("vulnerable", "2026-05-01")
    assert not await vulnerable()


async def test_what_an_assessment_found_is_a_code_of_its_kind_and_no_event_tells_it(
    system: System, client: Clients
) -> None:
    case_id = (await registered(client("be-return"))).json()["case_id"]
    address = f"{CASES}/{case_id}/assessments"
    for kind, result in (("skills", "asylum_refused"), ("skills", "vulnerable"), ("risk", "completed")):
        refused = await client("be-return").post(address, json=an_assessment(kind=kind, result=result))
        assert [error["pointer"] for error in problem(refused)["errors"]] == ["/result"]
    for kind, result in (("risk", "no_risk_found"), ("vulnerability", "vulnerable"), ("needs", "completed")):
        recorded = await client("be-return").post(address, json=an_assessment(kind=kind, result=result))
        assert recorded.status_code == 201, recorded.text
    query = select(outbox.c.data).where(outbox.c.subject == UUID(case_id), outbox.c.type.endswith("AssessmentRecorded"))
    async with system.runtimes["referral"].sessions() as session:
        said = list(await session.scalars(query))
    assert len(said) == 3
    assert not [data for data in said if "result" in data or "vulnerable" in data]


async def test_an_assessment_is_read_by_the_owner_and_by_whoever_made_it(system: System, client: Clients) -> None:
    case_id = (await registered(client("be-return"))).json()["case_id"]
    await admitted(system, case_id, HUB)
    address = f"{CASES}/{case_id}/assessments"
    owners = (await client("be-return").post(address, json=an_assessment())).json()
    clock.move_to(ARRIVAL)
    case = await client("be-return").get(f"{CASES}/{case_id}")
    await client("be-return").post(f"{CASES}/{case_id}/arrive", json={"arrived_on": "2026-06-02"}, headers=at(case))
    hubs = (
        await client("ng-hub").post(address, json=an_assessment(kind="skills", result="completed", phase=None))
    ).json()
    assert (hubs["phase"], hubs["assessed_on"]) == ("arrived", "2026-06-02")
    of_owner = (await client("be-return").get(address)).json()["items"]
    assert [each["assessment_id"] for each in of_owner] == [owners["assessment_id"], hubs["assessment_id"]]
    assert [each["assessment_id"] for each in (await client("ng-hub").get(address)).json()["items"]] == [
        hubs["assessment_id"]
    ]
    read = (await client("be-return").get(f"{address}/{hubs['assessment_id']}")).json()
    assert read["answers"] == {"health": SECRETS["answer"]}
    assert (await client("ng-hub").get(f"{address}/{owners['assessment_id']}")).status_code == 404


async def test_many_planned_dates_come_and_go(client: Clients) -> None:
    response = await registered(
        client("be-return"), planned_departure_on=None, planned_arrival_on=None, arrival_certainty="unknown"
    )
    for weeks in (1, 2):
        day = (clock.today() + timedelta(weeks=weeks)).isoformat()
        patch = {"planned_arrival_on": day, "arrival_certainty": "fixed"}
        response = await client("be-return").patch(
            f"{CASES}/{response.json()['case_id']}", json=patch, headers=at(response)
        )
        assert response.json()["planned_arrival_on"] == day


def test_the_phase_of_a_case_says_whether_she_has_arrived() -> None:
    assert Case(phase="arrived").has_arrived
    assert Case(phase="post_arrival").has_arrived
    assert not Case(phase="in_transit").has_arrived
