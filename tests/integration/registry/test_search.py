"""Services are found by what they say, where they are and what they are; pages stay where they were."""

from typing import Any

import pytest

from tests.integration.registry.conftest import Registry
from tests.integration.registry.mapped import enter, publish
from tests.support.system import problem

WORKSHOP = {"area": "NG012", "latitude": 6.335, "longitude": 5.627}


async def found(registry: Registry, organization_id: str, **query: Any) -> set[str]:
    page = await registry.get("be-return", "/services", organization_id=organization_id, limit=200, **query)
    assert page.status_code == 200, page.text
    return {one["name"] for one in page.json()["items"]}


async def publish_as(registry: Registry, organization_id: str, **body: Any) -> None:
    made = await enter(registry, "registry-manager", organization_id=organization_id, **body)
    await registry.act("registry-manager", made, f"/services/{made.json()['service_id']}/publish")


@pytest.fixture
async def offers(registry: Registry) -> str:
    """An organisation with four published services."""
    organization_id = await registry.organization()
    for body in (
        {"name": "Tailoring course", "description": "Sewing machines to keep", "languages": ["eng", "pcm"]},
        {
            "name": "Véto école",
            "translations": {"eng": "School for animal health"},
            "areas": ["NG012001"],
            "free": True,
        },
        {"name": "Night shelter", "type": "housing", "dimension": "social", "areas": ["NG025"]},
        {
            "name": "Legal advice by telephone",
            "type": "justice",
            "dimension": "social",
            "areas": ["NG"],
            "remote": True,
        },
    ):
        await publish_as(registry, organization_id, **body)
    return organization_id


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"text": "tailor"}, {"Tailoring course"}),
        ({"text": "COURSE  sewing"}, {"Tailoring course"}),
        ({"text": "veto ecole"}, {"Véto école"}),
        ({"text": "Animal"}, {"Véto école"}),
        ({"text": "ailoring"}, set()),
        ({"text": "!?"}, set()),
        ({"text": "type:housing"}, set()),
        ({"area": "NG012001"}, {"Tailoring course", "Véto école", "Legal advice by telephone"}),
        ({"area": "NG012"}, {"Tailoring course", "Legal advice by telephone"}),
        ({"part_of": "NG012"}, {"Tailoring course", "Véto école", "Legal advice by telephone"}),
        ({"text": "course", "area": "NG012001", "type": "vocational_training"}, {"Tailoring course"}),
        ({"text": "course", "type": "housing"}, set()),
        ({"dimension": "social", "remote": "true"}, {"Legal advice by telephone"}),
        ({"language": "pcm"}, {"Tailoring course"}),
        ({"free": "true"}, {"Véto école"}),
    ],
)
async def test_filters_hold_together(registry: Registry, offers: str, query: dict[str, str], names: set[str]) -> None:
    assert await found(registry, offers, **query) == names


async def test_what_is_edited_is_found_by_what_it_says_now(registry: Registry) -> None:
    path, answer = await publish(registry, name="Plumbing")
    organization_id = answer.json()["organization_id"]
    await registry.patch("ng-provider", answer, path, {"name": "Carpentry for all", "areas": ["NG025"]})
    assert "Carpentry for all" in await found(registry, organization_id, text="carpen", area="NG025")
    assert "Carpentry for all" not in await found(registry, organization_id, text="plumbing")
    assert "Carpentry for all" not in await found(registry, organization_id, area="NG012")


async def test_services_are_found_by_distance(registry: Registry) -> None:
    organization_id = await registry.organization()
    for name, latitude, longitude in (("here", 6.335, 5.627), ("ten km north", 6.425, 5.627), ("far", 6.5, 3.4)):
        await publish_as(
            registry, organization_id, name=name, locations=[WORKSHOP | {"latitude": latitude, "longitude": longitude}]
        )
    assert await found(registry, organization_id, near="6.335,5.627", within_km=9.9) == {"here"}
    assert await found(registry, organization_id, near="6.335,5.627", within_km=10.1) == {"here", "ten km north"}
    assert await found(registry, organization_id, near="6.335,5.627") == {"here", "ten km north"}
    assert await found(registry, organization_id, near="6.335,5.627", within_km=300) == {"here", "ten km north", "far"}


async def test_a_place_that_moved_is_no_longer_where_it_was(registry: Registry) -> None:
    path, answer = await publish(registry, name="Mobile clinic", locations=[WORKSHOP])
    organization_id = answer.json()["organization_id"]
    moved = await registry.patch("ng-provider", answer, path, {"locations": [WORKSHOP | {"latitude": 7.0}]})
    assert moved.status_code == 200
    assert "Mobile clinic" not in await found(registry, organization_id, near="6.335,5.627", within_km=5)
    assert "Mobile clinic" in await found(registry, organization_id, near="7.0,5.627", within_km=5)


@pytest.mark.parametrize(("across", "near"), [(-179.95, "0,179.95"), (179.95, "0,-179.95")])
async def test_the_circle_closes_behind_the_180th_meridian(registry: Registry, across: float, near: str) -> None:
    organization_id = await registry.organization()
    await publish_as(registry, organization_id, name="island", locations=[{"latitude": 0, "longitude": across}])
    assert await found(registry, organization_id, near=near, within_km=12) == {"island"}
    assert await found(registry, organization_id, near=near, within_km=11) == set()


async def test_round_a_pole_every_longitude_is_near(registry: Registry) -> None:
    organization_id = await registry.organization()
    await publish_as(registry, organization_id, name="station", locations=[{"latitude": 89.99, "longitude": -90}])
    assert await found(registry, organization_id, near="89.99,90", within_km=3) == {"station"}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"near": "91,0"}, "/query/near"),
        ({"near": "6.3"}, "/query/near"),
        ({"within_km": "5"}, "/query/near"),
        ({"near": "6.3,5.6", "within_km": "0"}, "/query/within_km"),
        ({"text": "x" * 201}, "/query/text"),
        ({"level": "magic"}, "/query/level"),
        ({"colour": "red"}, "/query"),
    ],
)
async def test_what_cannot_be_asked_is_refused(registry: Registry, query: dict[str, str], pointer: str) -> None:
    answer = await registry.get("be-return", "/services", **query)
    assert answer.status_code == 422
    assert problem(answer)["errors"][0]["pointer"] == pointer


async def test_paging_to_the_end_shows_each_once_while_others_are_entered(registry: Registry) -> None:
    organization_id = await registry.organization()
    there = []
    for number in range(5):
        await publish_as(registry, organization_id, name=f"Course {number}")
        there.append(f"Course {number}")
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        query = {"organization_id": organization_id, "text": "course", "limit": 2, **after}
        page = (await registry.get("be-return", "/services", **query)).json()
        seen += [one["name"] for one in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
        if len(seen) < 5:
            await publish_as(registry, organization_id, name=f"Course entered after {len(seen)}")
    assert len(seen) == len(set(seen))
    assert seen[: len(there)] == there


async def test_a_draft_that_was_renamed_is_found_by_its_new_name(registry: Registry) -> None:
    organization_id = await registry.organization()
    made = await enter(registry, "registry-manager", organization_id=organization_id, name="Carpentry course")
    path = f"/services/{made.json()['service_id']}"
    renamed = await registry.patch("registry-manager", made, path, {"name": "Beekeeping course"})
    assert renamed.status_code == 200, renamed.text
    await registry.act("registry-manager", renamed, f"{path}/publish")
    assert await found(registry, organization_id, text="beekeeping") == {"Beekeeping course"}
    assert await found(registry, organization_id, text="carpentry") == set()
