"""The whole loop, direct and by a hub, over HTTP."""

from shared.events.registry import AgreementEnded, Deadlines, Disclosure
from tests.integration.referral.world import NAME, PHONE, WORDS, Scene, World, because


async def test_a_direct_referral_travels_the_whole_loop(world: World) -> None:
    scene = await Scene(world).set(places=2)
    returnee = await scene.case()
    sent = await returnee.referred()
    begun = await sent.now()
    assert begun["status"] == "submitted"
    assert [leg["role"] for leg in begun["route"]] == ["provider"]
    assert begun["place"] == {"state": "held"}
    assert begun["due"].keys() == {"acknowledgement", "decision"}
    assert (await sent.does(scene.provider, "acknowledge_receipt"))["status"] == "received"
    assert (await sent.does(scene.provider, "accept"))["status"] == "accepted"
    problem = await sent.refused(scene.provider, "start")
    assert problem["type"] == "urn:relink:problem:transition-not-allowed"
    assert problem["current"] == "accepted"
    assert "start" not in problem["allowed"]
    await returnee.does("arrive", {"arrived_on": "2026-03-02"})
    assert (await sent.now())["due"].keys() == {"first_contact", "start"}
    contact = {"contacted_on": "2026-03-02", "channel": "phone", "result": "reached"}
    await sent.does(scene.provider, "record_contact", **contact)
    assert (await sent.now())["phase"] == "post_arrival"
    started = await sent.does(scene.provider, "start")
    assert (started["status"], started["place"]) == ("in_progress", {"state": "used"})
    held = await sent.does(scene.provider, "hold", **because("waiting_for_returnee"))
    assert (held["status"], held["reason"]) == ("on_hold", "waiting_for_returnee")
    assert (await sent.does(scene.provider, "resume"))["status"] == "in_progress"
    done = await sent.does(scene.provider, "complete", outcome="employed")
    assert (done["status"], done["outcome"], done["place"]) == ("completed", "employed", {"state": "released"})
    assert (await sent.does(scene.owner, "confirm_receipt", receipt="confirmed"))["receipt"] == "confirmed"
    closed = await sent.does(scene.owner, "acknowledge_outcome")
    assert closed["closed_at"]
    assert closed["due"] == {}
    assert await sent.said() == [
        "ReferralCreated",
        "ReferralReceived",
        "ReferralAccepted",
        "ContactRecorded",
        "ServiceStarted",
        "ServiceHeld",
        "ServiceResumed",
        "ServiceDelivered",
        "ReceiptConfirmed",
        "OutcomeAcknowledged",
    ]
    assert (await world.get(scene.owner, f"/cases/{returnee.case_id}"))["open_referrals"] == 0


async def test_a_referral_by_a_hub_travels_the_whole_loop(world: World) -> None:
    scene = await Scene(world, hub=True).set()
    returnee = await scene.case()
    sent = await returnee.referred()
    begun = await sent.now()
    assert [(leg["role"], leg["state"]) for leg in begun["route"]] == [("hub", "submitted"), ("provider", "planned")]
    assert begun["development_referral"]["value"] == "yes"
    assert begun["place"] == {"state": "not_counted"}
    assert begun["warnings"] == []
    await sent.does(scene.hub, "acknowledge_receipt")
    passed = await sent.does(scene.hub, "pass_on", to_organization_id=str(scene.provider.organization_id))
    assert passed["status"] == "submitted"
    assert passed["organization_id"] == str(scene.provider.organization_id)
    assert [(task["role"], task["state"]) for task in passed["tasks"]] == [
        ("hub", "passed_on"),
        ("provider", "submitted"),
    ]
    await sent.does(scene.provider, "accept")
    await returnee.does("arrive", {"arrived_on": "2026-03-02"})
    await sent.does(scene.provider, "complete", outcome="service_delivered")
    said = await world.said(sent.referral_id)
    passed_on = next(event for event in said if type(event).__name__ == "ReferralPassedOn")
    assert passed_on.how == "planned"  # type: ignore[attr-defined]
    versions = [event.version for event in said]
    assert versions == sorted(set(versions))


