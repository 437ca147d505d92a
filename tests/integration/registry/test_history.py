"""Who changed which field when, and what it was."""

from typing import Any

from tests.integration.registry.conftest import ORGANIZATIONS, Registry
from tests.integration.registry.mapped import enter, publish


async def changes(registry: Registry, client_id: str, path: str) -> list[dict[str, Any]]:
    return list((await registry.get(client_id, f"{path}/history", limit=200)).json()["items"])


async def test_each_field_is_told_with_what_it_was_and_who_changed_it(registry: Registry) -> None:
    made = await enter(registry, waiting_days=14, service_map={"quality": {"eng": "Good"}})
    path = f"/services/{made.json()['service_id']}"
    patch = {"waiting_days": 30, "places": {"set_aside": 4}, "service_map": {"quality": {"eng": "Better"}}}
    await registry.patch("registry-manager", made, path, patch)
    entered, *edited = await changes(registry, "ng-provider", path)
    assert (entered["field"], entered["before"], entered["after"]) == ("state", None, "draft")
    assert entered["organization_id"] == ORGANIZATIONS["ng-provider"]
    assert {(one["field"], str(one["before"]), str(one["after"])) for one in edited} == {
        ("waiting_days", "14", "30"),
        ("places", "{'set_aside': 3}", "{'set_aside': 4}"),
        ("service_map.quality", "{'eng': 'Good'}", "{'eng': 'Better'}"),
    }
    assert {(one["client_id"], one["organization_id"], one["resource_version"]) for one in edited} == {
        ("registry-manager", ORGANIZATIONS["registry-manager"], 2)
    }


async def test_a_patch_that_changes_nothing_leaves_no_trace(registry: Registry) -> None:
    made = await enter(registry)
    path = f"/services/{made.json()['service_id']}"
    await registry.patch("ng-provider", made, path, {"name": made.json()["name"]})
    assert [one["field"] for one in await changes(registry, "ng-provider", path)] == ["state"]


async def test_others_see_what_changed_in_public_and_no_former_contacts_or_safety_notes(registry: Registry) -> None:
    private = {"contacts": [{"phone": "+234 000 111 0000"}], "service_map": {"safety": {"eng": "Guarded"}}}
    made = await enter(registry)
    path = f"/services/{made.json()['service_id']}"
    before = await registry.patch("ng-provider", made, path, {"name": "Draft name"})
    answer = await registry.act("registry-manager", before, f"{path}/publish")
    answer = await registry.patch("ng-provider", answer, path, private | {"description": "Public"})
    seen = await changes(registry, "be-return", path)
    assert {one["field"] for one in seen} == {
        "state",
        "confirmed_on",
        "confirmed_by",
        "review_by",
        "freshness",
        "description",
    }
    assert "+234" not in str(seen)
    for insider in ("ng-provider", "registry-manager"):
        fields = {one["field"] for one in await changes(registry, insider, path)}
        assert {"name", "contacts", "service_map.safety", "description"} <= fields


async def test_the_history_of_a_draft_is_nobody_elses(registry: Registry) -> None:
    made = await enter(registry)
    assert (await registry.get("ng-hub", f"/services/{made.json()['service_id']}/history")).status_code == 404


async def test_programmes_and_organisations_have_one_too(registry: Registry) -> None:
    body = {"name": "Skills", "organization_id": ORGANIZATIONS["ng-hub"], "countries": ["NG"]}
    made = await registry.make("ng-hub", "/programmes", body)
    path = f"/programmes/{made.json()['programme_id']}"
    answer = await registry.act("registry-manager", made, f"{path}/publish")
    await registry.patch("ng-hub", answer, path, {"name": "Skills for all"})
    assert [
        (one["before"], one["after"]) for one in await changes(registry, "be-return", path) if one["field"] == "name"
    ] == [("Skills", "Skills for all")]
    organization_id = await registry.organization()
    path = f"/organizations/{organization_id}"
    await registry.patch("registry-manager", await registry.get("be-return", path), path, {"acronym": "SFA"})
    assert [one["field"] for one in await changes(registry, "be-return", path)] == ["lead", "acronym"]


async def test_history_is_read_page_by_page(registry: Registry) -> None:
    path, answer = await publish(registry)
    for days in range(5):
        answer = await registry.patch("ng-provider", answer, path, {"waiting_days": days})
    told: list[Any] = []
    after: dict[str, Any] = {}
    while True:
        page = (await registry.get("ng-provider", f"{path}/history", limit=2, **after)).json()
        told += [one["after"] for one in page["items"] if one["field"] == "waiting_days"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert told == [0, 1, 2, 3, 4]
