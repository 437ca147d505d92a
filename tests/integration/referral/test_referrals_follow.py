"""What follows from elsewhere: a return that is cancelled, a permission that ends, a right that comes back."""

from shared.events.registry import AgreementEnded, ServiceRetired
from tests.integration.referral.world import Scene, Sent, World


async def both(scene: Scene) -> tuple[Sent, Sent]:
    """One referral that nobody accepted yet, and one that the provider accepted."""
    waiting = await (await scene.case()).referred()
    accepted = await (await scene.case()).referred()
    await accepted.does(scene.provider, "accept")
    return waiting, accepted


async def test_a_cancelled_return_cancels_what_has_not_started(world: World) -> None:
    scene = await Scene(world).set(places=5, remote=True)
    waiting, accepted = await both(scene)
    started = await (await scene.case()).referred()
    await started.does(scene.provider, "accept")
    await started.does(scene.provider, "start")
    for sent in (waiting, accepted, started):
        await sent.returnee.does("cancel_return")
    for sent in (waiting, accepted):
        now = await sent.now()
        assert (now["status"], now["reason"], now["place"]["state"]) == (
            "cancelled",
            "return_not_executed",
            "released",
        )
        assert now["closed_at"]
        assert (await world.get(scene.owner, f"/cases/{sent.returnee.case_id}"))["open_referrals"] == 0
    assert (await started.now())["status"] == "in_progress"


async def test_withdrawn_consent_cancels_what_is_not_accepted_and_stops_sharing_after_it(world: World) -> None:
    scene = await Scene(world).set()
    waiting, accepted = await both(scene)
    for sent in (waiting, accepted):
        path = f"/cases/{sent.returnee.case_id}/consents"
        (consent,) = (await world.get(scene.owner, path))["items"]
        headers = {"If-Match": f'"{consent["version"]}"'}
        withdrawn = await world.request(
            scene.owner, "POST", f"{path}/{consent['consent_id']}/withdraw", headers=headers
        )
        assert withdrawn.status_code == 200, withdrawn.text
        assert "identity" not in await sent.seen_by(scene.provider)  # before anything else has heard of it
    await world.settle()
    assert ((await waiting.now())["status"], (await waiting.now())["reason"]) == ("cancelled", "consent_withdrawn")
    stopped = await accepted.now()
    assert stopped["status"] == "accepted"
    assert stopped["sharing_stopped_at"]
    assert (await accepted.said())[-1] == "SharingStopped"
    await accepted.returnee.consents(scene.provider)
    await world.settle()
    assert (await accepted.now())["sharing_stopped_at"] is None
    assert "identity" in await accepted.seen_by(scene.provider)


async def test_a_consent_that_something_else_replaces_stops_nothing(world: World) -> None:
    scene = await Scene(world).set()
    sent = await (await scene.case()).referred()
    path = f"/cases/{sent.returnee.case_id}/consents"
    (consent,) = (await world.get(scene.owner, path))["items"]
    await sent.returnee.consents(scene.provider)
    headers = {"If-Match": f'"{consent["version"]}"'}
    await world.request(scene.owner, "POST", f"{path}/{consent['consent_id']}/withdraw", headers=headers)
    await world.settle()
    assert (await sent.now())["status"] == "submitted"


async def test_an_ended_agreement_cancels_what_is_not_accepted_and_stops_sharing_after_it(world: World) -> None:
    scene = await Scene(world).set()
    waiting, accepted = await both(scene)
    told = scene.agreement("direct", scene.owner, scene.provider).model_dump()
    await world.hear(AgreementEnded.model_validate(told | {"version": 2, "ended_on": "2026-03-02"}))
    await world.settle()
    assert ((await waiting.now())["status"], (await waiting.now())["reason"]) == ("cancelled", "agreement_ended")
    assert (await accepted.said())[-1] == "SharingStopped"
    assert "identity" not in await accepted.seen_by(scene.provider)
    assert (await waiting.now())["due"].keys() == {"outcome_acknowledgement"}
    await scene.agree("renewed", scene.owner, scene.provider)
    assert (await accepted.now())["sharing_stopped_at"] is None
    assert "identity" in await accepted.seen_by(scene.provider)


async def test_an_ended_instrument_ends_what_nothing_else_lets_leave(world: World) -> None:
    scene = await Scene(world).set()
    waiting, accepted = await both(scene)
    told = scene.sharing("sharing directly", scene.owner, scene.provider).model_dump()
    await world.hear(AgreementEnded.model_validate(told | {"version": 2, "ended_on": "2026-03-02"}))
    await world.settle()
    assert (await waiting.now())["status"] == "cancelled"
    assert (await accepted.said())[-1] == "SharingStopped"


async def test_an_ended_agreement_that_another_replaces_stops_nothing(world: World) -> None:
    scene = await Scene(world).set()
    waiting, accepted = await both(scene)
    await scene.agree("renewed", scene.owner, scene.provider)
    told = scene.agreement("direct", scene.owner, scene.provider).model_dump()
    await world.hear(AgreementEnded.model_validate(told | {"version": 2, "ended_on": "2026-03-02"}))
    await world.settle()
    assert ((await waiting.now())["status"], (await accepted.now())["sharing_stopped_at"]) == ("submitted", None)


async def test_a_retired_service_cancels_what_is_not_accepted(world: World) -> None:
    scene = await Scene(world).set(places=3)
    waiting, accepted = await both(scene)
    told = scene.service(places=3).model_dump()
    await world.hear(ServiceRetired.model_validate(told | {"version": 2}))
    await world.settle()
    assert ((await waiting.now())["status"], (await waiting.now())["reason"]) == ("cancelled", "service_ended")
    assert (await accepted.said())[-1] == "SharingStopped"
    refused = await (await scene.case()).refer()
    assert refused.json()["errors"][0]["code"] == "service_retired"


async def test_events_heard_twice_change_nothing_twice(world: World) -> None:
    scene = await Scene(world).set(places=1)
    holder = await (await scene.case()).referred()
    waiting = await (await scene.case()).referred(when_full="waitlist")
    await holder.does(scene.provider, "reject", reason={"code": "no_funds"})
    version = (await waiting.now())["version"]
    events = await world.said(holder.referral_id)
    await world.hear(*events)
    await world.settle()
    assert (await waiting.now())["version"] == version
    assert await world.names_said(waiting.referral_id) == ["ReferralCreated", "PlaceOffered"]
