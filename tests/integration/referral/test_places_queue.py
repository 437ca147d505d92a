"""Places: the last one, the waiting list, offers, and numbers that change; on a real PostgreSQL."""

import asyncio
from datetime import timedelta
from typing import Any

from tests.integration.referral.world import MONDAY, Scene, Sent, World, because


async def ledger(world: World, scene: Scene) -> dict[str, Any]:
    return next(row for row in await world.rows("place_ledgers") if row["service_id"] == scene.service_id)


async def counted(world: World, scene: Scene) -> dict[str, int]:
    """What the ledger says, which must be what its claims say."""
    row = await ledger(world, scene)
    states = [each["state"] for each in await world.rows("place_claims") if each["service_id"] == scene.service_id]
    counts = {name: row[name] for name in ("held", "offered", "used", "queued")}
    assert counts == {name: states.count(name) for name in counts}
    return counts


async def queue(scene: Scene, *priorities: str) -> list[Sent]:
    """Referrals that wait, in this order of time."""
    return [await (await scene.case()).referred(priority=priority, when_full="waitlist") for priority in priorities]


async def test_of_two_who_want_the_last_place_exactly_one_gets_it(world: World) -> None:
    scene = await Scene(world).set(places=1)
    returnees = [await scene.case() for _ in range(6)]
    answers = await asyncio.gather(*(returnee.refer() for returnee in returnees))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert {problem["type"] for problem in refused} == {"urn:relink:problem:no-capacity"}
    assert await counted(world, scene) == {"held": 1, "offered": 0, "used": 0, "queued": 0}


async def test_a_refused_referral_leaves_nothing_behind(world: World) -> None:
    scene = await Scene(world).set(places=0)
    returnee = await scene.case()
    assert (await returnee.refer()).json()["obstacles"] == ["no-capacity"]
    assert (await world.get(scene.owner, "/referrals"))["items"] == []
    assert (await world.get(scene.owner, f"/cases/{returnee.case_id}"))["open_referrals"] == 0


async def test_a_freed_place_goes_to_the_queue_by_priority_vulnerability_and_time(world: World) -> None:
    scene = await Scene(world).set(places=1)
    holder = await (await scene.case()).referred()
    normal, vulnerable, urgent = await queue(scene, "normal", "normal", "urgent")
    await vulnerable.returnee.screened("vulnerable")
    await world.settle()
    positions = [(await sent.now())["place"]["position"] for sent in (urgent, vulnerable, normal)]
    assert positions == [1, 2, 3]
    assert (await normal.now())["status"] == "waitlisted"
    for following in (urgent, vulnerable, normal):
        await holder.does(scene.provider, "reject", **because("not_eligible"))
        now = await following.now()
        assert (now["status"], now["place"]["state"]) == ("waitlisted", "offered")
        assert now["place"]["offered_until"] == now["due"]["offer"]
        holder = following
    assert await counted(world, scene) == {"held": 0, "offered": 1, "used": 0, "queued": 0}


async def test_while_anybody_waits_a_newcomer_gets_no_place(world: World) -> None:
    scene = await Scene(world).set(places=1)
    holder = await (await scene.case()).referred()
    (waiting,) = await queue(scene, "normal")
    # The place is free, and the service has not heard of it yet when the newcomer asks.
    await holder.try_to(scene.owner, "cancel", because("left_area"))
    newcomer = await (await scene.case()).refer(priority="emergency")
    assert newcomer.json()["type"].endswith("no-capacity")
    await world.settle()
    assert (await waiting.now())["place"]["state"] == "offered"


async def test_accepting_takes_the_offered_place_and_without_one_nobody_accepts(world: World) -> None:
    scene = await Scene(world).set(places=1)
    holder = await (await scene.case()).referred()
    (waiting,) = await queue(scene, "normal")
    problem = await waiting.refused(scene.provider, "accept")
    assert (problem["status"], problem["current"]) == (409, "waitlisted")
    assert "accept" not in problem["allowed"]
    await holder.does(scene.owner, "cancel", **because("left_area"))
    accepted = await waiting.does(scene.provider, "accept")
    assert (accepted["status"], accepted["place"]) == ("accepted", {"state": "held"})
    assert await counted(world, scene) == {"held": 1, "offered": 0, "used": 0, "queued": 0}


