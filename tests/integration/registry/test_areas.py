from tests.integration.registry.conftest import Registry
from tests.support.system import problem

AREA = {"code": "GE01", "name": "Imereti", "level": 1, "parent": "GE", "country": "GE"}


async def test_countries_exist_without_being_entered(registry: Registry) -> None:
    assert (await registry.get("be-return", "/areas/XK")).json() == {
        "code": "XK",
        "name": "Kosovo",
        "level": 0,
        "parent": None,
        "country": "XK",
        "provisional": False,
        "version": 1,
    }


async def test_an_area_is_entered_once_below_what_exists(registry: Registry) -> None:
    await registry.make("registry-manager", "/areas", AREA)
    assert (await registry.post("registry-manager", "/areas", AREA)).status_code == 409
    for changed, code in (
        ({"parent": "GE77"}, "unknown_area"),
        ({"parent": "NG012"}, "other_country"),
        ({"parent": "GE01"}, "bad_level"),
    ):
        answer = await registry.post("registry-manager", "/areas", AREA | {"code": "GE02"} | changed)
        assert problem(answer)["errors"][0]["code"] == code


async def test_everything_below_an_area(registry: Registry) -> None:
    below = (await registry.get("be-return", "/areas", under="NG012")).json()["items"]
    assert [each["code"] for each in below] == ["NG012001"]
    nigeria = (await registry.get("be-return", "/areas", country="NG", under="NG")).json()["items"]
    assert [each["code"] for each in nigeria][:3] == ["NG012", "NG012001", "NG025"]


async def test_an_area_is_covered_when_its_code_starts_with_one_of_the_codes(registry: Registry) -> None:
    for code, level, parent in (("KZ1", 1, "KZ"), ("KA10", 2, "KZ1"), ("KA1001", 3, "KA10")):
        body = {"code": code, "name": code, "level": level, "parent": parent, "country": "KZ"}
        await registry.make("registry-manager", "/areas", body)
    owner = await registry.organization(country="KZ")
    body = {"kind": "hub", "organization_id": owner, "countries": ["KZ"], "areas": ["KZ1"]}
    await registry.said()
    await registry.make("registry-manager", "/mechanisms", body)
    [(_, data)] = await registry.said()
    assert data["areas"] == ["KZ1"]
    assert data["covered_areas"] == ["KA10", "KZ1"]
