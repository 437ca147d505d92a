"""Criteria sets: written, validated, in force from a day, retired; and who may see and do it."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from shared import clock
from shared.ids import new_id
from tests.integration.eligibility.asking import act
from tests.integration.eligibility.conftest import Eligibility
from tests.integration.eligibility.heard import (
    ADULT,
    COUNSELLOR,
    MANAGER,
    NOBODY,
    PAPERS,
    PROVIDER,
    Client,
    published,
)
from tests.support.system import at, problem


async def write(eligibility: Eligibility, service_id: UUID, *criteria: dict[str, Any], by: Client = MANAGER) -> Any:
    body = {"criteria": list(criteria)}
    return await eligibility.request("PUT", f"/services/{service_id}/criteria", by, body)


async def validate(eligibility: Eligibility, service_id: UUID, version: int, **body: Any) -> Any:
    return await act(eligibility, MANAGER, f"/services/{service_id}/criteria/{version}", "validate", body)


async def retire(eligibility: Eligibility, service_id: UUID, version: int) -> Any:
    return await act(eligibility, MANAGER, f"/services/{service_id}/criteria/{version}", "retire")


async def test_the_catalogue_can_be_read(eligibility: Eligibility) -> None:
    response = await eligibility.get("/facts", COUNSELLOR)
    facts = {fact["name"]: fact for fact in response.json()["items"]}
    assert response.status_code == 200
    assert facts["born_on"]["type"] == "date"
    assert facts["sought_asylum"]["never_leaves"] is True
    assert {"eng", "fra", "deu"} <= facts["skills"]["question"].keys()


async def test_a_draft_binds_nobody_until_it_is_validated(eligibility: Eligibility) -> None:
    service_id = new_id()
    draft = await write(eligibility, service_id, ADULT)
    assert draft.status_code == 201
    assert draft.headers["ETag"] == '"1"'
    assert draft.json() | {"created_at": None} == {
        "service_id": str(service_id),
        "criteria_version": 1,
        "status": "draft",
        "criteria": [ADULT | {"kind": "inclusion", "level": "individual", "maximum": None}],
        "source": None,
        "organization_id": str(MANAGER.org_id),
        "validated_by": None,
        "validated_at": None,
        "valid_from": None,
        "valid_until": None,
        "created_at": None,
        "version": 1,
    }
    assert await eligibility.said() == []
    bound = await validate(eligibility, service_id, 1)
    assert bound.status_code == 200
    assert (bound.json()["status"], bound.json()["valid_from"]) == ("validated", clock.today().isoformat())
    ((name, event),) = await eligibility.said()
    assert name == "CriteriaValidated"
    assert bound.headers["Relink-Event"].startswith("eligibility:")
    assert (event["criteria_version"], event["open_to_all"]) == (1, False)


async def test_writing_the_same_draft_twice_gives_one(eligibility: Eligibility) -> None:
    service_id = new_id()
    first, second = [await write(eligibility, service_id, ADULT) for _ in range(2)]
    third = await write(eligibility, service_id, ADULT, PAPERS)
    assert [one.json()["criteria_version"] for one in (first, second, third)] == [1, 1, 2]


async def test_drafts_written_at_the_same_time_get_versions_of_their_own(eligibility: Eligibility) -> None:
    service_id = new_id()
    drafts = [write(eligibility, service_id, ADULT | {"minimum": minimum}) for minimum in range(16, 20)]
    written = await asyncio.gather(*drafts)
    assert sorted(one.json()["criteria_version"] for one in written) == [1, 2, 3, 4]


async def test_the_next_set_ends_the_one_in_force_on_its_first_day(eligibility: Eligibility) -> None:
    service_id, later = new_id(), clock.today() + timedelta(days=30)
    await write(eligibility, service_id, ADULT)
    await validate(eligibility, service_id, 1)
    await write(eligibility, service_id, ADULT, PAPERS)
    assert (await validate(eligibility, service_id, 2, valid_from=later.isoformat())).status_code == 200
    response = await eligibility.get(f"/services/{service_id}/criteria", MANAGER)
    windows = [(one["criteria_version"], one["valid_until"]) for one in response.json()["items"]]
    assert windows == [(1, later.isoformat()), (2, None)]
    versions = [event["version"] for _, event in await eligibility.said()]
    assert versions == sorted(set(versions))


async def test_a_retired_set_binds_no_longer(eligibility: Eligibility) -> None:
    service_id = new_id()
    await write(eligibility, service_id)
    await validate(eligibility, service_id, 1)
    retired = await retire(eligibility, service_id, 1)
    assert (retired.status_code, retired.json()["status"]) == (200, "retired")
    assert retired.json()["valid_until"] == clock.today().isoformat()
    assert [name for name, _ in await eligibility.said()] == ["CriteriaValidated", "CriteriaRetired"]
    assert (await eligibility.said())[0][1]["open_to_all"] is True


async def test_what_the_state_does_not_allow_is_refused(eligibility: Eligibility) -> None:
    service_id = new_id()
    await write(eligibility, service_id, ADULT)
    early = await retire(eligibility, service_id, 1)
    assert problem(early)["type"] == "urn:relink:problem:transition-not-allowed"
    assert (problem(early)["current"], problem(early)["allowed"]) == ("draft", ["validate"])
    await validate(eligibility, service_id, 1)
    assert problem(await validate(eligibility, service_id, 1))["allowed"] == ["retire"]


@pytest.mark.parametrize("action", ["validate", "retire"])
async def test_a_set_is_acted_on_as_it_was_read(eligibility: Eligibility, action: str) -> None:
    service_id = new_id()
    path = f"/services/{service_id}/criteria/1"
    read = await write(eligibility, service_id, ADULT)
    if action == "retire":
        await validate(eligibility, service_id, 1)
    unread = await eligibility.post(f"{path}/{action}", MANAGER)
    assert (unread.status_code, problem(unread)["type"]) == (428, "urn:relink:problem:precondition-required")
    if action == "validate":
        await validate(eligibility, service_id, 1)
    stale = await eligibility.post(f"{path}/{action}", MANAGER, **at(read))  # before the state, which forbids it too
    assert (stale.status_code, problem(stale)["type"]) == (412, "urn:relink:problem:precondition-failed")
    assert [name for name, _ in await eligibility.said()] == ["CriteriaValidated"]


async def test_a_set_that_another_one_ended_has_changed_since_it_was_read(eligibility: Eligibility) -> None:
    service_id = new_id()
    await write(eligibility, service_id, ADULT)
    read = await validate(eligibility, service_id, 1)
    await write(eligibility, service_id, PAPERS)
    await validate(eligibility, service_id, 2, valid_from=(clock.today() + timedelta(days=30)).isoformat())
    stale = await eligibility.post(f"/services/{service_id}/criteria/1/retire", MANAGER, **at(read))
    assert stale.status_code == 412


async def test_criteria_that_are_older_than_their_entry_bind_from_then(eligibility: Eligibility) -> None:
    service_id, last_month = new_id(), clock.today() - timedelta(days=30)
    await write(eligibility, service_id, ADULT)
    bound = await validate(eligibility, service_id, 1, valid_from=last_month.isoformat())
    assert bound.json()["valid_from"] == last_month.isoformat()


async def test_days_on_which_another_set_bound_keep_it(eligibility: Eligibility) -> None:
    service_id, last_month = new_id(), clock.today() - timedelta(days=30)
    await write(eligibility, service_id, ADULT)
    await validate(eligibility, service_id, 1, valid_from=last_month.isoformat())
    await write(eligibility, service_id, PAPERS)
    for days in (1, 29, 31, 400):
        day = clock.today() - timedelta(days=days)
        refused = await validate(eligibility, service_id, 2, valid_from=day.isoformat())
        assert problem(refused)["errors"][0]["code"] == "already_bound"
    assert (await validate(eligibility, service_id, 2)).status_code == 200


@pytest.mark.parametrize(
    ("criterion", "pointer", "code"),
    [
        (ADULT | {"fact": "shoe_size"}, "/criteria/1/fact", "unknown_fact"),
        (ADULT | {"fact": "returned_on"}, "/criteria/1/operation", "operation_does_not_fit"),
        (PAPERS | {"operation": "range", "minimum": 1}, "/criteria/1/operation", "operation_does_not_fit"),
        (ADULT | {"minimum": "18"}, "/criteria/1/minimum", "int_type"),
        (ADULT | {"minimum": None}, "/criteria/1/minimum", "bound_expected"),
        (ADULT | {"text": {"en": "x"}}, "/criteria/1/text", "string_too_short"),
        (ADULT | {"text": {}}, "/criteria/1/text", "too_short"),
        (ADULT | {"secret_remark": "x"}, "/criteria/1", "unknown_field"),
        (ADULT | {"operation": "import os"}, "/criteria/1", "union_tag_invalid"),
        (PAPERS | {"criterion_id": "first"}, "/criteria/1/criterion_id", "not_unique"),
    ],
)
async def test_a_criterion_that_could_not_be_evaluated_is_refused(
    eligibility: Eligibility, criterion: dict[str, Any], pointer: str, code: str
) -> None:
    response = await write(eligibility, new_id(), PAPERS | {"criterion_id": "first"}, criterion)
    (error,) = problem(response)["errors"]
    assert response.status_code == 422
    assert (error["pointer"], error["code"]) == (pointer, code)
    assert "secret" not in response.text


async def test_the_organisation_of_a_service_writes_its_criteria_and_others_do_not(eligibility: Eligibility) -> None:
    own, foreign = published(), published(organization_id=UUID(int=99))
    await eligibility.hear(own, foreign)
    assert (await write(eligibility, own.service_id, ADULT, by=PROVIDER)).status_code == 201
    assert (await write(eligibility, foreign.service_id, ADULT, by=PROVIDER)).status_code == 404
    assert (await write(eligibility, new_id(), ADULT, by=PROVIDER)).status_code == 404
    assert (await write(eligibility, foreign.service_id, ADULT)).status_code == 201


async def test_a_draft_is_seen_by_those_whose_it_is(eligibility: Eligibility) -> None:
    service = published()
    await eligibility.hear(service)
    await write(eligibility, service.service_id, ADULT)
    path = f"/services/{service.service_id}/criteria"
    assert (await eligibility.get(f"{path}/1", COUNSELLOR)).status_code == 404
    assert (await eligibility.get(path, COUNSELLOR)).json()["items"] == []
    assert (await eligibility.get(f"{path}/1", PROVIDER)).status_code == 200
    await validate(eligibility, service.service_id, 1)
    assert (await eligibility.get(f"{path}/1", COUNSELLOR)).status_code == 200


CALLS: list[tuple[str, str, Any]] = [
    ("GET", "/facts", None),
    ("PUT", "/services/{id}/criteria", {"criteria": []}),
    ("GET", "/services/{id}/criteria", None),
    ("GET", "/services/{id}/criteria/1", None),
    ("POST", "/services/{id}/criteria/1/validate", {}),
    ("POST", "/services/{id}/criteria/1/retire", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
async def test_nobody_gets_in_without_token_or_scope(
    eligibility: Eligibility, method: str, path: str, body: Any
) -> None:
    address = path.format(id=new_id())
    assert (await eligibility.request(method, address, None, body)).status_code == 401
    assert (await eligibility.request(method, address, NOBODY, body)).status_code == 403


async def test_who_writes_may_not_validate(eligibility: Eligibility) -> None:
    service = published()
    await eligibility.hear(service)
    await write(eligibility, service.service_id, ADULT, by=PROVIDER)
    path = f"/services/{service.service_id}/criteria/1"
    assert (await eligibility.post(f"{path}/validate", PROVIDER, {})).status_code == 403
    assert (await eligibility.post(f"{path}/retire", PROVIDER)).status_code == 403


@pytest.mark.parametrize(("method", "path", "body"), CALLS[3:])
async def test_an_unknown_set_is_not_found(eligibility: Eligibility, method: str, path: str, body: Any) -> None:
    seen = {"If-Match": '"1"'} if method == "POST" else {}
    assert (await eligibility.request(method, path.format(id=new_id()), MANAGER, body, seen)).status_code == 404


async def test_old_versions_stay_answerable_as_of_any_date(eligibility: Eligibility) -> None:
    service = published()
    later = clock.today() + timedelta(days=30)
    await eligibility.hear(service)
    await write(eligibility, service.service_id, ADULT)
    await validate(eligibility, service.service_id, 1)
    await write(eligibility, service.service_id)
    await validate(eligibility, service.service_id, 2, valid_from=later.isoformat())

    async def on(day: date) -> tuple[str, int | None]:
        asked = {"country": "NG", "area": "NG012", "as_of": day.isoformat(), "profile": {"born_on": "2020-01-01"}}
        (result,) = (await eligibility.post("/matches", COUNSELLOR, asked)).json()["results"]
        return result["verdict"], result["criteria_version"]

    assert await on(clock.today() - timedelta(days=1)) == ("needs_information", None)
    assert await on(clock.today()) == ("not_eligible", 1)
    assert await on(later - timedelta(days=1)) == ("not_eligible", 1)
    assert await on(later) == ("eligible", 2)
