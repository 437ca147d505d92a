"""The timeline over HTTP: to those who take part, in order, with the names that were heard."""

from typing import Any
from uuid import UUID

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


ELSEWHERE, OTHER_SERVICE = UUID(int=7000), UUID(int=7001)


def went_on_elsewhere(journey: Journey) -> Journey:
    """The hub sends it to another provider, for another service, and there it goes well."""
    journey.provider, journey.service_id = ELSEWHERE, OTHER_SERVICE
    return journey.passed_on().accepted().delivered().confirmed().acknowledged()


def refused() -> Journey:
    return went_on_elsewhere(Journey().sent().received().passed_on().returned("no_funds"))


def unanswered() -> Journey:
    return went_on_elsewhere(Journey().sent().received().passed_on().returned(None, because="expired"))


def redirected() -> Journey:
    journey = Journey().sent().passed_on().accepted().redirected(ELSEWHERE, OTHER_SERVICE)
    return journey.accepted().delivered().confirmed().acknowledged()


def rejected_for_good() -> Journey:
    return Journey().sent(to=PROVIDER).rejected("no_capacity", by=PROVIDER).acknowledged("rejected")


def rejected_by_the_hub() -> Journey:
    return Journey().sent().received().rejected("no_capacity").acknowledged("rejected")


async def seen_by(monitoring: Monitoring, client: str, journey: Journey) -> dict[str, Any]:
    """The timeline as the client sees it. The list shows the same summary, or the test fails."""
    answer = await monitoring.get(client, f"/referrals/{journey.referral_id}")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    assert answer.headers["ETag"] == f'"{told["version"]}"'
    (listed,) = (await monitoring.get(client, "/referrals")).json()["items"]
    assert listed == {name: value for name, value in told.items() if name != "timeline"}
    return told


@pytest.mark.parametrize(
    ("journey", "client", "seen"),
    [
        (refused(), "ng-provider", 4),
        (unanswered(), "ng-provider", 4),
        (redirected(), "ng-provider", 4),
        (rejected_for_good(), "ng-provider", 2),
        (rejected_by_the_hub(), "ng-hub", 3),
    ],
)
async def test_an_organisation_whose_part_has_ended_sees_nothing_of_what_came_after(
    monitoring: Monitoring, journey: Journey, client: str, seen: int
) -> None:
    await monitoring.hear(*journey.said[:seen])
    then = await seen_by(monitoring, client, journey)
    assert len(then["timeline"]) == then["version"] == seen
    await monitoring.hear(*journey.said[seen:])
    assert await seen_by(monitoring, client, journey) == then
    assert len((await seen_by(monitoring, "be-return", journey))["timeline"]) == len(journey.said)


@pytest.mark.parametrize("how", ["planned", "redirected"])
async def test_a_hub_that_passed_on_stays_on_the_way(monitoring: Monitoring, how: str) -> None:
    journey = Journey().sent().received().passed_on(how).returned("no_funds").passed_on(how).accepted()
    journey.redirected(ELSEWHERE, OTHER_SERVICE).accepted().delivered().confirmed().acknowledged()
    await monitoring.hear(*journey.said)
    seen = await seen_by(monitoring, "ng-hub", journey)
    assert seen == await seen_by(monitoring, "be-return", journey)
    assert (seen["status"], seen["service"]["service_id"]) == ("completed", str(OTHER_SERVICE))


async def test_the_part_of_a_provider_ends_when_it_redirects_without_having_accepted(monitoring: Monitoring) -> None:
    journey = Journey().sent().passed_on()
    await monitoring.hear(service(journey.service_id))
    await monitoring.hear(*journey.redirected(ELSEWHERE, OTHER_SERVICE).accepted().said)
    assert (await seen_by(monitoring, "ng-provider", journey))["version"] == 3


async def test_who_gets_the_task_again_sees_on(monitoring: Monitoring) -> None:
    back = (
        Journey().sent().passed_on().accepted().redirected(ELSEWHERE, OTHER_SERVICE).returned("no_funds", to=PROVIDER)
    )
    back.provider = PROVIDER
    await monitoring.hear(*back.said)
    assert (await seen_by(monitoring, "ng-provider", back))["version"] == 5
    await monitoring.hear(*back.redirected(ELSEWHERE, OTHER_SERVICE).accepted().said[5:])
    assert (await seen_by(monitoring, "ng-provider", back))["version"] == 6


async def test_an_owner_that_has_a_task_too_sees_all(monitoring: Monitoring) -> None:
    journey = Journey().sent().passed_on()
    journey.owner_id = PROVIDER
    await monitoring.hear(*journey.returned("no_funds").received().said)
    assert (await seen_by(monitoring, "ng-provider", journey))["version"] == 4


async def test_an_id_that_is_none_is_refused_without_being_repeated(monitoring: Monitoring) -> None:
    refused = await monitoring.get("be-return", "/referrals/Mary-Jane")
    assert refused.status_code == 422
    assert "Mary" not in refused.text
