"""Every status as it is really reached, and every action out of it over HTTP: what is not allowed changes nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from services.referral.referrals.domain import Action, Status
from services.referral.referrals.schemas import BODIES
from tests.integration.referral.world import Organization, Scene, Sent, World, at, because

Steps = Sequence[tuple[str, str, dict[str, Any]]]
ACCEPTED: Steps = [("provider", "accept", {})]
STARTED: Steps = [*ACCEPTED, ("provider", "start", {})]
WAYS: dict[Status, Steps] = {
    Status.DRAFT: [],
    Status.SUBMITTED: [],
    Status.RECEIVED: [("provider", "acknowledge_receipt", {})],
    Status.AWAITING_INFORMATION: [("provider", "request_information", {"questions": ["other"]})],
    Status.WAITLISTED: [("provider", "waitlist", {})],
    Status.ACCEPTED: ACCEPTED,
    Status.IN_PROGRESS: STARTED,
    Status.ON_HOLD: [*STARTED, ("provider", "hold", because("other"))],
    Status.COMPLETED: [*ACCEPTED, ("provider", "complete", {"outcome": "enrolled"})],
    Status.FAILED: [*ACCEPTED, ("provider", "fail", because("no_show"))],
    Status.REJECTED: [("provider", "reject", because("no_funds"))],
    Status.CANCELLED: [("owner", "cancel", because("left_area"))],
    Status.EXPIRED: [],
    Status.ENTERED_IN_ERROR: [("owner", "enter_in_error", because("duplicate"))],
}
BODY: dict[Action, dict[str, Any]] = {
    Action.REQUEST_INFORMATION: {"questions": ["skills"]},
    Action.REJECT: because("other"),
    Action.DECLINE_PLACE: because("other"),
    Action.RECORD_CONTACT: {"contacted_on": "2026-03-02", "channel": "phone", "result": "reached"},
    Action.HOLD: because("other"),
    Action.COMPLETE: {"outcome": "employed"},
    Action.FAIL: because("other"),
    Action.CANCEL: because("other"),
    Action.ENTER_IN_ERROR: because("other"),
    Action.CONFIRM_RECEIPT: {"receipt": "confirmed"},
}


async def reached(world: World, scene: Scene, status: Status) -> Sent:
    sent = await (await scene.case()).referred(draft=status is Status.DRAFT)
    for who, action, body in WAYS[status]:
        await sent.does(scene.owner if who == "owner" else scene.provider, action, **body)
    if status is Status.EXPIRED:
        await world.move_to(datetime(2026, 3, 9, tzinfo=UTC))
    assert (await sent.now())["status"] == status
    return sent


@pytest.mark.parametrize("status", list(Status))
async def test_out_of_each_status_only_what_is_said_to_be_allowed(world: World, status: Status) -> None:
    scene = await Scene(world).set(places=3, remote=True)
    sent = await reached(world, scene, status)
    everything = scene.stranger.scope
    sides = [Organization("both", each.kind, each.country, everything, each.organization_id)
             for each in (scene.owner, scene.provider)]  # fmt: skip
    version = (await sent.now())["version"]
    for side in sides:
        seen = await world.request(side, "GET", f"/referrals/{sent.referral_id}")
        allowed = seen.json()["allowed"] if seen.status_code == 200 else []
        body = BODY | {Action.PASS_ON: {"to_organization_id": str(scene.hub.organization_id)}}
        for action in set(BODIES) - {Action(name) for name in allowed}:
            path = f"/referrals/{sent.referral_id}/{action}"
            refused = await world.request(side, "POST", path, body.get(action), at(version))
            problem = refused.json()
            if status is Status.DRAFT and side.organization_id == scene.provider.organization_id:
                assert refused.status_code == 404  # nobody but its owner knows of a draft
                continue
            assert refused.status_code in {403, 409}, (action, problem)
            assert problem["type"].rpartition(":")[2] in {"transition-not-allowed", "not-your-part"}
            assert (problem["current"], problem["allowed"]) == (status, allowed)
    assert (await sent.now())["version"] == version
