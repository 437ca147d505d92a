from typing import Any

import httpx

from tests.integration.registry.conftest import ORGANIZATIONS, Registry
from tests.support.system import at, problem

PROVIDER = ORGANIZATIONS["ng-provider"]
BODY: dict[str, Any] = {
    "name": "Tailoring course",
    "organization_id": PROVIDER,
    "type": "vocational_training",
    "dimension": "economic",
    "level": "individual",
    "areas": ["NG012"],
    "locations": [{"name": "Workshop", "area": "NG012001", "latitude": 6.3, "longitude": 5.6}],
    "places": {"set_aside": 3},
    "languages": ["eng"],
    "contacts": [{"phone": "+234 1"}],
}


async def published(registry: Registry, **changed: Any) -> tuple[str, httpx.Response]:
    made = await registry.make("ng-provider", "/services", BODY | changed)
    path = f"/services/{made.json()['service_id']}"
    answer = await registry.act("registry-manager", made, f"{path}/publish")
    await registry.said()
    return path, answer


async def test_a_draft_is_seen_by_its_organisation_and_curators_and_says_nothing(registry: Registry) -> None:
    made = await registry.make("ng-provider", "/services", BODY)
    assert made.json()["state"] == "draft"
    assert made.json()["country"] == "NG"
    assert await registry.said() == []
    path = f"/services/{made.json()['service_id']}"
    assert (await registry.get("ng-provider", path)).status_code == 200
    assert (await registry.get("programme-manager", path)).status_code == 200
    assert (await registry.get("ng-hub", path)).status_code == 404
    listed = await registry.get("ng-hub", "/services", organization_id=PROVIDER, state="draft")
    assert listed.json()["items"] == []
    assert (await registry.patch("ng-hub", made, path, {"name": "x"})).status_code == 404


async def test_publishing_says_the_whole_state_without_contacts(registry: Registry) -> None:
    made = await registry.make("ng-provider", "/services", BODY)
    path = f"/services/{made.json()['service_id']}"
    answer = await registry.act("registry-manager", made, f"{path}/publish")
    [(name, data)] = await registry.said()
    assert name == "ServicePublished"
    assert data["organization_id"] == PROVIDER
    assert (data["set_aside"], data["areas"], data["covered_areas"], data["country"]) == (3, ["NG012"], ["NG012"], "NG")
    assert (data["version"], data["confirmed_on"]) == (2, answer.json()["confirmed_on"])
    assert "contacts" not in data
    assert (await registry.get("ng-hub", path)).json()["state"] == "published"


async def test_publishing_asks_for_areas_and_a_statement_about_places(registry: Registry) -> None:
    made = await registry.make("ng-provider", "/services", BODY | {"areas": [], "locations": [], "places": None})
    path = f"/services/{made.json()['service_id']}"
    refused = await registry.post("registry-manager", f"{path}/publish", headers=at(made))
    assert refused.status_code == 409
    assert problem(refused)["type"] == "urn:relink:problem:not-publishable"
    assert problem(refused)["missing"] == ["areas", "places"]
    edited = await registry.patch("ng-provider", made, path, {"areas": ["NG"], "places": {"set_aside": None}})
    assert edited.json()["places"] == {"set_aside": None}
    await registry.act("registry-manager", edited, f"{path}/publish")
    assert (await registry.said())[0][1]["set_aside"] is None


async def test_editing_what_is_published_is_said_and_may_not_unsay_what_publishing_asks_for(registry: Registry) -> None:
    path, answer = await published(registry)
    edited = await registry.patch(
        "ng-provider", answer, path, {"places": {"set_aside": 5}, "areas": ["NG012", "NG025"]}
    )
    [(name, data)] = await registry.said()
    assert (name, data["set_aside"], data["covered_areas"]) == ("ServiceChanged", 5, ["NG012", "NG025"])
    refused = await registry.patch("ng-provider", edited, path, {"places": None})
    assert problem(refused)["missing"] == ["places"]
    assert await registry.said() == []
    assert (await registry.get("ng-provider", path)).json()["places"] == {"set_aside": 5}


