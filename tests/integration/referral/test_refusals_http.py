"""Every refusal of a leg, at the first and at the next one; wrong organisations; keys and versions; over HTTP."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from services.referral.referrals.domain import Action
from services.referral.referrals.schemas import BODIES
from shared.events.registry import AgreementEnded, Covers, TransferInstrument
from shared.ids import new_id
from tests.integration.referral.world import (
    NAME,
    WORDS,
    Organization,
    Returnee,
    Scene,
    Sent,
    World,
    at,
    because,
    key,
)


def refusal(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json", response.text
    assert NAME not in response.text
    assert WORDS not in response.text
    name: str = response.json()["type"].rpartition(":")[2]
    return name


async def ended(scene: Scene, name: str) -> None:
    agreement = scene.agreement(name, scene.owner, scene.provider).model_dump()
    await scene.world.hear(AgreementEnded.model_validate(agreement | {"version": 2, "ended_on": "2026-03-02"}))


async def test_without_a_decision(world: World) -> None:
    scene = await Scene(world).set()
    returnee = await scene.case(decision=False)
    assert refusal(await returnee.refer()) == "decision-missing"
    assert refusal(await returnee.refer(decision_id=str(new_id()))) == "decision-missing"
    await returnee.decided("not_eligible")
    assert refusal(await returnee.refer()) == "decision-missing"
    elsewhere = await returnee.decided(service_id=new_id())
    assert refusal(await returnee.refer(decision_id=str(elsewhere))) == "decision-missing"
    early = await returnee.decided()
    await returnee.decided("not_eligible")
    assert refusal(await returnee.refer(decision_id=str(early))) == "decision-missing"


async def test_without_an_agreement(world: World) -> None:
    scene = await Scene(world).set()
    returnee = await scene.case()
    await ended(scene, "direct")
    assert refusal(await returnee.refer()) == "no-active-agreement"


async def test_without_consent(world: World) -> None:
    scene = await Scene(world).set()
    returnee = await scene.case(consent=False)
    assert refusal(await returnee.refer()) == "consent-missing"
    await returnee.consents(scene.hub)
    assert refusal(await returnee.refer()) == "consent-missing"
    await returnee.consents(scene.provider, fields="name")
    assert refusal(await returnee.refer(disclosure=["name", "contacts"])) == "consent-missing"
    assert (await returnee.refer(disclosure=["name"])).status_code == 201


async def test_without_a_basis_for_the_transfer(world: World) -> None:
    scene = await Scene(world).set()
    returnee = await scene.case()
    await ended(scene, "sharing directly")
    assert refusal(await returnee.refer()) == "transfer-basis-missing"
    derogation = {
        "article": "49(1)(d)",
        "justification": "important reasons of public interest",
        "recipient_id": str(scene.provider.organization_id),
        "valid_until": "2026-12-31",
    }
    path = f"/cases/{returnee.case_id}/derogations"
    assert (await world.request(scene.owner, "POST", path, derogation)).status_code == 201
    assert (await returnee.refer()).status_code == 201


async def test_an_agreement_that_only_names_an_adequacy_decision_is_no_basis(world: World) -> None:
    """Art. 45 binds by itself, for the countries that the Commission has named; no two parties can agree on it."""
    scene = await Scene(world).set()
    returnee = await scene.case()
    await ended(scene, "sharing directly")
    between = (scene.owner, scene.provider)
    adequate = scene.sharing("adequacy", *between).model_copy(
        update={"transfer_instrument": TransferInstrument(article="45(3)")}
    )
    await world.hear(adequate)
    assert refusal(await returnee.refer()) == "transfer-basis-missing"
    await world.hear(scene.sharing("clauses", *between))
    assert (await returnee.refer()).status_code == 201


async def test_before_anything_reaches_a_state_body_somebody_records_that_it_is_safe(world: World) -> None:
    scene = Scene(world)
    scene.provider = Organization("ministry", "public_authority", "NG", scene.provider.scope)
    await scene.set()
    returnee = await scene.case()
    assert refusal(await returnee.refer()) == "safety-check-missing"
    assert refusal(await returnee.refer(safety_check={"safe": False, "note": WORDS})) == "safety-check-missing"
    sent = await returnee.referred(safety_check={"safe": True, "note": WORDS})
    assert (await sent.now())["safety_check"] == {"safe": True, "note": WORDS}
    assert WORDS not in str(await sent.seen_by(scene.provider))
    assert WORDS not in str(await world.rows("referrals"))


async def test_a_second_referral_to_the_same_service(world: World) -> None:
    scene = await Scene(world).set(places=1)
    returnee = await scene.case()
    sent = await returnee.referred()
    assert refusal(await returnee.refer()) == "duplicate-referral"
    await sent.does(scene.owner, "cancel", **because("sender_withdrew"))
    assert (await returnee.refer()).status_code == 201


async def test_neither_an_agreement_of_one_party_nor_data_sharing_alone_permits_a_leg(world: World) -> None:
    scene = await Scene(world).set()
    await ended(scene, "direct")
    await scene.agree("sharing only", scene.owner, scene.provider, kind="data_sharing")
    await scene.agree("alone", scene.owner, scene.owner)
    assert refusal(await (await scene.case()).refer()) == "no-active-agreement"


async def test_nobody_becomes_a_hub_by_naming_itself_one(world: World) -> None:
    scene = await Scene(world).set()
    captor = Scene(world, hub=True)
    captor.area = scene.area
    # It is nearest, and has an agreement with the sender about this service; but none that makes it a hub.
    await world.hear(captor.organization(captor.hub), captor.mechanism(kind="sub"))
    await scene.agree("with the captor", scene.owner, captor.hub, scene.provider)
    sent = await (await scene.case()).referred()
    assert [leg["role"] for leg in (await sent.now())["route"]] == ["provider"]
    seen = await world.request(captor.hub, "GET", f"/referrals/{sent.referral_id}")
    assert seen.status_code == 404
    captors = {"to_organization_id": str(captor.hub.organization_id)}
    problem = await sent.refused(scene.provider, "pass_on", captors)
    assert problem["errors"][0]["code"] == "not_on_the_way"
    # Where the owner names it, or an agreement does, it is one.
    named = await (await scene.case(consent=False)).refer(via=str(captor.mechanism_id))
    assert named.json()["obstacles"] == ["consent-missing", "transfer-basis-missing"]
    covers = {"mechanism_ids": [captor.mechanism_id]}
    for number, kind in enumerate(("data_sharing", "sop"), 2):
        await scene.agree("with the captor", scene.owner, captor.hub, version=number, covers=covers, kind=kind)
        answer = await (await scene.case(consent=False)).refer()
        assert ("transfer-basis-missing" in answer.json()["obstacles"]) == (kind == "sop")


async def test_the_warnings_are_those_of_the_legs_still_ahead_as_things_stand(world: World) -> None:
    scene = await Scene(world, hub=True).set()
    returnee = await scene.case(consent=False)
    await returnee.consents(scene.hub)
    ahead = [{"code": "consent-missing", "leg": 2}]
    sent = await returnee.referred()
    assert (await sent.now())["warnings"] == (await sent.seen_by(scene.hub))["warnings"] == ahead
    consent = await returnee.consents(scene.provider)
    assert (await sent.now())["warnings"] == []
    onward = {"to_organization_id": str(scene.provider.organization_id)}
    assert (await sent.does(scene.hub, "pass_on", **onward))["warnings"] == []
    await sent.does(scene.provider, "reject", **because("no_funds"))
    path = f"/cases/{returnee.case_id}/consents/{consent['consent_id']}"
    withdrawn = await world.request(scene.owner, "POST", f"{path}/withdraw", None, at(consent["version"]))
    assert withdrawn.status_code == 200, withdrawn.text
    assert (await sent.now())["warnings"] == ahead
    await sent.does(scene.hub, "reject", **because("no_funds"))
    assert (await sent.now())["warnings"] == []


async def test_every_leg_is_judged_again_and_the_case_owner_is_warned_ahead(world: World) -> None:
    scene = await Scene(world, hub=True).set()
    returnee = await scene.case(consent=False)
    await returnee.consents(scene.hub)
    sent = await returnee.referred()
    assert (await sent.now())["warnings"] == [{"code": "consent-missing", "leg": 2}]
    onward = {"to_organization_id": str(scene.provider.organization_id)}
    problem = await sent.refused(scene.hub, "pass_on", onward)
    assert (problem["type"].rpartition(":")[2], problem["leg"]) == ("consent-missing", 2)
    assert (await sent.now())["status"] == "submitted"
    await returnee.consents(scene.provider)
    await ended(scene, "onward")
    await scene.agree("onward", scene.hub, scene.provider, version=3, covers=Covers(service_ids=[new_id()]))
    assert (await sent.refused(scene.hub, "pass_on", onward))["type"].endswith("no-active-agreement")
    covers = {"mechanism_ids": [scene.mechanism_id]}
    await scene.agree("onward", scene.hub, scene.provider, version=4, covers=covers)
    await sent.does(scene.hub, "pass_on", **onward)


async def test_a_hub_passes_on_only_where_somebody_can_receive_it(world: World) -> None:
    scene = await Scene(world, hub=True).set()
    sent = await (await scene.case()).referred()
    for organization, code in (
        (scene.hub, "own_organization"),
        (scene.owner, "own_organization"),
        (scene.stranger, "not_on_the_way"),
    ):
        problem = await sent.refused(scene.hub, "pass_on", {"to_organization_id": str(organization.organization_id)})
        assert problem["errors"][0]["code"] == code


async def test_what_a_referral_names_must_be_known(world: World) -> None:
    scene = await Scene(world).set()
    returnee = await scene.case()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"service_id": str(new_id())}, "unknown_service"),
        ({"via": str(new_id())}, "unknown_mechanism"),
        ({"member_ids": [str(new_id())]}, "unknown_member"),
        ({"follows_referral_id": str(new_id())}, "unknown_referral"),
        ({"nickname": WORDS}, "unknown_field"),
        ({"need": {"dimension": "economic", "type": WORDS}}, "literal_error"),
    ]
    for changes, code in wrong:
        response = await returnee.refer(**changes)
        assert response.status_code == 422
        assert WORDS not in response.text
        assert [each["code"] for each in response.json()["errors"]] == [code]


async def test_an_owners_own_service_is_no_referral(world: World) -> None:
    scene = await Scene(world).set()
    await scene.publish(version=2, organization_id=scene.owner.organization_id)
    response = await (await scene.case()).refer()
    assert response.json()["errors"][0]["code"] == "own_service"


async def test_a_hub_that_gives_the_service_itself_is_one_leg_and_accepts(world: World) -> None:
    scene = await Scene(world, hub=True).set()
    await scene.publish(version=2, organization_id=scene.hub.organization_id)
    sent = await (await scene.case()).referred()
    now = await sent.now()
    assert [(leg["role"], leg["organization_id"]) for leg in now["route"]] == [
        ("provider", str(scene.hub.organization_id))
    ]
    assert (await sent.does(scene.hub, "accept"))["status"] == "accepted"


async def test_somebody_elses_case_is_not_there_and_a_received_one_is_not_ones_own(world: World) -> None:
    scene = await Scene(world).set()
    returnee = await scene.case()
    foreign = await world.request(scene.stranger, "POST", "/referrals", returnee.order(), key())
    assert (foreign.status_code, refusal(foreign)) == (404, "not-found")
    await returnee.referred()
    party = Organization("provider too", "ngo", "NG", scene.stranger.scope, scene.provider.organization_id)
    received = await world.request(party, "POST", "/referrals", returnee.order(), key())
    assert (received.status_code, refusal(received)) == (403, "not-case-owner")


def body_of(action: Action, scene: Scene) -> dict[str, Any] | None:
    bodies: dict[Action, dict[str, Any]] = {
        Action.REQUEST_INFORMATION: {"questions": ["skills"]},
        Action.PASS_ON: {"to_organization_id": str(scene.provider.organization_id)},
        Action.REJECT: because("other", WORDS),
        Action.DECLINE_PLACE: because("other", WORDS),
        Action.RECORD_CONTACT: {"contacted_on": "2026-03-02", "channel": "phone", "result": "reached"},
        Action.HOLD: because("other", WORDS),
        Action.COMPLETE: {"outcome": "employed"},
        Action.FAIL: because("other", WORDS),
        Action.CANCEL: because("other", WORDS),
        Action.ENTER_IN_ERROR: because("other", WORDS),
        Action.CONFIRM_RECEIPT: {"receipt": "confirmed"},
    }
    return bodies.get(action)


OWNERS = {Action.SUBMIT, Action.CONFIRM_RECEIPT, Action.ACKNOWLEDGE_OUTCOME}
BOTH = {Action.PROVIDE_INFORMATION, Action.DECLINE_PLACE, Action.CANCEL, Action.ENTER_IN_ERROR}


@pytest.mark.parametrize("action", list(BODIES))
async def test_the_wrong_organisation_for_each_action(world: World, action: Action) -> None:
    scene = await Scene(world, hub=True).set()
    sent = await (await scene.case()).referred()
    body, version = body_of(action, scene), (await sent.now())["version"]
    path = f"/referrals/{sent.referral_id}/{action}"
    anonymous = await world.http.post(f"/referral/v1{path}", json=body)
    assert (anonymous.status_code, refusal(anonymous)) == (401, "unauthenticated")
    strangers = await world.request(scene.stranger, "POST", path, body, at(version))
    assert (strangers.status_code, refusal(strangers)) == (404, "not-found")
    unknown = await world.request(scene.owner if action in OWNERS else scene.hub, "POST",
                                  f"/referrals/{new_id()}/{action}", body, at(version))  # fmt: skip
    assert unknown.status_code == 404
    both_scopes = Organization("both", "ngo", "NG", scene.stranger.scope, scene.hub.organization_id)
    if action in OWNERS:
        wrong = await world.request(both_scopes, "POST", path, body, at(version))
        assert (wrong.status_code, refusal(wrong)) == (403, "not-your-part")
        wrong_scope = await world.request(scene.hub, "POST", path, body, at(version))
        assert (wrong_scope.status_code, refusal(wrong_scope)) == (403, "forbidden")
    elif action not in BOTH:
        owner = Organization("both", "public_authority", "BE", scene.stranger.scope, scene.owner.organization_id)
        wrong = await world.request(owner, "POST", path, body, at(version))
        assert (wrong.status_code, refusal(wrong)) == (403, "not-your-part")
        wrong_scope = await world.request(scene.owner, "POST", path, body, at(version))
        assert (wrong_scope.status_code, refusal(wrong_scope)) == (403, "forbidden")
    assert (await sent.now())["version"] == version


@pytest.mark.parametrize("action", list(BODIES))
async def test_an_action_needs_the_version_that_was_read(world: World, action: Action) -> None:
    scene = await Scene(world, hub=True).set()
    sent = await (await scene.case()).referred()
    await sent.does(scene.hub, "acknowledge_receipt")
    who = scene.owner if action in OWNERS else scene.hub
    path, body = f"/referrals/{sent.referral_id}/{action}", body_of(action, scene)
    missing = await world.request(who, "POST", path, body)
    assert (missing.status_code, refusal(missing)) == (428, "precondition-required")
    stale = await world.request(who, "POST", path, body, at(1))
    assert (stale.status_code, refusal(stale)) == (412, "precondition-failed")


async def sent_with(returnee: Returnee, headers: dict[str, str], **changes: Any) -> httpx.Response:
    scene = returnee.scene
    return await scene.world.request(scene.owner, "POST", "/referrals", returnee.order(**changes), headers)


async def test_the_same_key_twice_is_one_referral_and_another_body_is_refused(world: World) -> None:
    scene = await Scene(world).set(places=5)
    returnee = await scene.case()
    assert (await sent_with(returnee, {})).status_code == 400
    once = key()
    first, again = await sent_with(returnee, once), await sent_with(returnee, once)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    assert len((await world.get(scene.owner, "/referrals"))["items"]) == 1
    other = await sent_with(returnee, once, priority="urgent")
    assert (other.status_code, refusal(other)) == (422, "idempotency-key-reused")
    referral = Sent(returnee, first.json()["referral_id"])
    acted = [
        await world.request(
            scene.provider, "POST", f"/referrals/{referral.referral_id}/accept", None, {**once, **at(1)}
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in acted] == [200, 200]
    assert await referral.said() == ["ReferralCreated", "ReferralAccepted"]
    assert refusal(await sent_with(returnee, key())) == "duplicate-referral"


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("reject", None),
        ("reject", because("no_show")),
        ("reject", {"reason": {"code": "other", "colour": WORDS}}),
        ("record_contact", {"contacted_on": "2026-03-03", "channel": "phone", "result": "reached"}),
        ("complete", {"outcome": WORDS}),
        ("request_information", {"questions": []}),
    ],
)
async def test_a_body_that_does_not_fit_the_action_is_refused(world: World, action: str, body: Any) -> None:
    scene = await Scene(world).set(remote=True)
    sent = await (await scene.case()).referred()
    if action in {"record_contact", "complete"}:
        await sent.does(scene.provider, "accept")
    response = await sent.try_to(scene.provider, action, body)
    assert (response.status_code, refusal(response)) == (422, "unprocessable")


async def test_a_closed_case_is_referred_nowhere(world: World) -> None:
    scene = await Scene(world).set()
    returnee = await scene.case()
    sent = await returnee.referred()
    path = f"/cases/{returnee.case_id}"
    version = (await world.get(scene.owner, path))["version"]
    refused = await world.request(scene.owner, "POST", f"{path}/close", None, at(version))
    assert refusal(refused) == "referrals-open"
    await sent.does(scene.owner, "cancel", **because("no_longer_needed"))
    draft = await returnee.referred(draft=True)
    await returnee.does("close")
    assert refusal(await returnee.refer()) == "case-is-closed"
    assert refusal(await draft.try_to(scene.owner, "submit")) == "case-is-closed"


async def test_a_time_without_a_zone_is_refused(world: World) -> None:
    scene = await Scene(world).set()
    response = await world.request(scene.owner, "GET", "/referrals?changed_after=2026-03-02T09:00:00")
    assert (response.status_code, refusal(response)) == (422, "unprocessable")


async def test_an_erased_case_keeps_its_referrals_and_none_of_their_words(world: World) -> None:
    scene = await Scene(world).set()
    returnee = await scene.case()
    sent = await returnee.referred(external_refs=[{"system": "RIAT", "value": "17"}])
    await sent.does(scene.owner, "cancel", **because("other", WORDS))
    await returnee.does("erase")
    now = await sent.now()
    assert (now["status"], now["external_refs"]) == ("cancelled", [])
    history = (await world.get(scene.owner, f"/referrals/{sent.referral_id}/history"))["items"]
    assert [entry["words"] for entry in history] == [None, None]
    assert UUID(now["case_id"]) == UUID(returnee.case_id)
