"""A registry manager of one country curates that country, and in any other is a reader like all."""

from typing import Any
from uuid import UUID

import pytest

from relink.demo_issuer import CURATOR, Client
from shared.ids import new_id
from tests.integration.registry.conftest import Json, Registry
from tests.integration.registry.mapped import enter
from tests.support.system import at

NG, GH = "ng-curator", "gh-curator"


@pytest.fixture
async def curators(registry: Registry) -> Registry:
    for client_id in (NG, GH):
        country = client_id[:2].upper()
        organization_id = await registry.organization(country=country)
        registry.issuer.take_on(Client(client_id, UUID(organization_id), CURATOR, "curates one country", country))
    return registry


async def test_each_publishes_what_lies_in_the_own_country(curators: Registry) -> None:
    made = await enter(curators)
    path = f"/services/{made.json()['service_id']}"
    assert (await curators.get(GH, path)).status_code == 404
    assert (await curators.post(GH, f"{path}/publish", headers=at(made))).status_code == 404
    answer = await curators.act(NG, made, f"{path}/publish")
    for action in ("retire", "confirm"):
        assert (await curators.post(GH, f"{path}/{action}", headers=at(answer))).status_code == 403
    assert (await curators.patch(GH, answer, path, {"name": "x"})).status_code == 403
    assert (await curators.patch(NG, answer, path, {"name": "x"})).status_code == 200


async def test_drafts_are_listed_for_the_curator_of_their_country_alone(curators: Registry) -> None:
    service_id = (await enter(curators)).json()["service_id"]
    query = {"state": "draft", "limit": 200, "country": "NG"}

    async def sees(client_id: str) -> bool:
        items: list[Json] = (await curators.get(client_id, "/services", **query)).json()["items"]
        return service_id in [one["service_id"] for one in items]

    assert [await sees(each) for each in (NG, "registry-manager", "ng-provider", GH, "ng-hub")] == [True] * 3 + [
        False
    ] * 2


async def test_programmes_belong_to_each_of_their_countries(curators: Registry) -> None:
    organization_id = await curators.organization()
    body: dict[str, Any] = {"name": "Both", "organization_id": organization_id}
    both = await curators.make(GH, "/programmes", body | {"countries": ["NG", "GH"]})
    await curators.act(GH, both, f"/programmes/{both.json()['programme_id']}/publish")
    assert (await curators.post(GH, "/programmes", body | {"countries": ["NG"]})).status_code == 403
    one = await curators.make(NG, "/programmes", body | {"countries": ["NG"]})
    assert (await curators.get(GH, f"/programmes/{one.json()['programme_id']}")).status_code == 404


async def test_organisations_are_taken_on_and_moved_within_the_own_country(curators: Registry) -> None:
    body = {"name": f"Organisation {new_id().hex}", "kind": "ngo"}
    assert (await curators.post(GH, "/organizations", body | {"country": "NG"})).status_code == 403
    made = await curators.make(GH, "/organizations", body | {"country": "GH"})
    path = f"/organizations/{made.json()['organization_id']}"
    assert (await curators.patch(NG, made, path, {"acronym": "x"})).status_code == 403
    assert (await curators.patch(GH, made, path, {"country": "NG"})).status_code == 403
    assert (await curators.patch(GH, made, path, {"kind": "private"})).status_code == 200


async def test_a_service_is_entered_for_others_only_in_the_own_country(curators: Registry) -> None:
    organization_id = await curators.organization()
    body = {"organization_id": organization_id, "name": "x", "type": "housing", "dimension": "social"}
    refused = await curators.post(GH, "/services", body | {"level": "individual", "areas": ["NG012"]})
    assert refused.status_code == 403
    entered = await curators.post(NG, "/services", body | {"level": "individual", "areas": ["NG012"]})
    assert entered.status_code == 201


async def test_what_holds_everywhere_is_not_set_by_one_country(curators: Registry) -> None:
    read = await curators.get(NG, "/review_intervals/housing")
    assert (await curators.patch(NG, read, "/review_intervals/housing", {"review_days": 9})).status_code == 403


async def test_agreements_and_mechanisms_are_curated_in_the_own_country(curators: Registry) -> None:
    parties = [{"organization_id": await curators.organization()} for _ in range(2)]
    days = {"valid_from": "2030-01-01", "valid_until": "2031-01-01"}
    body: dict[str, Any] = {"kind": "sop", "parties": parties, "countries": ["BE", "NG"]} | days
    assert (await curators.post(GH, "/agreements", body)).status_code == 403
    made = await curators.make(NG, "/agreements", body)
    path = f"/agreements/{made.json()['agreement_id']}"
    assert [(await curators.get(each, path)).status_code for each in (NG, GH, "registry-manager")] == [200, 404, 200]
    assert (await curators.patch(NG, made, path, {"countries": ["BE", "GH"]})).status_code == 403

    below = {"kind": "hub", "organization_id": parties[0]["organization_id"]}
    assert (await curators.post(GH, "/mechanisms", below | {"countries": ["NG"]})).status_code == 403
    made = await curators.make(NG, "/mechanisms", below | {"countries": ["NG"]})
    path = f"/mechanisms/{made.json()['mechanism_id']}"
    assert (await curators.patch(GH, made, path, {"name": "x"})).status_code == 403
    assert (await curators.patch(NG, made, path, {"countries": ["GH"]})).status_code == 403
    assert (await curators.patch(NG, made, path, {"name": "x"})).status_code == 200
