"""What is left to an organisation whose part has ended: its own part as it was, and nothing of what came after."""

from typing import Any

import pytest

from shared import clock
from shared.events.registry import ServiceRetired
from tests.integration.referral.world import MONDAY, Organization, Scene, Sent, World, at, because, key

ASSESSMENT = {"kind": "needs", "phase": "arrived", "answers": {}, "result": "completed"}


async def onward(sent: Sent, by: Organization, to: Organization, **changes: Any) -> None:
    await sent.does(by, "pass_on", to_organization_id=str(to.organization_id), **changes)


async def in_the_case(sent: Sent, who: Organization) -> str:
    """Whether the organisation reads the case, and may confirm the arrival and assess: neither, the first or both."""
    path = f"/cases/{sent.returnee.case_id}"
    version = (await sent.world.get(sent.returnee.scene.owner, path))["version"]
    arrival = {"arrived_on": "2026-03-02"}
    reads = [(await sent.world.request(who, "GET", f"{path}{more}")).status_code for more in ("", "/assessments")]
    acts = [
        (await sent.world.request(who, "POST", f"{path}/arrive", arrival, at(version))).status_code,
        (await sent.world.request(who, "POST", f"{path}/assessments", ASSESSMENT, key())).status_code,
    ]
    if reads == [404, 404]:
        assert acts == [404, 404]
        return OUT
    assert reads == [200, 200]
    if acts == [404, 404]:
        return READS
    assert acts[1] == 201
    return ACTS


OUT, READS, ACTS = "out", "reads", "acts"


async def by_a_hub(world: World, **changes: Any) -> tuple[Scene, Sent]:
    """A referral that the hub has passed on to the provider."""
    scene = await Scene(world, hub=True).set(**changes)
    sent = await (await scene.case()).referred()
    await onward(sent, scene.hub, scene.provider)
    return scene, sent


async def test_who_gave_it_back_has_no_right_over_the_case_any_more(world: World) -> None:
    scene, sent = await by_a_hub(world)
    await sent.does(scene.provider, "reject", **because("no_funds"))
    assert await in_the_case(sent, scene.provider) == OUT
    assert await in_the_case(sent, scene.hub) == ACTS
    part = await sent.seen_by(scene.provider)
    assert not {"case", "phase"} & part.keys()
    history = (await world.get(scene.provider, f"/referrals/{sent.referral_id}/history"))["items"]
    assert [entry["what"] for entry in history] == ["pass_on", "reject"]


async def test_who_gets_it_again_has_its_rights_again(world: World) -> None:
    scene, sent = await by_a_hub(world)
    await sent.does(scene.provider, "reject", **because("no_funds"))
    await onward(sent, scene.hub, scene.provider)
    assert await in_the_case(sent, scene.provider) == ACTS


async def test_a_provider_that_passed_it_on_is_out_until_it_comes_back(world: World) -> None:
    scene, sent = await by_a_hub(world)
    await sent.does(scene.provider, "accept")
    await onward(sent, scene.provider, scene.hub)
    assert await in_the_case(sent, scene.provider) == OUT
    part = await sent.seen_by(scene.provider)
    assert (part["status"], part["route"], part["allowed"]) == ("passed_on", [], [])
    assert not {"case", "phase", "identity"} & part.keys()
    await sent.does(scene.hub, "acknowledge_receipt")
    history = (await world.get(scene.provider, f"/referrals/{sent.referral_id}/history"))["items"]
    assert [entry["what"] for entry in history] == ["pass_on", "accept", "pass_on"]
    await sent.does(scene.hub, "reject", **because("not_eligible"))
    assert (await sent.seen_by(scene.provider))["status"] == "received"
    assert await in_the_case(sent, scene.provider) == ACTS


async def test_who_has_a_part_confirms_the_arrival_and_assesses_after_it(world: World) -> None:
    scene, sent = await by_a_hub(world)
    path = f"/cases/{sent.returnee.case_id}"
    early = await world.request(scene.provider, "POST", f"{path}/assessments", ASSESSMENT)
    assert early.json()["type"] == "urn:relink:problem:not-arrived"
    await sent.returnee.screened("vulnerable")  # the owner does at any time
    version = (await world.get(scene.owner, path))["version"]
    arrived = await world.request(scene.provider, "POST", f"{path}/arrive", {"arrived_on": "2026-03-02"}, at(version))
    assert arrived.status_code == 200, arrived.text
    for who in (scene.provider, scene.hub):
        assessed = await world.request(who, "POST", f"{path}/assessments", ASSESSMENT)
        assert assessed.status_code == 201, assessed.text


