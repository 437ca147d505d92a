"""Who may reach a case: every endpoint asked by nobody, by the wrong part, by others, and for what is not there."""

from typing import Any

import pytest

from relink.system import System
from shared.ids import new_id
from tests.integration.referral.invented import (
    HUB,
    Clients,
    a_case,
    a_consent,
    a_derogation,
    admitted,
    an_assessment,
    key,
    registered,
    version,
)
from tests.support.system import problem

CASE = "/referral/v1/cases/{case_id}"
ROUTES: list[tuple[str, str, Any]] = [
    ("GET", CASE, None),
    ("PATCH", CASE, {"area": "NG013"}),
    ("POST", f"{CASE}/depart", {}),
    ("POST", f"{CASE}/arrive", {"arrived_on": "2026-06-02"}),
    ("POST", f"{CASE}/cancel_return", None),
    ("POST", f"{CASE}/close", None),
    ("POST", f"{CASE}/erase", None),
    ("POST", f"{CASE}/assessments", an_assessment()),
    ("GET", f"{CASE}/assessments", None),
    ("GET", f"{CASE}/assessments/{new_id()}", None),
    ("POST", f"{CASE}/consents", a_consent()),
    ("GET", f"{CASE}/consents", None),
    ("GET", f"{CASE}/consents/{new_id()}", None),
    ("POST", f"{CASE}/consents/{new_id()}/withdraw", None),
    ("POST", f"{CASE}/derogations", a_derogation()),
    ("GET", f"{CASE}/derogations", None),
    ("GET", f"{CASE}/derogations/{new_id()}", None),
]
COLLECTION: list[tuple[str, str, Any]] = [
    ("POST", "/referral/v1/cases", a_case()),
    ("GET", "/referral/v1/cases", None),
    ("POST", "/referral/v1/cases/find", {"reference": "anything"}),
]
EDITED = [route for route in ROUTES if route[1].endswith(("}", "arrive", "depart", "cancel_return", "close", "erase"))]
OWNER_ONLY = [route for route in ROUTES if not route[1].endswith(("arrive", "assessments"))][1:]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES + COLLECTION)
async def test_nobody_gets_in_without_a_token(client: Clients, method: str, path: str, body: Any) -> None:
    response = await client("").request(method, path.format(case_id=new_id()), json=body)
    assert problem(response)["type"] == "urn:relink:problem:unauthenticated"
    assert response.status_code == 401


@pytest.mark.parametrize(("method", "path", "body"), ROUTES + COLLECTION)
async def test_the_wrong_part_is_refused(client: Clients, method: str, path: str, body: Any) -> None:
    response = await client("evaluator").request(method, path.format(case_id=new_id()), json=body)
    assert response.status_code == 403


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_a_case_of_another_organisation_does_not_exist(
    client: Clients, method: str, path: str, body: Any
) -> None:
    case = (await registered(client("be-return"))).json()
    address = path.format(case_id=case["case_id"])
    response = await client("de-return").request(method, address, json=body, headers=version(1))
    assert response.status_code == 404
    assert problem(response)["type"] == "urn:relink:problem:not-found"


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_an_unknown_case_does_not_exist(client: Clients, method: str, path: str, body: Any) -> None:
    address = path.format(case_id=new_id())
    response = await client("be-return").request(method, address, json=body, headers=version(1))
    assert response.status_code == 404


@pytest.mark.parametrize(("method", "path", "body"), EDITED[1:])
async def test_a_case_is_changed_only_by_who_has_seen_its_present_version(
    client: Clients, method: str, path: str, body: Any
) -> None:
    case = (await registered(client("be-return"))).json()
    address = path.format(case_id=case["case_id"])
    blind = await client("be-return").request(method, address, json=body)
    assert problem(blind)["type"] == "urn:relink:problem:precondition-required"
    stale = await client("be-return").request(method, address, json=body, headers=version(7))
    assert problem(stale)["type"] == "urn:relink:problem:precondition-failed"


@pytest.mark.parametrize(("method", "path", "body"), [each for each in OWNER_ONLY if "/assessments/" not in each[1]])
async def test_who_received_a_referral_may_not_act_for_the_owner(
    system: System, client: Clients, method: str, path: str, body: Any
) -> None:
    case = (await registered(client("be-return"))).json()
    await admitted(system, case["case_id"], HUB)
    address = path.format(case_id=case["case_id"])
    response = await client("ng-hub").request(method, address, json=body, headers=version(1))
    assert problem(response)["type"] == "urn:relink:problem:not-case-owner"
    assert response.status_code == 403


async def test_a_case_is_not_registered_without_an_idempotency_key(client: Clients) -> None:
    response = await client("be-return").post("/referral/v1/cases", json=a_case())
    assert problem(response)["type"] == "urn:relink:problem:idempotency-key-missing"


async def test_the_same_key_registers_one_case(client: Clients) -> None:
    once = key()
    first = await client("be-return").post("/referral/v1/cases", json=a_case(), headers=once)
    again = await client("be-return").post("/referral/v1/cases", json=a_case(), headers=once)
    other = await client("be-return").post("/referral/v1/cases", json=a_case(area="NG013"), headers=once)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert again.json() == first.json()
    assert other.status_code == 422
