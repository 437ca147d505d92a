"""What nobody confirms goes stale and hides; what somebody doubts is shown as doubtful until somebody has looked."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared import clock
from tests.integration.registry.conftest import ORGANIZATIONS, Registry
from tests.integration.registry.mapped import enter, publish
from tests.support.system import at, problem

QUICK, ORDINARY = "cash_assistance", "vocational_training"


async def pass_days(registry: Registry, days: int) -> None:
    await registry.move_to(clock.now() + timedelta(days=days))


async def said_of(registry: Registry, path: str) -> list[tuple[str, dict[str, Any]]]:
    """What was said of this service: those of other tests grow old too."""
    return [(name, data) for name, data in await registry.said() if data.get("service_id") == path.rpartition("/")[2]]


async def listed(registry: Registry, client_id: str, **query: Any) -> list[str]:
    page = await registry.get(client_id, "/services", limit=200, **query)
    return [one["service_id"] for one in page.json()["items"]]


async def test_assuring_says_who_when_and_until_when(registry: Registry) -> None:
    path, answer = await publish(registry, type=QUICK)
    shown = answer.json()
    assert shown["confirmed_by"] == ORGANIZATIONS["registry-manager"]
    assert shown["review_by"] == str(clock.today() + timedelta(days=90))
    assert shown["freshness"] == "fresh"
    await pass_days(registry, 10)
    confirmed = await registry.act("ng-provider", answer, f"{path}/confirm")
    assert confirmed.json()["confirmed_by"] == ORGANIZATIONS["ng-provider"]
    assert confirmed.json()["review_by"] == str(clock.today() + timedelta(days=90))
    stranger = await registry.post("ng-hub", f"{path}/confirm", headers=at(confirmed))
    assert stranger.status_code == 403


async def test_a_service_goes_stale_ranks_lower_hides_and_comes_back(registry: Registry) -> None:
    organization_id = await registry.organization()
    mine = {"organization_id": organization_id, "type": QUICK}
    path, answer = await publish_for(registry, mine)
    await pass_days(registry, 90)
    assert await said_of(registry, path) == []  # the last day still counts
    later_path, _ = await publish_for(registry, mine)
    await pass_days(registry, 1)
    [(name, data)] = await said_of(registry, path)
    assert (name, data["freshness"], data["version"]) == ("ServiceWentStale", "stale", answer.json()["version"] + 1)
    ids = [path.rpartition("/")[2], later_path.rpartition("/")[2]]
    assert await listed(registry, "be-return", organization_id=organization_id) == ids[::-1]
    assert await listed(registry, "be-return", organization_id=organization_id, freshness="stale") == ids[:1]
    await pass_days(registry, 60)
    [(name, data)] = await said_of(registry, path)
    assert (name, data["freshness"]) == ("ServiceWentStale", "hidden")
    assert await listed(registry, "be-return", organization_id=organization_id) == ids[1:]
    assert set(await listed(registry, "registry-manager", organization_id=organization_id)) == set(ids)
    hidden = await registry.get("be-return", path)  # referrals name it
    assert (hidden.status_code, hidden.json()["freshness"]) == (200, "hidden")
    history = (await registry.get("be-return", f"{path}/history")).json()["items"]
    by_system = [one for one in history if one["field"] == "freshness" and one["client_id"] is None]
    assert [one["after"] for one in by_system] == ["stale", "hidden"]
    await registry.act("registry-manager", hidden, f"{path}/confirm")
    assert [(name, data["freshness"]) for name, data in await said_of(registry, path)] == [
        ("ServiceConfirmed", "fresh")
    ]
    assert set(await listed(registry, "be-return", organization_id=organization_id)) == set(ids)


async def publish_for(registry: Registry, body: dict[str, Any]) -> tuple[str, Any]:
    made = await enter(registry, "registry-manager", **body)
    path = f"/services/{made.json()['service_id']}"
    answer = await registry.act("registry-manager", made, f"{path}/publish")
    await registry.said()
    return path, answer


async def test_what_is_retired_or_confirmed_in_time_does_not_go_stale(registry: Registry) -> None:
    path, retired = await publish(registry, type=QUICK)
    await registry.act("registry-manager", retired, f"{path}/retire")
    path, confirmed = await publish(registry, type=QUICK)
    await pass_days(registry, 60)
    await registry.act("ng-provider", confirmed, f"{path}/confirm")
    await registry.said()
    await pass_days(registry, 60)
    assert await said_of(registry, path) == []


async def test_what_is_due_is_listed_for_those_who_answer_for_it(registry: Registry) -> None:
    organization_id = await registry.organization()
    path, _ = await publish_for(registry, {"organization_id": organization_id, "type": QUICK})
    query = {"organization_id": organization_id}
    assert (await registry.get("registry-manager", "/reviews_due", **query)).json()["items"] == []
    await pass_days(registry, 80)
    [due] = (await registry.get("registry-manager", "/reviews_due", **query)).json()["items"]
    assert (due["service_id"], due["freshness"]) == (path.rpartition("/")[2], "fresh")
    assert (await registry.get("registry-manager", "/reviews_due", within_days=9, **query)).json()["items"] == []
    assert (await registry.get("ng-provider", "/reviews_due", **query)).json()["items"] == []


async def test_an_interval_is_a_default_until_somebody_sets_it_for_what_is_assured_from_then_on(
    registry: Registry,
) -> None:
    path = "/review_intervals/justice"
    default = await registry.get("ng-hub", path)
    assert (default.json()["review_days"], default.json()["project_default"]) == (365, True)
    _, before = await publish(registry, type="justice")
    edited = await registry.patch("registry-manager", default, path, {"review_days": 30, "hide_days": None})
    assert (edited.json()["project_default"], edited.json()["hide_days"], edited.json()["version"]) == (False, None, 2)
    assert len((await registry.get("ng-hub", "/review_intervals")).json()["items"]) == 16
    _, after = await publish(registry, type="justice")
    assert before.json()["review_by"] == str(clock.today() + timedelta(days=365))
    assert after.json()["review_by"] == str(clock.today() + timedelta(days=30))
    stale = await registry.patch("registry-manager", default, path, {"review_days": 1})
    assert stale.status_code == 412
    assert problem(await registry.patch("registry-manager", edited, path, {"review_days": 0}))["status"] == 422
    assert (await registry.get("ng-hub", "/review_intervals/magic")).status_code == 404
    await pass_days(registry, 31)
    await pass_days(registry, 3000)
    freshness = (await registry.get("registry-manager", f"/services/{after.json()['service_id']}")).json()["freshness"]
    assert freshness == "stale"  # never hidden


async def test_a_doubt_marks_the_field_until_somebody_has_looked(registry: Registry) -> None:
    path, _ = await publish(registry)
    note = {"field": "schedules", "source": "returnee", "note": "Closed on Mondays"}
    doubt = await registry.make("ng-hub", f"{path}/doubts", note)
    [(name, data)] = await registry.said()
    assert (name, data["field"], data["doubtful"]) == ("ServiceDoubted", "schedules", ["schedules"])
    assert "Mondays" not in str(data)
    assert (await registry.get("be-return", path)).json()["doubtful"] == ["schedules"]
    due = (await registry.get("ng-provider", "/reviews_due")).json()["items"]
    assert data["service_id"] in [one["service_id"] for one in due]
    one = f"{path}/doubts/{doubt.json()['doubt_id']}"
    again = await registry.make("be-return", f"{path}/doubts", {"field": "schedules", "source": "member_state"})
    resolved = await registry.post("ng-provider", f"{one}/resolve", {"outcome": "corrected"}, headers=at(doubt))
    assert resolved.json()["resolved_by"] == ORGANIZATIONS["ng-provider"]
    assert (await registry.get("be-return", path)).json()["doubtful"] == ["schedules"]  # somebody else doubts it too
    other = f"{path}/doubts/{again.json()['doubt_id']}"
    await registry.said()
    await registry.post("registry-manager", f"{other}/resolve", {"outcome": "unfounded"}, headers=at(again))
    assert [(name, data["doubtful"]) for name, data in await registry.said()] == [("ServiceChanged", [])]
    twice = await registry.post("ng-provider", f"{one}/resolve", {"outcome": "corrected"}, headers=at(resolved))
    assert problem(twice)["type"] == "urn:relink:problem:already-resolved"


async def test_doubts_are_seen_by_who_reported_them_and_who_answers_for_the_service(registry: Registry) -> None:
    path, _ = await publish(registry)
    doubt = await registry.make("ng-hub", f"{path}/doubts", {"field": "service_map.safety", "source": "hub"})
    one = f"{path}/doubts/{doubt.json()['doubt_id']}"
    for client_id, seen in (("ng-hub", 1), ("ng-provider", 1), ("registry-manager", 1), ("be-return", 0)):
        assert len((await registry.get(client_id, f"{path}/doubts")).json()["items"]) == seen
        assert (await registry.get(client_id, one)).status_code == (200 if seen else 404)
    said_better = await registry.patch("ng-hub", doubt, one, {"field": "contacts"})
    assert (await registry.get("ng-hub", path)).json()["doubtful"] == ["contacts"]
    assert (await registry.patch("ng-provider", said_better, one, {"note": "x"})).status_code == 403
    own = await registry.post("ng-hub", f"{one}/resolve", {"outcome": "corrected"}, headers=at(said_better))
    assert own.status_code == 403
    hidden = await registry.post("be-return", f"{one}/resolve", {"outcome": "corrected"}, headers=at(said_better))
    assert hidden.status_code == 404


async def test_only_fields_of_published_services_are_doubted(registry: Registry) -> None:
    made = await enter(registry)
    path = f"/services/{made.json()['service_id']}"
    body = {"field": "name", "source": "provider"}
    assert problem(await registry.post("ng-provider", f"{path}/doubts", body))["type"].endswith("not-published")
    assert (await registry.post("ng-hub", f"{path}/doubts", body)).status_code == 404
    published_path, _ = await publish(registry)
    wrong = await registry.post("ng-hub", f"{published_path}/doubts", body | {"field": "Zzyzx"})
    assert problem(wrong)["errors"][0]["code"] == "no_such_field"
    assert "Zzyzx" not in wrong.text


async def test_the_last_fresh_day_is_the_whole_of_it(registry: Registry) -> None:
    path, answer = await publish(registry, type=QUICK)
    review_by = datetime.fromisoformat(answer.json()["review_by"]).replace(tzinfo=UTC)
    await registry.move_to(review_by + timedelta(hours=23, minutes=59))
    assert (await registry.get("be-return", path)).json()["freshness"] == "fresh"
    await registry.move_to(review_by + timedelta(hours=24))
    assert (await registry.get("be-return", path)).json()["freshness"] == "stale"
