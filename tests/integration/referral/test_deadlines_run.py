"""Deadlines that pass: both sides are told, what nobody answers expires, and nothing is closed silently."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared import clock
from shared.events.registry import Deadlines
from tests.integration.referral.world import MONDAY, Scene, Sent, World, because


def day(number: int) -> datetime:
    """The end of this day of March 2026."""
    return datetime(2026, 3, number, 23, 59, 59, tzinfo=UTC)


def due(seen: dict[str, Any], deadline: str) -> datetime:
    return datetime.fromisoformat(seen["due"][deadline])


async def missed(world: World, sent: Sent) -> list[str]:
    return [event.deadline for event in await world.said(sent.referral_id) if hasattr(event, "deadline")]


async def test_what_nobody_answers_is_told_and_expires_a_working_day_later(world: World) -> None:
    scene = await Scene(world).set(places=1)
    returnee = await scene.case()
    sent = await returnee.referred()
    begun = await sent.now()
    assert (due(begun, "acknowledgement"), due(begun, "decision")) == (day(3), day(5))
    await world.move_to(day(4))
    assert await missed(world, sent) == ["acknowledgement"]
    await world.move_to(day(5) + timedelta(seconds=1))
    assert await missed(world, sent) == ["acknowledgement", "decision"]
    told = await sent.now()
    assert (told["status"], due(told, "expiry")) == ("submitted", day(6))
    await world.move_to(day(6) + timedelta(seconds=1))
    expired = await sent.now()
    assert (expired["status"], expired["place"]) == ("expired", {"state": "released"})
    assert expired["due"].keys() == {"outcome_acknowledgement"}
    assert (await sent.said())[-1] == "ReferralExpired"
    assert (await world.get(scene.owner, f"/cases/{returnee.case_id}"))["open_referrals"] == 0
    await world.move_to(day(28))
    assert await missed(world, sent) == ["acknowledgement", "decision", "outcome_acknowledgement"]


async def test_an_expired_leg_goes_back_to_whoever_passed_it_on_and_the_clock_begins_anew(world: World) -> None:
    scene = await Scene(world, hub=True).set()
    sent = await (await scene.case()).referred()
    await sent.does(scene.hub, "pass_on", to_organization_id=str(scene.provider.organization_id))
    await world.move_to(day(7))
    back = await sent.now()
    assert (back["status"], back["organization_id"]) == ("received", str(scene.hub.organization_id))
    assert (await sent.said())[-1] == "ReferralReturned"
    returned = (await world.said(sent.referral_id))[-1]
    assert (returned.because, returned.acted_by) == ("expired", None)  # type: ignore[attr-defined]
    assert due(back, "decision") == day(11)  # three working days after the Saturday on which it was found expired
    assert (await sent.seen_by(scene.provider))["status"] == "returned"


async def test_urgent_runs_by_the_clock_and_expires_twelve_hours_later(world: World) -> None:
    scene = await Scene(world).set()
    sent = await (await scene.case()).referred(priority="emergency")
    begun = await sent.now()
    # A day has passed since no more than the moment of sending.
    assert abs(due(begun, "decision") - (MONDAY + timedelta(hours=24))) < timedelta(minutes=5)
    assert due(begun, "acknowledgement") == due(begun, "decision")
    await world.move_to(due(begun, "decision") + timedelta(seconds=1))
    told = await sent.now()
    assert due(told, "expiry") == due(begun, "decision") + timedelta(hours=12)
    await world.move_to(due(told, "expiry") + timedelta(seconds=1))
    assert (await sent.now())["status"] == "expired"


async def test_a_late_answer_before_the_expiry_counts(world: World) -> None:
    scene = await Scene(world).set()
    sent = await (await scene.case()).referred()
    await world.move_to(day(5) + timedelta(hours=9))
    accepted = await sent.does(scene.provider, "accept")
    assert (accepted["status"], accepted["due"]) == ("accepted", {})
    await world.move_to(day(9))
    assert (await sent.now())["status"] == "accepted"


async def test_the_decision_comes_two_days_before_the_departure_and_moves_with_it(world: World) -> None:
    scene = await Scene(world).set()
    returnee = await scene.case(planned_departure_on="2026-03-06")
    sent = await returnee.referred()
    assert due(await sent.now(), "decision") == datetime(2026, 3, 4, tzinfo=UTC)
    path = f"/cases/{returnee.case_id}"
    for departure, decision in (("2026-03-20", day(5)), ("2026-03-05", datetime(2026, 3, 3, tzinfo=UTC))):
        version = (await world.get(scene.owner, path))["version"]
        headers = {"If-Match": f'"{version}"'}
        changed = await world.request(scene.owner, "PATCH", path, {"planned_departure_on": departure}, headers)
        assert changed.status_code == 200, changed.text
        await world.settle()
        assert due(await sent.now(), "decision") == decision


async def test_a_decision_so_near_to_the_departure_is_not_put_off_by_other_changes(world: World) -> None:
    scene = await Scene(world).set()
    returnee = await scene.case(planned_departure_on="2026-03-03")
    sent = await returnee.referred()
    decision = due(await sent.now(), "decision")
    assert abs(decision - (MONDAY + timedelta(hours=24))) < timedelta(minutes=5)
    clock.move_to(MONDAY + timedelta(hours=6))
    path = f"/cases/{returnee.case_id}"
    headers = {"If-Match": f'"{(await world.get(scene.owner, path))["version"]}"'}
    changed = await world.request(scene.owner, "PATCH", path, {"return_type": "unknown"}, headers)
    assert changed.status_code == 200, changed.text
    await world.settle()
    assert due(await sent.now(), "decision") == decision


async def test_the_agreement_overrides_the_deadlines(world: World) -> None:
    scene = await Scene(world).set(deadlines=Deadlines(acknowledgement=2, decision=7))
    begun = await (await (await scene.case()).referred()).now()
    assert (due(begun, "acknowledgement"), due(begun, "decision")) == (day(4), day(11))


async def test_the_receivers_clock_stands_still_while_the_owner_is_asked(world: World) -> None:
    scene = await Scene(world).set()
    sent = await (await scene.case()).referred()
    asked = await sent.does(scene.provider, "request_information", questions=["documents"])
    assert asked["due"].keys() == {"information"}
    assert due(asked, "information") == day(9)
    await world.move_to(MONDAY + timedelta(days=2))
    answered = await sent.does(scene.owner, "provide_information", answers={"documents": "all of them"})
    assert (answered["status"], due(answered, "decision")) == ("received", day(9))
    await sent.does(scene.provider, "request_information", questions=["documents"])
    await world.move_to(day(13))
    assert await missed(world, sent) == ["information"]
    assert (await sent.now())["status"] == "expired"


async def test_the_receiver_takes_its_question_back(world: World) -> None:
    scene = await Scene(world).set()
    sent = await (await scene.case()).referred()
    await sent.does(scene.provider, "request_information", questions=["other"])
    problem = await sent.refused(scene.provider, "provide_information", {"answers": {"other": "made up"}})
    assert problem["status"] == 422
    assert (await sent.does(scene.provider, "provide_information"))["status"] == "received"


async def test_first_contact_and_start_are_due_from_the_arrival_on_and_only_told(world: World) -> None:
    scene = await Scene(world).set()
    returnee = await scene.case()
    sent = await returnee.referred()
    await sent.does(scene.provider, "accept")
    assert (await sent.now())["due"] == {}
    await world.move_to(datetime(2026, 3, 4, 9, tzinfo=UTC))
    await returnee.does("arrive", {"arrived_on": "2026-03-03"})
    now = await sent.now()
    assert due(now, "first_contact") == day(17)
    assert due(now, "start").date() > day(28).date()
    attempt = {"contacted_on": "2026-03-04", "channel": "phone", "result": "not_reached"}
    await sent.does(scene.provider, "record_contact", **attempt)
    await world.move_to(day(18))
    assert await missed(world, sent) == ["first_contact"]
    assert (await sent.now())["status"] == "accepted"
    await sent.does(scene.provider, "record_contact", **(attempt | {"result": "reached"}))
    assert (await sent.now())["due"].keys() == {"start"}


async def test_a_contact_before_the_arrival_is_recorded_and_is_no_first_contact(world: World) -> None:
    scene = await Scene(world).set()
    returnee = await scene.case()
    sent = await returnee.referred()
    await sent.does(scene.provider, "accept")
    contact = {"contacted_on": "2026-03-02", "channel": "phone", "result": "reached"}
    await sent.does(scene.provider, "record_contact", **contact)
    await world.move_to(datetime(2026, 3, 4, 9, tzinfo=UTC))
    await returnee.does("arrive", {"arrived_on": "2026-03-04"})
    assert (await sent.now())["due"].keys() == {"first_contact", "start"}
    await sent.does(scene.provider, "record_contact", **(contact | {"contacted_on": "2026-03-03"}))
    now = await sent.now()
    assert (now["due"].keys(), now["phase"]) == ({"first_contact", "start"}, "arrived")
    await sent.does(scene.provider, "record_contact", **(contact | {"contacted_on": "2026-03-04"}))
    now = await sent.now()
    assert (now["due"].keys(), now["phase"]) == ({"start"}, "post_arrival")


async def test_a_service_from_afar_may_make_its_first_contact_before_the_arrival(world: World) -> None:
    scene = await Scene(world).set(remote=True)
    returnee = await scene.case()
    sent = await returnee.referred()
    await sent.does(scene.provider, "accept")
    contact = {"contacted_on": "2026-03-02", "channel": "video", "result": "reached"}
    await sent.does(scene.provider, "record_contact", **contact)
    await returnee.does("arrive", {"arrived_on": "2026-03-02"})
    now = await sent.now()
    assert (now["due"].keys(), now["phase"]) == ({"start"}, "arrived")


async def test_a_hold_and_a_waiting_place_are_reviewed(world: World) -> None:
    scene = await Scene(world).set(remote=True)
    sent = await (await scene.case()).referred()
    waiting = await (await scene.case()).referred()
    await waiting.does(scene.provider, "waitlist")
    await sent.does(scene.provider, "accept")
    await sent.does(scene.provider, "start")
    await sent.does(scene.provider, "hold", **because("waiting_for_documents"))
    assert (await sent.now())["due"].keys() == {"review"}
    await world.move_to(datetime(2026, 5, 4, 9, tzinfo=UTC))
    assert await missed(world, sent) == await missed(world, waiting) == ["review"]
    assert ((await sent.now())["status"], (await waiting.now())["status"]) == ("on_hold", "waitlisted")


async def test_what_the_owner_ended_is_closed_at_once(world: World) -> None:
    scene = await Scene(world).set()
    for action, reason in (("cancel", "left_area"), ("enter_in_error", "created_in_error")):
        sent = await (await scene.case()).referred()
        done = await sent.does(scene.owner, action, **because(reason))
        assert done["closed_at"]
        assert done["due"] == {}
        assert "acknowledge_outcome" not in done["allowed"]