async def test_identity_is_seen_by_the_provider_from_acceptance_on_and_only_when_it_reads(world: World) -> None:
    scene = await Scene(world, hub=True).set()
    returnee = await scene.case()
    sent = await returnee.referred()
    provider = str(scene.provider.organization_id)
    await sent.does(scene.hub, "pass_on", to_organization_id=provider)
    assert "identity" not in await sent.seen_by(scene.provider)
    answer = await sent.does(scene.provider, "accept")
    assert "identity" not in answer
    assert NAME not in str(answer)
    seen = await sent.seen_by(scene.provider)
    assert seen["identity"] == {"name": NAME, "contacts": [{"kind": "phone", "value": PHONE}]}
    assert "identity" not in await sent.seen_by(scene.hub)
    listed = await world.get(scene.provider, "/referrals", box="inbox")
    assert NAME not in str(listed)
    for name in ("outbox", "idempotency_keys", "referrals", "referral_history", "referral_tasks"):
        stored = str(await world.rows(name))
        assert NAME not in stored
        assert PHONE not in stored
    onward = {"to_organization_id": str(scene.hub.organization_id)}
    # The provider passes it on: its access ends. The hub takes part by its own agreement with the provider.
    passed = await sent.try_to(scene.provider, "pass_on", onward)
    assert passed.status_code == 200, passed.text
    assert "identity" not in await sent.seen_by(scene.provider)


async def test_a_hub_sees_identity_only_where_its_agreement_says_so_and_only_after_acceptance(world: World) -> None:
    scene = await Scene(world, hub=True).set()
    seeing = Disclosure(fields=["name"], hub_sees_identity=True)
    await scene.agree("to hub", scene.owner, scene.hub, version=2, disclosure=seeing)
    sent = await (await scene.case()).referred()
    await sent.does(scene.hub, "pass_on", to_organization_id=str(scene.provider.organization_id))
    assert "identity" not in await sent.seen_by(scene.hub)
    await sent.does(scene.provider, "accept")
    assert (await sent.seen_by(scene.hub))["identity"] == {"name": NAME}
    assert (await sent.seen_by(scene.provider))["identity"].keys() == {"name"}  # what the owner agreed, no more
    await sent.does(scene.provider, "fail", **because("no_show"))
    for who in (scene.hub, scene.provider):
        assert "identity" not in await sent.seen_by(who)


async def test_a_side_agreement_widens_nothing_that_the_case_owner_agreed(world: World) -> None:
    scene = await Scene(world, hub=True).set()
    owners, side = Disclosure(fields=["name", "notes"]), Disclosure(fields=["name", "contacts"])
    await scene.agree("to hub", scene.owner, scene.hub, version=2, disclosure=owners, deadlines=Deadlines(decision=4))
    terms = Deadlines(decision=40, acknowledgement=2)
    await scene.agree("onward", scene.hub, scene.provider, version=2, disclosure=side, deadlines=terms)
    returnee = await scene.case(consent=False)
    await returnee.consents(fields="name contacts notes")
    sent = await returnee.referred()
    await sent.does(scene.hub, "pass_on", to_organization_id=str(scene.provider.organization_id))
    due = (await sent.now())["due"]
    assert (due["decision"], due["acknowledgement"]) == ("2026-03-06T23:59:59Z", "2026-03-04T23:59:59Z")
    await sent.does(scene.provider, "accept")
    assert (await sent.seen_by(scene.provider))["identity"].keys() == {"name"}
    told = scene.agreement("to hub", scene.owner, scene.hub, disclosure=Disclosure(fields=["name"])).model_dump()
    await world.hear(AgreementEnded.model_validate(told | {"version": 3, "ended_on": "2026-03-02"}))
    await world.settle()  # the leg to the provider rests on another one, which goes on
    assert (await sent.seen_by(scene.provider))["identity"].keys() == {"name"}


