"""Perhaps the same person with another case owner: a warning on sending, that says nothing about whose she is."""

from typing import Any

import pytest

from shared.ids import new_id
from tests.integration.referral.world import SENDS, Organization, Returnee, Scene, World, at, key

WARNING = {"code": "possible_duplicate"}
BORN_ON = "1994-03-17"


def a_name() -> str:
    """A name that no other test has, with an accent."""
    return f"Adaézé {new_id().hex}"


@pytest.fixture
async def scene(world: World) -> Scene:
    return await Scene(world, hub=True).set()


async def elsewhere(scene: Scene, **identity: Any) -> tuple[Organization, dict[str, Any]]:
    """A case of this person, of another member state."""
    other = Organization("de", "public_authority", "DE", SENDS)
    await scene.world.hear(scene.organization(other))
    body = {
        "reference": f"DE/{new_id()}",
        "country_of_origin": "NG",
        "return_type": "voluntary",
        "arrival_certainty": "unknown",
        "members": [{"sex": "female"}],
        "identity": identity,
    }
    registered = await scene.world.request(other, "POST", "/cases", body, key())
    assert registered.status_code == 201, registered.text
    case: dict[str, Any] = registered.json()
    return other, case


async def warned(returnee: Returnee) -> bool:
    response = await returnee.refer()
    assert response.status_code == 201, response.text
    return WARNING in response.json()["warnings"]


async def test_the_case_owner_is_warned_without_being_told_whose_the_other_case_is(scene: Scene) -> None:
    name = a_name()
    other, case = await elsewhere(scene, name=name, birth_date=BORN_ON)
    first, last = name.split()
    returnee = await scene.case(identity={"name": f" {last.upper()},  adaeze", "birth_date": BORN_ON})
    sent = await returnee.referred()
    seen = await scene.world.request(scene.owner, "GET", f"/referrals/{sent.referral_id}")
    assert seen.json()["warnings"] == [WARNING]
    assert case["case_id"] not in seen.text
    assert str(other.organization_id) not in seen.text
    assert (await sent.seen_by(scene.hub))["warnings"] == []
    assert first not in str(await scene.world.rows("cases"))


async def test_it_matters_not_where_name_and_birth_date_are_told(scene: Scene) -> None:
    name = a_name()
    await elsewhere(scene, name=name, birth_date=BORN_ON)
    returnee = await scene.case(
        identity={"birth_date": BORN_ON}, members=[{"sex": "female", "identity": {"name": name}}]
    )
    assert await warned(returnee)


@pytest.mark.parametrize(
    "identity",
    [{"birth_date": BORN_ON}, {"name": "the other's"}, {"name": "the other's", "birth_date": "1994-03-18"}],
)
async def test_half_of_it_or_something_else_warns_nobody(scene: Scene, identity: dict[str, Any]) -> None:
    name = a_name()
    await elsewhere(scene, name=name, birth_date=BORN_ON)
    if "name" in identity:
        identity = identity | {"name": name}
    assert not await warned(await scene.case(identity=identity))


async def test_ones_own_cases_warn_nobody(scene: Scene) -> None:
    identity = {"name": a_name(), "birth_date": BORN_ON}
    await scene.case(identity=identity)
    assert not await warned(await scene.case(identity=identity))


async def test_it_goes_by_what_is_told_now(scene: Scene) -> None:
    name = a_name()
    await elsewhere(scene, name=name, birth_date=BORN_ON)
    returnee = await scene.case(identity={"name": a_name(), "birth_date": BORN_ON})
    path = f"/cases/{returnee.case_id}"
    headers = at((await scene.world.get(scene.owner, path))["version"])
    changed = await scene.world.request(scene.owner, "PATCH", path, {"identity": {"name": name}}, headers)
    assert changed.status_code == 200, changed.text
    assert await warned(returnee)


@pytest.mark.parametrize("end", ["close", "erase"])
async def test_a_case_that_is_closed_or_erased_warns_nobody(scene: Scene, end: str) -> None:
    identity = {"name": a_name(), "birth_date": BORN_ON}
    other, case = await elsewhere(scene, **identity)
    ended = await scene.world.request(other, "POST", f"/cases/{case['case_id']}/{end}", headers=at(case["version"]))
    assert ended.status_code == 200, ended.text
    assert not await warned(await scene.case(identity=identity))
    (row,) = [each for each in await scene.world.rows("cases") if str(each["case_id"]) == case["case_id"]]
    assert (row["returnee_index"] is None) == (end == "erase")
