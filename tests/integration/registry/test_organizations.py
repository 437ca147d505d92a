from shared.ids import new_id
from tests.integration.registry.conftest import ORGANIZATIONS, Registry
from tests.support.system import problem

BODY = {"name": "New home", "kind": "ngo", "country": "NG", "contacts": [{"role": "desk", "email": "desk@example.org"}]}


async def test_creating_says_everything_but_contacts(registry: Registry) -> None:
    made = await registry.make("registry-manager", "/organizations", BODY | {"acronym": "NH"})
    assert made.headers["Relink-Event"].startswith("registry:")
    assert made.headers["ETag"] == '"1"'
    [(name, data)] = await registry.said()
    assert name == "OrganizationChanged"
    assert data | {"lead": False, "name": "New home", "acronym": "NH", "country": "NG", "version": 1} == data
    assert "contacts" not in data
    assert "desk@example.org" not in str(data)


async def test_only_bootstrap_chooses_ids(registry: Registry) -> None:
    chosen = str(new_id())
    refused = await registry.post("registry-manager", "/organizations", BODY | {"id": chosen})
    assert refused.status_code == 403
    made = await registry.make("bootstrap", "/organizations", BODY | {"id": chosen})
    assert made.json()["organization_id"] == chosen
    again = await registry.post("bootstrap", "/organizations", BODY | {"id": chosen})
    assert problem(again)["type"] == "urn:relink:problem:organization-exists"


async def test_an_organisation_edits_itself_and_nobody_else(registry: Registry) -> None:
    path = f"/organizations/{ORGANIZATIONS['ng-hub']}"
    read = await registry.get("ng-provider", path)
    assert (await registry.patch("ng-provider", read, path, {"description": "x"})).status_code == 403
    for sensitive in ({"kind": "private"}, {"country": "FR"}):  # safety check and transfer basis rest on them
        assert (await registry.patch("ng-hub", read, path, sensitive)).status_code == 403
    edited = await registry.patch("ng-hub", read, path, {"description": "Three desks"})
    assert edited.json()["description"] == "Three desks"
    assert [name for name, _ in await registry.said()] == ["OrganizationChanged"]
    stale = await registry.patch("ng-hub", read, path, {"description": "x"})
    assert stale.status_code == 412
    blind = await registry.ask("PATCH", "ng-hub", path, json={})
    assert blind.status_code == 428
    incomplete = await registry.patch("ng-hub", edited, path, {"country": None})
    assert problem(incomplete)["errors"] == [{"pointer": "/country", "detail": "is needed here", "code": "missing"}]
    unknown = await registry.patch("ng-hub", edited, path, {"secret_field": 1})
    assert problem(unknown)["errors"][0]["code"] == "unknown_field"
    assert "secret_field" not in unknown.text


async def test_bad_values_are_refused_without_being_repeated(registry: Registry) -> None:
    for changed in (
        {"country": "ZZ"},
        {"kind": "Zzyzx"},
        {"contacts": [{"role": "Zzyzx"}]},
        {"website": "javascript:Zzyzx"},
        {"translations": {"Zzy": "Zzyzx"}},
    ):
        answer = await registry.post("registry-manager", "/organizations", BODY | changed)
        assert answer.status_code == 422
        assert "Zzy" not in answer.text


async def test_pages_are_filtered_and_stable(registry: Registry) -> None:
    made = [await registry.organization(country="GE") for _ in range(3)]
    first = (await registry.get("be-return", "/organizations", country="GE", limit=2)).json()
    rest = (await registry.get("be-return", "/organizations", country="GE", limit=2, after=first["next"])).json()
    assert [each["organization_id"] for each in first["items"] + rest["items"]] == made
    assert rest["next"] is None