async def test_a_persons_words_are_sealed_and_read_only_by_whom_they_are_for(world: World) -> None:
    scene = await Scene(world, hub=True).set()
    sent = await (await scene.case()).referred()
    await sent.does(scene.hub, "request_information", questions=["health", "skills"], text="may she travel?")
    await sent.does(scene.owner, "provide_information", answers={"skills": "tailoring"}, text="yes she may")
    await sent.does(scene.owner, "cancel", **because("sender_withdrew", WORDS))
    assert WORDS not in str(await world.rows("referral_history"))
    assert WORDS not in str(await world.rows("outbox"))
    path = f"/referrals/{sent.referral_id}/history"
    owners = {entry["what"]: entry["words"] for entry in (await world.get(scene.owner, path))["items"]}
    hubs = {entry["what"]: entry["words"] for entry in (await world.get(scene.hub, path))["items"]}
    assert owners["cancel"] == {"text": WORDS}
    assert hubs["cancel"] is None
    assert hubs["provide_information"] == {"text": "yes she may", "answers": {"skills": "tailoring"}}
    assert hubs["request_information"] == {"text": "may she travel?"}


async def test_a_rejection_goes_back_to_whoever_passed_it_on_and_never_rewrites_the_way(world: World) -> None:
    scene = await Scene(world, hub=True).set(places=1)
    sent = await (await scene.case()).referred()
    onward = {"to_organization_id": str(scene.provider.organization_id)}
    await sent.does(scene.hub, "pass_on", **onward)
    returned = await sent.does(scene.provider, "reject", **because("no_funds", WORDS))
    assert (returned["status"], returned["allowed"]) == ("returned", [])
    now = await sent.now()
    assert (now["status"], now["organization_id"]) == ("received", str(scene.hub.organization_id))
    assert [task["state"] for task in now["tasks"]] == ["passed_on", "returned", "received"]
    assert now["place"] == {"state": "released"}
    assert now["due"].keys() == {"decision"}
    part = await sent.seen_by(scene.provider)
    assert (part["status"], part["reason"]) == ("returned", "no_funds")
    assert [task["organization_id"] for task in part["tasks"]] == [str(scene.provider.organization_id)]
    await sent.does(scene.hub, "pass_on", **onward)
    assert (await sent.now())["place"] == {"state": "held"}
    await sent.does(scene.provider, "reject", **because("no_funds"))
    last = await sent.does(scene.hub, "reject", **because("not_eligible"))
    assert (last["status"], last["closed_at"]) == ("rejected", None)
    assert (await sent.said())[-2:] == ["ReferralReturned", "ReferralRejected"]
    acknowledged = await sent.does(scene.owner, "acknowledge_outcome")
    assert acknowledged["closed_at"]


async def test_a_redirected_referral_takes_its_place_along_and_needs_its_own_decision(world: World) -> None:
    scene = await Scene(world, hub=True).set(places=1)
    other = Scene(world)
    other.provider, other.area = scene.provider, scene.area
    await other.publish(places=1)
    await scene.agree("other service", scene.hub, scene.provider, covers={"service_ids": [other.service_id]})
    returnee = await scene.case()
    sent = await returnee.referred()
    onward = {"to_organization_id": str(scene.provider.organization_id), "service_id": str(other.service_id)}
    assert (await sent.refused(scene.hub, "pass_on", onward))["type"].endswith("decision-missing")
    decision_id = str(await returnee.decided(service_id=other.service_id))
    await sent.does(scene.hub, "pass_on", **onward, decision_id=decision_id)
    now = await sent.now()
    assert (now["service_id"], now["place"]["state"]) == (str(other.service_id), "held")
    event = (await world.said(sent.referral_id))[-1]
    assert (event.how, event.freed_service_id) == ("redirected", scene.service_id)  # type: ignore[attr-defined]
    ledgers = {row["service_id"]: row["held"] for row in await world.rows("place_ledgers")}
    assert (ledgers[scene.service_id], ledgers[other.service_id]) == (0, 1)