@pytest.mark.parametrize("end", ["reject", "cancel", "enter_in_error", "retire", "expire", "fail"])
async def test_a_referral_that_ended_without_a_delivery_ends_the_part_in_the_case(world: World, end: str) -> None:
    scene = await Scene(world).set()
    sent = await (await scene.case()).referred()
    match end:
        case "reject":
            await sent.does(scene.provider, "reject", **because("no_funds"))
        case "cancel":
            await sent.does(scene.owner, "cancel", **because("left_area"))
        case "enter_in_error":
            await sent.does(scene.owner, "enter_in_error", **because("created_in_error"))
        case "retire":
            told = scene.service().model_dump()
            await world.hear(ServiceRetired.model_validate(told | {"version": 2}))
            await world.settle()
        case "expire":
            await world.move_to(MONDAY.replace(day=7))
        case "fail":
            await sent.does(scene.provider, "accept")
            await sent.does(scene.provider, "fail", **because("no_show"))
    assert await in_the_case(sent, scene.provider) == OUT
    seen = await sent.seen_by(scene.provider)
    assert seen["status"] == (await sent.now())["status"]
    assert not {"case", "phase"} & seen.keys()
    assert (await sent.now())["case"]
    assert (await world.get(scene.provider, f"/referrals/{sent.referral_id}/history"))["items"]


async def test_after_a_delivery_everybody_on_the_way_reads_the_case_and_nobody_acts_in_it(world: World) -> None:
    scene, sent = await by_a_hub(world, remote=True)
    await sent.does(scene.provider, "accept")
    await sent.does(scene.provider, "complete", outcome="service_delivered")
    assert await in_the_case(sent, scene.provider) == await in_the_case(sent, scene.hub) == READS
    await sent.does(scene.provider, "enter_in_error", **because("created_in_error"))
    assert await in_the_case(sent, scene.provider) == await in_the_case(sent, scene.hub) == OUT


async def test_another_referral_of_the_case_keeps_the_rights(world: World) -> None:
    scene = await Scene(world).set()
    other = Scene(world)
    other.provider, other.area = scene.provider, scene.area
    await other.publish()
    await scene.agree("other service", scene.owner, scene.provider, covers={"service_ids": [other.service_id]})
    returnee = await scene.case()
    decision_id = str(await returnee.decided(service_id=other.service_id))
    sent = await returnee.referred()
    second = await returnee.referred(service_id=str(other.service_id), decision_id=decision_id)
    await sent.does(scene.provider, "reject", **because("no_funds"))
    assert await in_the_case(sent, scene.provider) == ACTS
    await second.does(scene.provider, "reject", **because("no_funds"))
    assert await in_the_case(sent, scene.provider) == OUT


async def test_what_went_on_without_it_shows_in_no_version_list_or_refusal(world: World) -> None:
    scene, sent = await by_a_hub(world)
    await sent.does(scene.provider, "reject", **because("no_funds"))
    path = f"/referrals/{sent.referral_id}"
    before = await world.request(scene.provider, "GET", path)
    listed = (await world.get(scene.provider, "/referrals"))["items"]
    ended_at = clock.now()
    clock.move_to(MONDAY.replace(hour=15))
    await sent.does(scene.hub, "request_information", questions=["skills"])
    after = await world.request(scene.provider, "GET", path)
    assert (after.json(), after.headers["ETag"]) == (before.json(), before.headers["ETag"])
    assert before.headers["ETag"] == f'"{before.json()["version"]}"'
    assert (await world.get(scene.provider, "/referrals"))["items"] == listed
    assert listed[0]["version"] == before.json()["version"] < (await sent.now())["version"]

    async def found(**query: Any) -> int:
        return len((await world.get(scene.provider, "/referrals", **query))["items"])

    assert await found(status="awaiting_information") == 0
    assert await found(status="returned") == 1
    assert await found(changed_after=ended_at.isoformat()) == 0
    assert await found(changed_after=MONDAY.isoformat()) == 1
    for version in (after.json()["version"], 1):
        refused = await sent.try_to(scene.provider, "accept", version=version)
        assert refused.status_code == 403
        assert (refused.json()["current"], refused.json()["allowed"]) == ("returned", [])


async def test_changes_come_in_the_order_in_which_one_sees_them(world: World) -> None:
    scene, first = await by_a_hub(world)
    await first.does(scene.provider, "reject", **because("no_funds"))
    clock.move_to(MONDAY.replace(hour=15))
    second = await (await scene.case()).referred()
    await onward(second, scene.hub, scene.provider)
    await first.does(scene.hub, "request_information", questions=["skills"])  # nothing to the provider any more

    async def pages(who: Organization) -> list[str]:
        found: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        while True:
            page = await world.get(who, "/referrals", changed_after=MONDAY.isoformat(), limit=1, **after)
            found += page["items"]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        assert [item["changed_at"] for item in found] == sorted(item["changed_at"] for item in found)
        return [item["referral_id"] for item in found]

    assert await pages(scene.provider) == [first.referral_id, second.referral_id]
    assert await pages(scene.hub) == [second.referral_id, first.referral_id]
