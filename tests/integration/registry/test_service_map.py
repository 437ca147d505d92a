"""Everything that a service map says of a service comes back as it was entered, and is told; some of it is not."""

import json
from typing import Any

import pytest

from tests.integration.registry.conftest import ORGANIZATIONS, Registry
from tests.integration.registry.mapped import MAPPED, enter, publish
from tests.support.system import at, problem


async def test_every_attribute_comes_back_as_it_was_entered(registry: Registry) -> None:
    made = (await enter(registry, **MAPPED)).json()
    read = (await registry.get("ng-provider", f"/services/{made['service_id']}")).json()
    for name, entered in MAPPED.items():
        shown = read[name]
        if isinstance(entered, list) and entered and isinstance(entered[0], dict):
            for one, other in zip(shown, entered, strict=True):
                assert one | other == one, name
        elif isinstance(entered, dict):
            assert shown | entered == shown, name
        else:
            assert shown == entered, name
    assert read["capacity_updated_at"] is not None


async def test_events_carry_all_of_it_but_contacts_and_safety(registry: Registry) -> None:
    made = await enter(registry, **MAPPED)
    await registry.act("registry-manager", made, f"/services/{made.json()['service_id']}/publish")
    [(name, data)] = await registry.said()
    assert name == "ServicePublished"
    assert "after dark" not in json.dumps(data)
    assert "+234" not in json.dumps(data)
    assert "safety" not in data["service_map"]
    for field, entered in MAPPED["service_map"].items():
        if field != "safety":
            assert data["service_map"][field] == entered
    assert data["schedules"][0]["opens_at"] == "08:30"
    assert data["costs"][0]["amount"] == {"amount": "5.00", "currency": "EUR"}
    told = ("total_places", "funded_places", "excluded_groups", "locals_take_part", "green_job", "required_documents")
    assert {field: data[field] for field in told} == {field: MAPPED[field] for field in told}
    assert data["environmental_screening"]["result"] == "risk_with_measures"
    assert data["freshness"] == "fresh"


async def test_a_patch_changes_one_attribute_and_leaves_the_others(registry: Registry) -> None:
    path, answer = await publish(registry, **MAPPED)
    edited = await registry.patch("ng-provider", answer, path, {"service_map": {"transport": {"pcm": "Enter bus"}}})
    assert edited.json()["service_map"]["transport"] == {"eng": "Bus to Ring Road", "pcm": "Enter bus"}
    assert edited.json()["service_map"]["safety"] == MAPPED["service_map"]["safety"]
    gone = await registry.patch("ng-provider", edited, path, {"free": None, "environmental_screening": None})
    assert (gone.json()["free"], gone.json()["environmental_screening"]) == (None, None)


async def test_capacity_says_when_it_was_last_touched(registry: Registry) -> None:
    made = await enter(registry, places=None)
    path = f"/services/{made.json()['service_id']}"
    assert made.json()["capacity_updated_at"] is None
    described = await registry.patch("ng-provider", made, path, {"description": "x"})
    assert described.json()["capacity_updated_at"] is None
    counted = await registry.patch("ng-provider", described, path, {"places": {"set_aside": None}})
    first = counted.json()["capacity_updated_at"]
    assert first is not None
    waited = await registry.patch("ng-provider", counted, path, {"waiting_days": 3})
    emptied = await registry.patch("ng-provider", waited, path, {"waiting_days": None})
    assert first < waited.json()["capacity_updated_at"] < emptied.json()["capacity_updated_at"]


@pytest.mark.parametrize(
    ("changed", "pointer", "code"),
    [
        ({"schedules": [{"opens_at": "08:00", "closes_at": "09:00"}]}, "/schedules/0", "schedule_empty"),
        ({"schedules": [{"weekdays": ["MO"], "opens_at": "08:00"}]}, "/schedules/0", "time_missing"),
        ({"schedules": [{"rule": "FREQ=DAILY"}]}, "/schedules/0/rule", "rule"),
        (
            {"schedules": [{"weekdays": ["MO"], "valid_from": "2026-02-01", "valid_until": "2026-01-31"}]},
            "/schedules/0",
            "dates_reversed",
        ),
        ({"costs": [{}]}, "/costs/0", "cost_empty"),
        ({"free": True, "costs": [{"amount": {"amount": "0.01", "currency": "EUR"}}]}, "", "free_and_charged"),
        ({"total_places": 2}, "", "more_than_total"),
        ({"total_places": 5, "funded_places": 6}, "", "more_than_total"),
        ({"excluded_groups": ["Zzyzx"]}, "/excluded_groups/0", "enum"),
        ({"service_map": {"safety": {"xx": "Zzyzx"}}}, "/service_map/safety", "string_too_short"),
        ({"service_map": {"secret": {"eng": "Zzyzx"}}}, "/service_map", "unknown_field"),
    ],
)
async def test_what_contradicts_itself_is_refused_and_not_repeated(
    registry: Registry, changed: dict[str, Any], pointer: str, code: str
) -> None:
    body = {"organization_id": ORGANIZATIONS["ng-provider"], "name": "x", "type": "housing", "dimension": "social"}
    answer = await registry.post(
        "ng-provider", "/services", body | {"level": "individual", "places": {"set_aside": 3}} | changed
    )
    assert answer.status_code == 422
    assert (problem(answer)["errors"][0]["pointer"], problem(answer)["errors"][0]["code"]) == (pointer, code)
    assert "Zzyzx" not in answer.text


async def test_a_published_service_may_not_say_more_than_an_event_carries(registry: Registry) -> None:
    path, answer = await publish(registry)
    languages = ("eng", "fra", "deu", "ara", "amh", "som", "tir", "hau", "yor", "ibo", "pcm", "ful", "kur", "pus")
    long = dict.fromkeys(languages, "x" * 2000)
    refused = await registry.patch(
        "ng-provider", answer, path, {"service_map": {"quality": long, "gaps": long, "waiting": long}}
    )
    assert problem(refused)["errors"][0]["code"] == "too_long"
    assert (await registry.get("ng-provider", path)).json()["version"] == answer.json()["version"]
    assert await registry.said() == []


async def test_an_organisation_says_what_it_stands_for(registry: Registry) -> None:
    path = f"/organizations/{ORGANIZATIONS['ng-provider']}"
    said: dict[str, Any] = {
        "roles": ["local_stakeholder", "sector_specialist"],
        "professional_standing": {"eng": "Licensed training centre"},
        "registrations": [{"authority": "Board for technical education", "number": "TE 12"}],
        "psea_trained_on": "2026-03-01",
    }
    edited = await registry.patch("ng-provider", await registry.get("ng-provider", path), path, said)
    assert edited.json()["registrations"] == [said["registrations"][0] | {"valid_until": None}]
    [(name, data)] = await registry.said()
    assert name == "OrganizationChanged"
    assert data | said == data | {"registrations": said["registrations"]} | said
    assert data["psea_trained_on"] == "2026-03-01"
    for wrong in ({"psea_trained_on": "2999-01-01"}, {"roles": ["Zzyzx"]}):
        refused = await registry.patch("ng-provider", edited, path, wrong)
        assert refused.status_code == 422
    assert (await registry.ask("PATCH", "ng-provider", path, json={}, headers=at(edited))).status_code == 200
