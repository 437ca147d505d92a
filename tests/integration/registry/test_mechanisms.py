from typing import Any

from tests.integration.registry.conftest import ORGANIZATIONS, Registry
from tests.support.system import problem

BODY: dict[str, Any] = {
    "name": "Hub Benin City",
    "kind": "hub",
    "organization_id": ORGANIZATIONS["ng-hub"],
    "countries": ["NG"],
    "areas": ["NG012"],
    "needs": ["economic", "housing"],
}


async def test_every_change_is_said(registry: Registry) -> None:
    made = await registry.make("ng-hub", "/mechanisms", BODY)
    path = f"/mechanisms/{made.json()['mechanism_id']}"
    edited = await registry.patch("ng-hub", made, path, {"active": False, "areas": []})
    assert edited.status_code == 200
    said = await registry.said()
    assert [name for name, _ in said] == ["MechanismChanged", "MechanismChanged"]
    assert (said[0][1]["needs"], said[0][1]["covered_areas"]) == (["economic", "housing"], ["NG012"])
    assert (said[1][1]["active"], said[1][1]["covered_areas"], said[1][1]["version"]) == (False, ["NG"], 2)
    assert (await registry.get("be-return", path)).json()["active"] is False
    assert (await registry.patch("ng-provider", edited, path, {"active": True})).status_code == 403


async def test_no_mechanism_hangs_below_itself(registry: Registry) -> None:
    top = await registry.make("ng-hub", "/mechanisms", BODY | {"kind": "national", "areas": []})
    below = await registry.make("ng-hub", "/mechanisms", BODY | {"parent_id": top.json()["mechanism_id"]})
    circle = {"parent_id": below.json()["mechanism_id"]}
    refused = await registry.patch("ng-hub", top, f"/mechanisms/{top.json()['mechanism_id']}", circle)
    assert problem(refused)["type"] == "urn:relink:problem:mechanism-cycle"


async def test_what_a_mechanism_names_must_exist(registry: Registry) -> None:
    for changed, pointer, code in (
        ({"parent_id": ORGANIZATIONS["ng-hub"]}, "/parent_id", "unknown_mechanism"),
        ({"areas": ["GE"]}, "/areas", "other_country"),
        ({"areas": ["NG777"]}, "/areas/0", "unknown_area"),
    ):
        answer = await registry.post("ng-hub", "/mechanisms", BODY | changed)
        assert [(each["pointer"], each["code"]) for each in problem(answer)["errors"]] == [(pointer, code)]
    assert (await registry.post("ng-hub", "/mechanisms", BODY | {"needs": ["magic"]})).status_code == 422


async def test_mechanisms_are_filtered(registry: Registry) -> None:
    made = await registry.make("ng-hub", "/mechanisms", BODY)
    query = {"country": "NG", "organization_id": ORGANIZATIONS["ng-hub"], "active": "true", "limit": 200}
    found = (await registry.get("be-return", "/mechanisms", **query)).json()["items"]
    assert made.json()["mechanism_id"] in {each["mechanism_id"] for each in found}
    assert (await registry.get("be-return", "/mechanisms", country="GE")).json()["items"] == []


async def test_it_says_when_it_is_open_and_whom_to_ask_and_contacts_are_in_no_event(registry: Registry) -> None:
    hours = {"weekdays": ["MO", "TH"], "opens_at": "08:30", "closes_at": "16:00"}
    desk = {"role": "Referral desk", "phone": "+234 1 000"}
    made = await registry.make("ng-hub", "/mechanisms", BODY | {"opening_hours": [hours], "contacts": [desk]})
    path = f"/mechanisms/{made.json()['mechanism_id']}"
    shown = (await registry.get("be-return", path)).json()
    assert hours.items() <= shown["opening_hours"][0].items()
    assert desk.items() <= shown["contacts"][0].items()
    edited = await registry.patch("ng-hub", made, path, {"name": "Other"})
    assert (edited.json()["opening_hours"], edited.json()["contacts"]) == (shown["opening_hours"], shown["contacts"])
    said = [data for _, data in await registry.said()]
    assert [each["opening_hours"][0]["weekdays"] for each in said] == [["MO", "TH"]] * 2
    assert all("contacts" not in each and "+234" not in str(each) for each in said)
    for changed, pointer in (
        ({"opening_hours": [{"opens_at": "08:30"}]}, "/opening_hours/0"),
        ({"contacts": [{"name": "x"}]}, "/contacts/0"),
    ):
        answer = await registry.patch("ng-hub", edited, path, changed)
        assert [each["pointer"] for each in problem(answer)["errors"]] == [pointer]
