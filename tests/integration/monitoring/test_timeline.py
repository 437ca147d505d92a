"""The timeline over HTTP: to those who took part, in order, with the names that were heard."""

import pytest

from shared.ids import new_id
from tests.integration.monitoring.conftest import Monitoring
from tests.integration.monitoring.events import (
    HUB,
    OTHER_OWNER,
    OWNER,
    PROVIDER,
    Journey,
    delivered_and_confirmed,
    organization,
    service,
)

PARTIES = ("be-return", "ng-hub", "ng-provider")


@pytest.mark.parametrize("path", ["/referrals", f"/referrals/{new_id()}"])
async def test_without_a_token_nothing_is_told(monitoring: Monitoring, path: str) -> None:
    assert (await monitoring.get(None, path)).status_code == 401


@pytest.mark.parametrize("path", ["/referrals", f"/referrals/{new_id()}"])
async def test_the_scope_is_needed(monitoring: Monitoring, path: str) -> None:
    assert (await monitoring.get("evaluator", path)).status_code == 403


async def test_who_did_not_take_part_finds_none(monitoring: Monitoring) -> None:
    journey = delivered_and_confirmed()
    await monitoring.hear(*journey.said)
    refused = await monitoring.get("de-return", f"/referrals/{journey.referral_id}")
    assert refused.status_code == 404
    assert refused.headers["content-type"] == "application/problem+json"
    unknown = await monitoring.get("be-return", f"/referrals/{new_id()}")
    assert unknown.status_code == 404
    assert {**refused.json(), "instance": ""} == {**unknown.json(), "instance": ""}, "the two cannot be told apart"


async def test_a_hub_that_was_not_reached_yet_finds_none(monitoring: Monitoring) -> None:
    journey = Journey().sent().received()
    await monitoring.hear(*journey.said)
    path = f"/referrals/{journey.referral_id}"
    assert (await monitoring.get("ng-provider", path)).status_code == 404
    await monitoring.hear(*journey.passed_on().said[-1:])
    assert (await monitoring.get("ng-provider", path)).status_code == 200


@pytest.mark.parametrize("client", PARTIES)
async def test_each_party_sees_everything_that_happened_in_order(monitoring: Monitoring, client: str) -> None:
    journey = delivered_and_confirmed()
    await monitoring.hear(organization(OWNER, "Fedasil"), organization(HUB, "Benin City desk"), *journey.said)
    answer = await monitoring.get(client, f"/referrals/{journey.referral_id}")
    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"7"'
    told = answer.json()
    assert [entry["type"] for entry in told["timeline"]] == [
        "ReferralCreated",
        "ReferralReceived",
        "ReferralPassedOn",
        "ReferralAccepted",
        "ServiceDelivered",
        "ReceiptConfirmed",
        "OutcomeAcknowledged",
    ]
    assert told["status"] == "completed"
    assert told["owner"] == {"organization_id": str(OWNER), "name": "Fedasil"}
    assert told["organization"] == {"organization_id": str(PROVIDER), "name": None}
    sent, _, passed_on, _, delivered, *_ = told["timeline"]
    assert sent["at"] == told["sent_at"] == "2026-03-02T09:00:00Z"
    assert sent["acted_by"]["name"] == "Fedasil"
    assert sent["organization"]["name"] == "Benin City desk"
    assert (passed_on["how"], passed_on["leg"]) == ("planned", 2)
    assert delivered["outcome"] == "service_delivered"


async def test_the_service_has_its_name_once_the_registry_was_heard(monitoring: Monitoring) -> None:
    journey = Journey().sent()
    await monitoring.hear(*journey.said)
    path, service_id = f"/referrals/{journey.referral_id}", str(journey.service_id)
    unheard = (await monitoring.get("be-return", path)).json()["service"]
    assert unheard == {"service_id": service_id, "name": None, "type": None, "dimension": None}
    await monitoring.hear(service(journey.service_id))
    assert (await monitoring.get("be-return", path)).json()["service"]["name"] == "Tailoring course"


async def test_reasons_and_missed_deadlines_are_told_as_codes(monitoring: Monitoring) -> None:
    journey = Journey().sent().received().missed("decision").passed_on().returned("no_funds").rejected("no_capacity")
    await monitoring.hear(*journey.said)
    told = (await monitoring.get("be-return", f"/referrals/{journey.referral_id}")).json()["timeline"]
    missed, _, returned, rejected = told[2:]
    assert (missed["deadline"], missed["acted_by"]) == ("decision", None)
    assert (returned["how"], returned["reason"], rejected["reason"]) == ("rejected", "no_funds", "no_capacity")


async def test_one_sees_the_referrals_one_took_part_in_page_by_page(monitoring: Monitoring) -> None:
    own = [Journey().sent() for _ in range(3)]
    others = Journey(owner_id=OTHER_OWNER).sent(to=PROVIDER)
    await monitoring.hear(*(said for journey in [*own, others] for said in journey.said))
    first = (await monitoring.get("be-return", "/referrals", limit="2")).json()
    rest = (await monitoring.get("be-return", "/referrals", limit="2", after=first["next"])).json()
    assert rest["next"] is None
    shown = [item["referral_id"] for item in first["items"] + rest["items"]]
    assert shown == [str(journey.referral_id) for journey in own]
    seen_by_provider = (await monitoring.get("ng-provider", "/referrals")).json()["items"]
    assert [item["referral_id"] for item in seen_by_provider] == [str(others.referral_id)]


async def test_an_id_that_is_none_is_refused_without_being_repeated(monitoring: Monitoring) -> None:
    refused = await monitoring.get("be-return", "/referrals/Mary-Jane")
    assert refused.status_code == 422
    assert "Mary" not in refused.text