async def test_a_declined_place_goes_on_and_when_all_have_declined_it_is_free(world: World) -> None:
    scene = await Scene(world).set(places=1)
    holder = await (await scene.case()).referred()
    first, second = await queue(scene, "urgent", "normal")
    await holder.does(scene.owner, "cancel", **because("left_area"))
    declined = await first.does(scene.owner, "decline_place", **because("date_unsuitable"))
    assert (declined["status"], declined["place"]["state"]) == ("waitlisted", "queued")
    assert (await second.now())["place"]["state"] == "offered"
    assert (await first.now())["place"]["declines"] == 1
    await second.does(scene.provider, "decline_place", **because("other"))
    assert await counted(world, scene) == {"held": 0, "offered": 0, "used": 0, "queued": 2}
    newcomer = await (await scene.case()).referred()
    assert (await newcomer.now())["place"]["state"] == "held"
    # The next that becomes free is another one: those who wait are asked again, whoever declined less often first.
    (third,) = await queue(scene, "normal")
    await newcomer.does(scene.owner, "cancel", **because("left_area"))
    assert (await third.now())["place"]["state"] == "offered"


async def test_an_offer_that_nobody_answers_goes_on(world: World) -> None:
    scene = await Scene(world).set(places=1)
    holder = await (await scene.case()).referred()
    first, second = await queue(scene, "normal", "normal")
    await first.does(scene.provider, "acknowledge_receipt")
    await second.does(scene.provider, "acknowledge_receipt")
    await holder.does(scene.owner, "cancel", **because("left_area"))
    await world.move_to(MONDAY + timedelta(days=4))
    assert (await first.said())[-3:] == ["PlaceOffered", "DeadlineMissed", "PlaceDeclined"]
    declined = (await world.said(first.referral_id))[-1]
    assert (declined.reason, declined.acted_by) == ("no_answer", None)  # type: ignore[attr-defined]
    assert (await second.now())["place"]["state"] == "offered"


async def test_more_places_are_offered_to_those_who_wait_and_fewer_take_nothing_from_anybody(world: World) -> None:
    scene = await Scene(world).set(places=2)
    holders = [await (await scene.case()).referred() for _ in range(2)]
    waiting = await queue(scene, "normal", "normal", "normal")
    await scene.publish(version=2, places=1)
    await world.settle()
    assert [(await sent.now())["place"]["state"] for sent in holders] == ["held", "held"]
    changed = (await world.said(scene.service_id))[-1]
    assert (changed.set_aside, changed.free) == (1, -1)  # type: ignore[attr-defined]
    await holders[0].does(scene.owner, "cancel", **because("left_area"))
    assert [(await sent.now())["place"]["state"] for sent in waiting] == ["queued", "queued", "queued"]
    await scene.publish(version=3, places=3)
    await world.settle()
    assert [(await sent.now())["place"]["state"] for sent in waiting] == ["offered", "offered", "queued"]
    assert await counted(world, scene) == {"held": 1, "offered": 2, "used": 0, "queued": 1}


async def test_who_is_waitlisted_gives_up_its_place_and_is_not_offered_it_again(world: World) -> None:
    scene = await Scene(world).set(places=1)
    holder = await (await scene.case()).referred()
    listed = await holder.does(scene.provider, "waitlist")
    assert (listed["status"], listed["place"]["state"]) == ("waitlisted", "queued")
    assert (await holder.now())["place"]["state"] == "queued"
    newcomer = await (await scene.case()).referred()
    assert (await newcomer.now())["place"]["state"] == "held"
    await newcomer.does(scene.owner, "cancel", **because("left_area"))
    assert (await holder.now())["place"]["state"] == "offered"


