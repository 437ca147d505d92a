from typing import Any

from tests.integration.registry.conftest import ORGANIZATIONS, Registry
from tests.support.system import problem

BODY: dict[str, Any] = {
    "name": "Skills for Edo",
    "organization_id": ORGANIZATIONS["ng-hub"],
    "countries": ["NG"],
    "areas": ["NG012"],
    "sectors": ["11330"],
    "starts_on": "2026-01-01",
    "ends_on": "2027-12-31",
    "funding": [{"source": "A donor", "amount": {"amount": "615.00", "currency": "EUR"}}],
}


async def test_the_life_of_a_programme(registry: Registry) -> None:
    made = await registry.make("ng-hub", "/programmes", BODY)
    assert await registry.said() == []
    path = f"/programmes/{made.json()['programme_id']}"
    assert (await registry.get("be-return", path)).status_code == 404
    answer = await registry.act("registry-manager", made, f"{path}/publish")
    edited = await registry.patch("ng-hub", answer, path, {"ends_on": "2028-12-31", "development": False})
    confirmed = await registry.act("registry-manager", edited, f"{path}/confirm")
    await registry.act("registry-manager", confirmed, f"{path}/retire")
    said = await registry.said()
    names = [name for name, _ in said]
    assert names == ["ProgrammePublished", "ProgrammeChanged", "ProgrammeConfirmed", "ProgrammeClosed"]
    assert [data["version"] for _, data in said] == [2, 3, 4, 5]
    assert (said[1][1]["ends_on"], said[1][1]["development"]) == ("2028-12-31", False)
    assert (await registry.get("be-return", path)).json()["state"] == "retired"
    assert (await registry.get("be-return", path)).json()["funding"][0]["amount"]["amount"] == "615.00"


async def test_nonsense_is_refused(registry: Registry) -> None:
    for changed, pointer, code in (
        ({"ends_on": "2025-01-01"}, "/ends_on", "dates_reversed"),
        ({"areas": ["GE"]}, "/areas", "other_country"),
        ({"areas": ["NG777"]}, "/areas/0", "unknown_area"),
    ):
        answer = await registry.post("ng-hub", "/programmes", BODY | changed)
        assert [(each["pointer"], each["code"]) for each in problem(answer)["errors"]] == [(pointer, code)]


async def test_a_programme_without_country_is_not_published(registry: Registry) -> None:
    made = await registry.make("ng-hub", "/programmes", BODY | {"countries": [], "areas": []})
    path = f"/programmes/{made.json()['programme_id']}/publish"
    refused = await registry.post("registry-manager", path, headers={"If-Match": made.headers["ETag"]})
    assert problem(refused)["missing"] == ["countries"]


async def test_programmes_are_filtered(registry: Registry) -> None:
    await registry.make("ng-hub", "/programmes", BODY)
    query = {"country": "NG", "organization_id": ORGANIZATIONS["ng-hub"], "state": "draft"}
    assert (await registry.get("ng-hub", "/programmes", **query)).json()["items"]
    assert (await registry.get("ng-provider", "/programmes", **query)).json()["items"] == []
    assert (await registry.get("ng-hub", "/programmes", country="GE")).json()["items"] == []
