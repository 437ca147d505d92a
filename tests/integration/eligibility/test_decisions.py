"""A person decides on what a match showed, with reasons; somebody else decides the appeal."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.crypto import case_keys
from shared.ids import new_id
from tests.integration.eligibility.asking import match, offer
from tests.integration.eligibility.conftest import Eligibility
from tests.integration.eligibility.heard import (
    ADULT,
    COLLEAGUE,
    COUNSELLOR,
    DE,
    EDO,
    NOBODY,
    OTHER_STATE,
    PAPERS,
    Client,
    registered,
)
from tests.support.system import at, problem

WHY = [{"code": "other", "text": "Her aunt runs the workshop"}]


async def situation(eligibility: Eligibility, **profile: Any) -> tuple[UUID, dict[str, Any]]:
    """The case, and the body of a positive decision on the one service that was matched for it."""
    service_id, case = await offer(eligibility, ADULT, PAPERS), registered()
    await eligibility.hear(case)
    facts = {"born_on": "2001-02-03", "has_valid_id": True} | profile
    answer = await match(eligibility, case_id=str(case.case_id), profile=facts)
    return case.case_id, {"match_id": answer["match_id"], "service_id": str(service_id), "outcome": "eligible"}


async def decided(eligibility: Eligibility) -> dict[str, Any]:
    _, body = await situation(eligibility)
    response = await eligibility.post("/decisions", COUNSELLOR, body)
    assert response.status_code == 201, response.text
    decision: dict[str, Any] = response.json()
    return decision


async def test_a_decision_stands_beside_the_verdict_it_was_taken_on(eligibility: Eligibility) -> None:
    case_id, body = await situation(eligibility)
    response = await eligibility.post("/decisions", COUNSELLOR, body)
    decision = response.json()
    assert response.status_code == 201
    assert response.headers["ETag"] == '"1"'
    assert (decision["proposed"], decision["outcome"], decision["criteria_version"]) == ("eligible", "eligible", 1)
    name, event = (await eligibility.said())[-1]
    assert name == "EligibilityDecided"
    assert "Relink-Event" in response.headers
    assert (event["decision_id"], event["case_id"]) == (decision["decision_id"], str(case_id))
    read = await eligibility.get(f"/decisions/{decision['decision_id']}", COUNSELLOR)
    assert read.json() == decision
    listed = (await eligibility.get(f"/decisions?case_id={case_id}", COUNSELLOR)).json()["items"]
    assert [one["decision_id"] for one in listed] == [decision["decision_id"]]


async def test_a_decision_against_the_verdict_says_why(eligibility: Eligibility) -> None:
    _, body = await situation(eligibility, has_valid_id=False)
    refused = await eligibility.post("/decisions", COUNSELLOR, body)
    assert refused.status_code == 422
    assert problem(refused)["type"] == "urn:relink:problem:decision-unfounded"
    override = {"criterion_id": "papers", "outcome": "met", "justification": "The consulate issues them on Friday"}
    by_override = await eligibility.post("/decisions", COUNSELLOR, body | {"overrides": [override]})
    assert by_override.status_code == 201
    assert by_override.json()["proposed"] == "not_eligible"
    assert by_override.json()["overrides"] == [override]
    assert (await eligibility.post("/decisions", COUNSELLOR, body | {"reasons": WHY})).status_code == 201


async def test_what_was_written_is_sealed(eligibility: Eligibility) -> None:
    _, body = await situation(eligibility)
    decision = (await eligibility.post("/decisions", COUNSELLOR, body | {"reasons": WHY})).json()
    path = f"/decisions/{decision['decision_id']}/appeals"
    await eligibility.post(path, COUNSELLOR, {"grounds": "not_heard", "text": "She was never asked"})
    everything = await eligibility.everything()
    assert "aunt" not in everything
    assert "never asked" not in everything
    assert (await eligibility.get(path, COUNSELLOR)).json()["items"][0]["text"] == "She was never asked"


async def test_a_later_decision_takes_the_place_of_the_former(eligibility: Eligibility) -> None:
    _, body = await situation(eligibility)
    first = (await eligibility.post("/decisions", COUNSELLOR, body)).json()
    later = (
        await eligibility.post("/decisions", COUNSELLOR, body | {"outcome": "not_eligible", "reasons": WHY})
    ).json()
    former = (await eligibility.get(f"/decisions/{first['decision_id']}", COUNSELLOR)).json()
    assert former["superseded_by"] == later["decision_id"]
    refused = await eligibility.post(f"/decisions/{first['decision_id']}/appeals", COUNSELLOR, {"grounds": "other"})
    assert problem(refused)["type"] == "urn:relink:problem:decision-superseded"


@pytest.mark.parametrize(
    ("changed", "pointer", "code"),
    [
        ({"service_id": str(UUID(int=5))}, "/service_id", "not_in_match"),
        ({"reasons": [{"code": "other"}]}, "/reasons/0", "text_expected"),
        ({"reasons": [{"code": "mood"}]}, "/reasons/0/code", "literal_error"),
        ({"outcome": "needs_information"}, "/outcome", "literal_error"),
        (
            {"overrides": [{"criterion_id": "height", "outcome": "met", "justification": "x"}]},
            "/overrides/0/criterion_id",
            "unknown_criterion",
        ),
        (
            {"overrides": [{"criterion_id": "papers", "outcome": "met", "justification": "x"}] * 2},
            "/overrides/1/criterion_id",
            "not_unique",
        ),
        (
            {"overrides": [{"criterion_id": "papers", "outcome": "unknown", "justification": "x"}]},
            "/overrides/0/outcome",
            "literal_error",
        ),
    ],
)
async def test_a_decision_that_cannot_be_read_is_refused(
    eligibility: Eligibility, changed: dict[str, Any], pointer: str, code: str
) -> None:
    _, body = await situation(eligibility)
    response = await eligibility.post("/decisions", COUNSELLOR, body | changed)
    (error,) = problem(response)["errors"]
    assert (response.status_code, error["pointer"], error["code"]) == (422, pointer, code)


async def test_a_match_of_others_or_of_nobody_cannot_be_decided_on(eligibility: Eligibility) -> None:
    _, body = await situation(eligibility)
    assert (await eligibility.post("/decisions", OTHER_STATE, body)).status_code == 404
    assert (await eligibility.post("/decisions", COUNSELLOR, body | {"match_id": str(new_id())})).status_code == 404


async def test_a_former_owner_reads_and_acts_no_more(eligibility: Eligibility) -> None:
    case_id, body = await situation(eligibility)
    decision = (await eligibility.post("/decisions", COUNSELLOR, body)).json()
    await eligibility.hear(registered(case_id, version=2, owner_id=DE))
    assert (await eligibility.get(f"/decisions/{decision['decision_id']}", COUNSELLOR)).status_code == 200
    assert (await eligibility.post("/decisions", COUNSELLOR, body)).status_code == 404
    appeal = await eligibility.post(
        f"/decisions/{decision['decision_id']}/appeals", COUNSELLOR, {"grounds": "not_heard"}
    )
    assert appeal.status_code == 404


async def test_an_appeal_is_decided_by_somebody_else_and_its_outcome_holds(eligibility: Eligibility) -> None:
    decision = await decided(eligibility)
    path = f"/decisions/{decision['decision_id']}"
    appeal = await eligibility.post(f"{path}/appeals", COUNSELLOR, {"grounds": "facts_wrong", "text": "Other papers"})
    assert appeal.status_code == 201
    assert appeal.json()["status"] == "open"
    verdict = {"outcome": "not_eligible", "reasons": [{"code": "criteria_not_met", "text": "The card has expired"}]}
    decide = f"{path}/appeals/{appeal.json()['appeal_id']}/decide"
    same = await eligibility.post(decide, COUNSELLOR, verdict, **at(appeal))
    assert (same.status_code, problem(same)["type"]) == (409, "urn:relink:problem:same-person")
    answered = await eligibility.post(decide, COLLEAGUE, verdict, **at(appeal))
    assert answered.status_code == 200
    assert (answered.json()["status"], answered.json()["outcome"]) == ("decided", "not_eligible")
    now = (await eligibility.get(path, COUNSELLOR)).json()
    assert (now["decided"], now["outcome"], now["version"]) == ("eligible", "not_eligible", 3)
    assert now["appeals"] == [answered.json()]
    one = await eligibility.get(f"{path}/appeals/{appeal.json()['appeal_id']}", COUNSELLOR)
    assert one.json() == answered.json()
    told = [(name, event["version"]) for name, event in (await eligibility.said())[-3:]]
    assert told == [("EligibilityDecided", 1), ("DecisionAppealed", 2), ("AppealDecided", 3)]
    twice = await eligibility.post(decide, COLLEAGUE, verdict, **at(answered))
    assert problem(twice)["type"] == "urn:relink:problem:appeal-decided"


async def test_an_appeal_is_decided_as_it_was_read(eligibility: Eligibility) -> None:
    decision = await decided(eligibility)
    path = f"/decisions/{decision['decision_id']}/appeals"
    appeal = await eligibility.post(path, COUNSELLOR, {"grounds": "not_heard"})
    decide = f"{path}/{appeal.json()['appeal_id']}/decide"
    verdict = {"outcome": "eligible", "reasons": [{"code": "criteria_met"}]}
    unread = await eligibility.post(decide, COLLEAGUE, verdict)
    assert (unread.status_code, problem(unread)["type"]) == (428, "urn:relink:problem:precondition-required")
    assert (await eligibility.post(decide, COLLEAGUE, verdict, **at(appeal))).status_code == 200
    body = {name: decision[name] for name in ("match_id", "service_id", "outcome")}
    await eligibility.post("/decisions", COUNSELLOR, body)  # the decision gives way, which is told only after the 412
    stale = await eligibility.post(decide, COLLEAGUE, verdict, **at(appeal))
    assert (stale.status_code, problem(stale)["type"]) == (412, "urn:relink:problem:precondition-failed")


async def test_while_an_appeal_is_open_there_is_no_other_and_no_new_decision(eligibility: Eligibility) -> None:
    decision = await decided(eligibility)
    path = f"/decisions/{decision['decision_id']}/appeals"
    await eligibility.post(path, COUNSELLOR, {"grounds": "facts_changed"})
    assert problem(await eligibility.post(path, COUNSELLOR, {"grounds": "other"}))["status"] == 409
    body = {name: decision[name] for name in ("match_id", "service_id", "outcome")}
    again = await eligibility.post("/decisions", COUNSELLOR, body)
    assert problem(again)["type"] == "urn:relink:problem:appeal-open"


async def test_kept_answers_are_sealed_and_go_with_the_case(eligibility: Eligibility) -> None:
    case_id, body = await situation(eligibility)
    asked = {"country": "NG", "area": EDO, "case_id": str(case_id), "profile": {"has_valid_id": False}}
    matched = await eligibility.post("/matches", COUNSELLOR, asked, **{"Idempotency-Key": "match"})
    decision = body | {"reasons": WHY}
    taken = await eligibility.post("/decisions", COUNSELLOR, decision, **{"Idempotency-Key": "decide"})
    path = f"/decisions/{taken.json()['decision_id']}/appeals"
    grounds = {"grounds": "not_heard", "text": "She was never asked"}
    appeal = await eligibility.post(path, COUNSELLOR, grounds, **{"Idempotency-Key": "appeal"})
    answer = {"outcome": "eligible", "reasons": [{"code": "criteria_met", "text": "Papers came by post"}]}
    path_of_one = f"{path}/{appeal.json()['appeal_id']}/decide"
    sent = {"Idempotency-Key": "answer"} | at(appeal)
    answered = await eligibility.post(path_of_one, COLLEAGUE, answer, **sent)
    again: list[tuple[httpx.Response, str, Client, Any, dict[str, str]]] = [
        (matched, "/matches", COUNSELLOR, asked, {"Idempotency-Key": "match"}),
        (taken, "/decisions", COUNSELLOR, decision, {"Idempotency-Key": "decide"}),
        (appeal, path, COUNSELLOR, grounds, {"Idempotency-Key": "appeal"}),
        (answered, path_of_one, COLLEAGUE, answer, sent),
    ]
    kept = repr(await eligibility.rows("idempotency_keys"))
    assert not [word for word in ("papers", "aunt", "never asked", "by post", "eligible") if word in kept]
    for first, address, by, what, headers in again:
        replayed = await eligibility.post(address, by, what, **headers)
        assert first.is_success
        assert (replayed.status_code, replayed.json()) == (first.status_code, first.json())
        assert replayed.headers["Idempotency-Replayed"] == "true"
    async with eligibility.runtime.sessions() as session:
        await case_keys(session).destroy(case_id)
    for _, address, by, what, headers in again:
        assert (await eligibility.post(address, by, what, **headers)).status_code == 404


def _calls(decision_id: UUID) -> list[tuple[str, str, Any]]:
    path, unknown = f"/decisions/{decision_id}", UUID(int=9)
    decide = {"outcome": "eligible", "reasons": [{"code": "criteria_met"}]}
    return [
        ("GET", path, None),
        ("POST", f"{path}/appeals", {"grounds": "not_heard"}),
        ("GET", f"{path}/appeals", None),
        ("GET", f"{path}/appeals/{unknown}", None),
        ("POST", f"{path}/appeals/{unknown}/decide", decide),
    ]


async def test_nobody_gets_in_without_token_or_scope(eligibility: Eligibility) -> None:
    body = {"match_id": str(new_id()), "service_id": str(new_id()), "outcome": "eligible"}
    for method, path, sent in [("POST", "/decisions", body), ("GET", "/decisions", None), *_calls(new_id())]:
        assert (await eligibility.request(method, path, None, sent)).status_code == 401
        assert (await eligibility.request(method, path, NOBODY, sent)).status_code == 403


async def test_decisions_of_others_and_of_nobody_are_not_found(eligibility: Eligibility) -> None:
    decision = await decided(eligibility)
    seen = {"If-Match": '"1"'}
    for method, path, sent in _calls(UUID(decision["decision_id"])):
        assert (await eligibility.request(method, path, OTHER_STATE, sent, seen)).status_code == 404
    for method, path, sent in _calls(new_id()):
        assert (await eligibility.request(method, path, COUNSELLOR, sent, seen)).status_code == 404
    assert (await eligibility.get("/decisions", OTHER_STATE)).json()["items"] == []