async def test_confirming_and_retiring(registry: Registry) -> None:
    path, answer = await published(registry)
    confirmed = await registry.act("registry-manager", answer, f"{path}/confirm")
    retired = await registry.act("registry-manager", confirmed, f"{path}/retire")
    assert [name for name, _ in await registry.said()] == ["ServiceConfirmed", "ServiceRetired"]
    again = await registry.post("registry-manager", f"{path}/publish", headers=at(retired))
    assert problem(again)["type"] == "urn:relink:problem:transition-not-allowed"
    assert (problem(again)["current"], problem(again)["allowed"]) == ("retired", [])
    assert (await registry.patch("ng-provider", retired, path, {"name": "x"})).status_code == 409
    assert (await registry.get("ng-hub", path)).json()["state"] == "retired"


async def test_a_retired_draft_is_never_shown_and_never_said(registry: Registry) -> None:
    made = await registry.make("ng-provider", "/services", BODY)
    path = f"/services/{made.json()['service_id']}"
    await registry.act("registry-manager", made, f"{path}/retire")
    assert await registry.said() == []
    assert (await registry.get("ng-hub", path)).status_code == 404


async def test_what_a_service_names_must_exist_in_one_country(registry: Registry) -> None:
    for changed, pointer, code in (
        ({"areas": ["NG012", "NG999"], "locations": []}, "/areas/1", "unknown_area"),
        ({"areas": ["NG012", "GE"], "locations": []}, "/areas", "several_countries"),
        ({"areas": ["GE"]}, "/locations", "several_countries"),
        ({"programme_id": ORGANIZATIONS["ng-hub"]}, "/programme_id", "unknown_programme"),
        ({"places": {"set_aside": -1}}, "/places/set_aside", "greater_than_equal"),
        ({"type": "magic"}, "/type", "enum"),
    ):
        answer = await registry.post("ng-provider", "/services", BODY | changed)
        assert answer.status_code == 422, changed
        assert [(each["pointer"], each["code"]) for each in problem(answer)["errors"]] == [(pointer, code)]


async def test_a_service_stays_with_its_organisation(registry: Registry) -> None:
    made = await registry.make("ng-provider", "/services", BODY)
    path = f"/services/{made.json()['service_id']}"
    moved = await registry.patch("ng-provider", made, path, {"organization_id": ORGANIZATIONS["ng-hub"]})
    assert problem(moved)["errors"][0]["code"] == "unknown_field"


async def test_services_are_found_by_the_areas_they_cover(registry: Registry) -> None:
    _, edo = await published(registry)
    _, lagos = await published(registry, areas=["NG025"], locations=[])
    _, nigeria = await published(registry, areas=["NG"], locations=[])
    query = {"area": "NG012001", "type": "vocational_training", "limit": 200}
    found = {each["service_id"] for each in (await registry.get("be-return", "/services", **query)).json()["items"]}
    assert {edo.json()["service_id"], nigeria.json()["service_id"]} <= found
    assert lagos.json()["service_id"] not in found


async def test_a_service_may_belong_to_a_programme_that_is_seen(registry: Registry) -> None:
    body = {
        "name": "Skills for Edo",
        "organization_id": ORGANIZATIONS["ng-hub"],
        "countries": ["NG"],
        "areas": ["NG012"],
    }
    programme = await registry.make("ng-hub", "/programmes", body)
    programme_id = programme.json()["programme_id"]
    unseen = await registry.post("ng-provider", "/services", BODY | {"programme_id": programme_id})
    assert problem(unseen)["errors"][0]["code"] == "unknown_programme"
    await registry.act("registry-manager", programme, f"/programmes/{programme_id}/publish")
    made = await registry.make("ng-provider", "/services", BODY | {"programme_id": programme_id})
    assert made.json()["programme_id"] == programme_id
