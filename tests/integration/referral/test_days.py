"""Days that nobody can have meant are refused, and days at the edge break no clock."""

from datetime import date
from typing import Any

import httpx
import pytest

from shared.events.registry import Covers, Disclosure, TransferInstrument
from tests.integration.referral.invented import a_consent, a_derogation, an_assessment
from tests.integration.referral.world import Scene, World, at, key

IMPOSSIBLE = ["9999-12-31", "2200-01-01", "1899-12-31", "0001-01-01"]


def refused(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["pointer"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("day", IMPOSSIBLE)
async def test_a_day_that_nobody_can_have_meant_is_refused(world: World, day: str) -> None:
    scene = await Scene(world).set()
    returnee = await scene.case()
    case = f"/cases/{returnee.case_id}"
    posted: list[tuple[str, str, dict[str, Any]]] = [
        (f"{case}/depart", "/departed_on", {"departed_on": day}),
        (f"{case}/arrive", "/arrived_on", {"arrived_on": day}),
        (f"{case}/consents", "/given_on", a_consent(given_on=day)),
        (f"{case}/consents", "/valid_until", a_consent(valid_until=day)),
        (f"{case}/derogations", "/valid_until", a_derogation(valid_until=day)),
        (f"{case}/assessments", "/assessed_on", an_assessment(assessed_on=day)),
    ]
    for path, pointer, body in posted:
        assert refused(await world.request(scene.owner, "POST", path, body, at(1))) == [pointer]
    version = (await world.get(scene.owner, case))["version"]
    for name in ("planned_departure_on", "planned_arrival_on"):
        assert refused(await world.request(scene.owner, "PATCH", case, {name: day}, at(version))) == [f"/{name}"]
        told = {"reference": "BE/1", "country_of_origin": "NG", "return_type": "voluntary", "members": [{}], name: day}
        assert refused(await world.request(scene.owner, "POST", "/cases", told, key())) == [f"/{name}"]
    sent = await returnee.referred()
    await sent.does(scene.provider, "accept")
    contact = {"contacted_on": day, "channel": "phone", "result": "reached"}
    assert refused(await sent.try_to(scene.provider, "record_contact", contact)) == ["/contacted_on"]


@pytest.mark.parametrize("day", ["1900-01-01", "2199-12-31"])
async def test_a_day_at_the_edge_breaks_no_clock(world: World, day: str) -> None:
    scene = await Scene(world).set()
    returnee = await scene.case(planned_departure_on=day, planned_arrival_on=day)
    sent = await returnee.referred()
    await sent.does(scene.provider, "accept")
    assert (await sent.now())["status"] == "accepted"


async def test_what_is_agreed_for_ever_holds(world: World) -> None:
    scene = await Scene(world).set()
    for_ever: dict[str, Any] = {"version": 2, "valid_from": date.min, "valid_until": date.max}
    await scene.agree("direct", scene.owner, scene.provider, **for_ever, disclosure=Disclosure(fields=["name"]))
    instrument = TransferInstrument(article="46(2)(a)")
    await scene.agree("sharing directly", scene.owner, scene.provider, kind="data_sharing", covers=Covers(),
                      transfer_instrument=instrument, **for_ever)  # fmt: skip
    assert (await (await scene.case()).refer()).status_code == 201


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
async def test_a_moment_beyond_all_time_is_refused(world: World, moment: str) -> None:
    query = httpx.QueryParams(changed_after=moment)
    answer = await world.request(Scene(world).provider, "GET", f"/referrals?{query}")
    assert answer.status_code == 422
