"""The gap map: what is where, for whom not, and what people looked for in vain."""

from typing import Any
from uuid import UUID

from shared import clock
from shared.events.eligibility import UnmetNeedRecorded
from shared.ids import new_id
from tests.integration.registry.conftest import Registry
from tests.integration.registry.mapped import enter, hear
from tests.support.system import problem

REGION, DISTRICT = "TG01", "TG0102"


async def togo(registry: Registry) -> None:
    for code, level, parent in ((REGION, 1, "TG"), (DISTRICT, 2, REGION), ("TG02", 1, "TG")):
        area = {"code": code, "level": level, "name": code, "parent": parent, "country": "TG"}
        answer = await registry.post("bootstrap", "/areas", area)
        assert answer.status_code in (201, 409)


async def cells(registry: Registry, **query: Any) -> dict[tuple[str, str], dict[str, Any]]:
    answer = await registry.get("be-return", "/coverage", country="TG", **query)
    assert answer.status_code == 200, answer.text
    return {(area["area"], cell["type"]): cell for area in answer.json()["items"] for cell in area["cells"]}


async def publish_in(registry: Registry, *areas: str, **body: Any) -> str:
    organization_id = await registry.organization(country="TG")
    made = await enter(registry, "registry-manager", organization_id=organization_id, areas=list(areas), **body)
    path = f"/services/{made.json()['service_id']}"
    await registry.act("registry-manager", made, f"{path}/publish")
    return path


async def test_each_area_counts_what_covers_it_or_a_part_of_it(registry: Registry) -> None:
    await togo(registry)
    await publish_in(registry, REGION, type="housing", excluded_groups=["men"], total_places=9, funded_places=4)
    await publish_in(registry, DISTRICT, type="housing", excluded_groups=["men", "children"])
    await publish_in(registry, "TG", type="housing", places={"set_aside": None}, excluded_groups=["men"])
    path = await publish_in(registry, "TG02", type="justice", remote=True)
    await registry.make("ng-hub", f"{path}/doubts", {"field": "name", "source": "hub"})
    await enter(registry, type="housing", areas=[REGION])  # a draft is nowhere
    found = await cells(registry)
    assert len(found) == 2 * 16
    housing = found[REGION, "housing"]
    counts = ("published", "stale", "places", "funded_places", "places_not_counted", "gap")
    assert [housing[name] for name in counts] == [3, 0, 6, 4, 1, False]
    assert housing["excluded"] == [
        {"group": "children", "services": 1, "by_all": False},
        {"group": "men", "services": 3, "by_all": True},
    ]
    assert found["TG02", "housing"]["published"] == 1
    assert (found[REGION, "justice"]["published"], found[REGION, "justice"]["doubted"]) == (1, 1)  # it is remote
    assert found[REGION, "health"]["gap"] is True
    below = await cells(registry, level=2, under=REGION)
    assert (below[DISTRICT, "housing"]["published"], below[DISTRICT, "housing"]["places"]) == (3, 6)
    whole = await cells(registry, level=0, type="housing")
    assert (list(whole), whole["TG", "housing"]["published"]) == ([("TG", "housing")], 3)


def unmet(case_id: UUID, area: str | None, *needs: str) -> UnmetNeedRecorded:
    return UnmetNeedRecorded(
        version=1, match_id=new_id(), case_id=case_id, country="GM", area=area, needs=list(needs), as_of=clock.today()
    )


async def test_unmet_needs_are_heard_once_for_each_person_and_never_exactly(registry: Registry) -> None:
    area = {"code": "GM01", "level": 1, "name": "Banjul", "parent": "GM", "country": "GM"}
    await registry.make("bootstrap", "/areas", area)
    cases = [new_id() for _ in range(7)]
    await hear(registry, *(unmet(case, "GM0101", "housing", "social") for case in cases))
    await hear(registry, *(unmet(case, "GM0101", "housing", "social") for case in cases))  # tried again
    await hear(registry, unmet(new_id(), None), unmet(new_id(), "GM01", "health"))
    [banjul] = (await registry.get("be-return", "/coverage", country="GM")).json()["items"]
    assert banjul["unmet_needs"] == [
        {"need": "health", "people_at_least": 0},
        {"need": "housing", "people_at_least": 5},
        {"need": "social", "people_at_least": 5},
    ]
    [country] = (await registry.get("be-return", "/coverage", country="GM", level=0)).json()["items"]
    assert {"need": "any", "people_at_least": 0} in country["unmet_needs"]


async def test_only_the_newest_word_about_a_case_counts(registry: Registry) -> None:
    area = {"code": "SN01", "level": 1, "name": "Dakar", "parent": "SN", "country": "SN"}
    await registry.make("bootstrap", "/areas", area)
    case = new_id()
    first, second = (unmet(case, "SN01", need).model_copy(update={"country": "SN"}) for need in ("health", "housing"))
    await hear(registry, second, first)
    [dakar] = (await registry.get("be-return", "/coverage", country="SN")).json()["items"]
    assert [one["need"] for one in dakar["unmet_needs"]] == ["housing"]


async def test_the_map_is_of_one_country(registry: Registry) -> None:
    missing = await registry.get("be-return", "/coverage")
    assert problem(missing)["errors"][0]["pointer"] == "/query/country"
    unknown = await registry.get("be-return", "/coverage", country="ZZ")
    assert problem(unknown)["errors"][0]["code"] == "unknown_country"