async def test_a_draft_is_edited_sent_or_thrown_away_and_says_nothing(world: World) -> None:
    scene = await Scene(world).set()
    returnee = await scene.case()
    draft = await returnee.referred(draft=True, priority="urgent", external_refs=[{"system": "RIAT", "value": "17"}])
    seen = await draft.now()
    assert (seen["status"], seen["route"], seen["external_refs"][0]["value"]) == ("draft", [], "17")
    assert (await world.request(scene.provider, "GET", f"/referrals/{draft.referral_id}")).status_code == 404
    patch = {"priority": "emergency", "member_ids": []}
    path = f"/referrals/{draft.referral_id}"
    changed = await world.request(scene.owner, "PATCH", path, patch, {"If-Match": f'"{seen["version"]}"'})
    assert changed.status_code == 200, changed.text
    assert changed.json()["priority"] == "emergency"
    assert await draft.said() == []
    sent = await draft.does(scene.owner, "submit")
    assert sent["status"] == "submitted"
    assert await draft.said() == ["ReferralCreated"]
    again = await world.request(scene.owner, "DELETE", path, headers={"If-Match": f'"{sent["version"]}"'})
    assert again.json()["type"].endswith("transition-not-allowed")
    thrown = await (await scene.case()).referred(draft=True)
    path = f"/referrals/{thrown.referral_id}"
    gone = await world.request(scene.owner, "DELETE", path, headers={"If-Match": '"1"'})
    assert gone.status_code == 204, gone.text
    assert (await world.request(scene.owner, "GET", path)).status_code == 404


async def test_the_boxes_hold_what_was_sent_and_what_was_received(world: World) -> None:
    scene = await Scene(world).set()
    first = await (await scene.case()).referred()
    second = await (await scene.case()).referred()
    await second.does(scene.provider, "accept")
    for who, box in ((scene.owner, "outbox"), (scene.provider, "inbox")):
        items = (await world.get(who, "/referrals", box=box))["items"]
        assert [item["referral_id"] for item in items] == [first.referral_id, second.referral_id]
        other = "inbox" if box == "outbox" else "outbox"
        assert (await world.get(who, "/referrals", box=other))["items"] == []
    accepted = (await world.get(scene.provider, "/referrals", status="accepted"))["items"]
    assert [item["referral_id"] for item in accepted] == [second.referral_id]
    page = await world.get(scene.owner, "/referrals", limit=1)
    rest = await world.get(scene.owner, "/referrals", limit=1, after=page["next"])
    assert [page["items"][0]["referral_id"], rest["items"][0]["referral_id"]] == [
        first.referral_id,
        second.referral_id,
    ]
    since = accepted[0]["changed_at"]
    await first.does(scene.provider, "acknowledge_receipt")
    changed = await world.get(scene.owner, "/referrals", changed_after=since)
    assert [item["referral_id"] for item in changed["items"]] == [first.referral_id]
    assert (await world.get(scene.stranger, "/referrals"))["items"] == []


async def test_a_disputed_receipt_is_said_as_such_and_can_be_corrected(world: World) -> None:
    scene = await Scene(world).set(remote=True)
    sent = await (await scene.case()).referred()
    await sent.does(scene.provider, "accept")
    await sent.does(scene.provider, "start")
    await sent.does(scene.provider, "complete", outcome="enrolled")
    for receipt in ("not_reached", "disputed", "confirmed"):
        assert (await sent.does(scene.owner, "confirm_receipt", receipt=receipt))["receipt"] == receipt
    assert (await sent.said())[-3:] == ["ReceiptNotReached", "ReceiptDisputed", "ReceiptConfirmed"]