async def test_where_places_are_not_counted_nobody_is_offered_one_and_everybody_can_be_accepted(world: World) -> None:
    scene = await Scene(world).set()
    sent = await (await scene.case()).referred()
    listed = await sent.does(scene.provider, "waitlist")
    assert (listed["status"], listed["place"]) == ("waitlisted", {"state": "not_counted"})
    other = await (await scene.case()).referred()
    await other.does(scene.owner, "cancel", **because("left_area"))
    assert (await sent.now())["status"] == "waitlisted"
    assert "PlaceOffered" not in await sent.said()
    assert "PlacesChanged" not in await world.names_said(scene.service_id)
    assert (await sent.does(scene.provider, "accept"))["status"] == "accepted"


async def test_places_that_come_to_be_counted_are_held_by_those_who_have_them(world: World) -> None:
    scene = await Scene(world).set()
    sent = await (await scene.case()).referred()
    waiting = await (await scene.case()).referred()
    await waiting.does(scene.provider, "waitlist")
    await scene.publish(version=2, places=2)
    await world.settle()
    assert (await sent.now())["place"]["state"] == "held"
    assert (await waiting.now())["place"]["state"] == "offered"
    assert await counted(world, scene) == {"held": 1, "offered": 1, "used": 0, "queued": 0}


async def test_a_question_keeps_the_turn_of_who_waits(world: World) -> None:
    scene = await Scene(world).set(places=1)
    holder = await (await scene.case()).referred()
    (waiting,) = await queue(scene, "normal")
    await waiting.does(scene.provider, "request_information", questions=["skills"])
    await holder.does(scene.owner, "cancel", **because("left_area"))
    asked = await waiting.now()
    assert (asked["status"], asked["place"]["state"]) == ("awaiting_information", "offered")
    answered = await waiting.does(scene.owner, "provide_information", answers={"skills": "tailoring"})
    assert (answered["status"], answered["due"].keys()) == ("waitlisted", {"offer"})


async def test_a_hub_takes_an_offered_place_along_when_it_passes_on(world: World) -> None:
    scene = await Scene(world, hub=True).set(places=1)
    holder = await (await scene.case()).referred()
    (waiting,) = await queue(scene, "normal")
    onward = {"to_organization_id": str(scene.provider.organization_id)}
    await holder.does(scene.owner, "cancel", **because("left_area"))
    passed = await waiting.does(scene.hub, "pass_on", **onward)
    assert (passed["status"], passed["place"]["state"]) == ("submitted", "held")
    (queued,) = await queue(scene, "normal")
    still = await queued.does(scene.hub, "pass_on", **onward)
    assert (still["status"], still["place"]["state"]) == ("waitlisted", "queued")


async def test_the_ledger_says_it_changed_before_the_referral_says_why(world: World) -> None:
    scene = await Scene(world).set(places=3)
    sent = await (await scene.case()).referred()
    outbox = sorted(await world.rows("outbox"), key=lambda row: row["seq"])
    mine = [row["type"].rpartition(".")[2] for row in outbox if str(row["subject"]) in
            {sent.referral_id, str(scene.service_id)}]  # fmt: skip
    assert mine == ["PlacesChanged", "PlacesChanged", "ReferralCreated"]
    response = await sent.try_to(scene.provider, "reject", because("not_eligible"))
    outbox = sorted(await world.rows("outbox"), key=lambda row: row["seq"])
    assert [row["type"].rpartition(".")[2] for row in outbox[-2:]] == ["PlacesChanged", "ReferralRejected"]
    assert response.headers["Relink-Event"] == f"referral:{outbox[-1]['event_id']}"


async def test_many_at_once_never_take_more_than_there_is_and_lose_nobody(world: World) -> None:
    scene = await Scene(world).set(places=3)
    returnees = [await scene.case() for _ in range(8)]
    answers = await asyncio.gather(*(returnee.refer(when_full="waitlist") for returnee in returnees))
    sent = [Sent(returnee, answer.json()["referral_id"]) for returnee, answer in zip(returnees, answers, strict=True)]
    assert await counted(world, scene) == {"held": 3, "offered": 0, "used": 0, "queued": 5}
    holding = [each for each in sent if (await each.now())["place"]["state"] == "held"]
    await asyncio.gather(*(each.try_to(scene.owner, "cancel", because("left_area")) for each in holding))
    await world.settle()
    assert await counted(world, scene) == {"held": 0, "offered": 3, "used": 0, "queued": 2}
