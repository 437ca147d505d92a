"""Matches over HTTP: complete, explained, in the reader's language, and kept only for a case, sealed."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event as sqlalchemy_event

from shared import clock
from shared.crypto import CaseKeys, decode_key
from shared.events.referral import CaseErased, CoarseMember
from shared.events.registry import (
    MechanismChanged,
    ProgrammePublished,
    ServiceConfirmed,
    ServiceRetired,
    ServiceWentStale,
)
from shared.ids import new_id
from tests.integration.eligibility.asking import match, offer
from tests.integration.eligibility.conftest import Eligibility
from tests.integration.eligibility.heard import (
    ADULT,
    BE,
    COUNSELLOR,
    DE,
    EDO,
    LAGOS,
    NEWCOMER,
    NOBODY,
    OTHER_STATE,
    PAPERS,
    PROVIDER,
    arrival,
    places,
    published,
    registered,
    signed,
)
from tests.support.system import problem


def ids(items: list[dict[str, Any]]) -> list[UUID]:
    return [UUID(item["service_id"]) for item in items]


async def test_every_published_service_of_the_country_is_counted_in_one_class(eligibility: Eligibility) -> None:
    open_to_all = await offer(eligibility)
    asks = await offer(eligibility, PAPERS)
    refuses = await offer(eligibility, ADULT)
    elsewhere = await offer(eligibility, covered_areas=[LAGOS])
    unvalidated = published()
    await eligibility.hear(unvalidated, published(country="GH"))
    answer = await match(eligibility, profile={"born_on": clock.today().isoformat()})
    assert answer["evaluated"] == 5
    assert (answer["eligible"], answer["needs_information"], answer["not_eligible"]) == (1, 2, 2)
    verdicts = {UUID(result["service_id"]): result["verdict"] for result in answer["results"]}
    assert verdicts == {
        open_to_all: "eligible",
        asks: "needs_information",
        unvalidated.service_id: "needs_information",
        refuses: "not_eligible",
        elsewhere: "not_eligible",
    }
    assert [result["rank"] for result in answer["results"]] == [1, 2, 3, 4, 5]
    assert "match_id" in answer
    assert answer["match_id"] is None


async def test_reasons_near_misses_and_the_next_question(eligibility: Eligibility) -> None:
    asks = await offer(eligibility, ADULT, PAPERS, NEWCOMER)
    young = await offer(eligibility, ADULT | {"minimum": 21})
    as_of = date(clock.today().year + 1, 6, 15)
    born_on = as_of.replace(year=as_of.year - 20)
    profile = {"born_on": born_on.isoformat(), "assisted_before": False}
    answer = await match(eligibility, as_of=as_of.isoformat(), profile=profile)
    open_result, refused = answer["results"]
    assert ids(answer["results"]) == [asks, young]
    assert [(reason["criterion_id"], reason["outcome"]) for reason in open_result["reasons"]] == [
        ("area", "met"),
        ("adult", "met"),
        ("papers", "unknown"),
        ("newcomer", "met"),
    ]
    at_21 = born_on.replace(year=born_on.year + 21).isoformat()
    assert refused["reasons"][1] == {
        "criterion_id": "adult",
        "level": "individual",
        "outcome": "not_met",
        "text": "Is 18 or older",
        "fact": "born_on",
        "becomes_true_on": at_21,
    }
    (miss,) = answer["near_misses"]
    assert (UUID(miss["service_id"]), miss["becomes_true_on"], miss["verdict_then"]) == (young, at_21, "eligible")
    (question,) = answer["next_questions"]
    assert (question["fact"], question["decides"]) == ("has_valid_id", 1)
    assert set(open_result["score_parts"]) == {"specificity", "distance", "capacity", "waiting", "freshness"}


async def test_texts_come_in_the_readers_language_with_english_to_fall_back_on(eligibility: Eligibility) -> None:
    await offer(eligibility, ADULT, PAPERS, translations={"fra": "Cours de couture"})
    french = await match(eligibility, language="fr-BE, de;q=0.5")
    (result,) = french["results"]
    assert result["name"] == "Cours de couture"
    assert [reason["text"] for reason in result["reasons"][1:]] == ["A 18 ans ou plus", "Has valid papers"]
    german = await match(eligibility, language="de")
    assert german["results"][0]["name"] == "Tailoring course"
    assert german["next_questions"][0]["text"] == "Wann sind Sie geboren?"


async def test_explain_false_leaves_the_reasons_out(eligibility: Eligibility) -> None:
    await offer(eligibility, ADULT)
    assert (await match(eligibility, explain=False))["results"][0]["reasons"] == []


async def test_needs_narrow_what_is_shown_and_never_what_is_counted(eligibility: Eligibility) -> None:
    health = await offer(eligibility, type="health", dimension="social")
    await offer(eligibility)
    for needs in (["health"], ["social"]):
        answer = await match(eligibility, needs=needs)
        assert ids(answer["results"]) == [health]
        assert (answer["evaluated"], answer["eligible"]) == (2, 2)
    assert len((await match(eligibility, limit=1))["results"]) == 1


async def test_without_an_area_it_is_asked(eligibility: Eligibility) -> None:
    await offer(eligibility)
    answer = await match(eligibility, area=None)
    assert answer["needs_information"] == 1
    assert answer["next_questions"][0]["fact"] == "area"


async def test_a_retired_service_is_no_longer_matched(eligibility: Eligibility) -> None:
    told = published()
    await eligibility.hear(told, ServiceRetired(**told.model_dump() | {"version": 2}))
    assert (await match(eligibility))["evaluated"] == 0


async def test_a_service_that_the_registry_hides_is_not_matched_until_somebody_confirms_it(
    eligibility: Eligibility,
) -> None:
    told = published()
    await eligibility.hear(told, ServiceWentStale(**told.model_dump() | {"version": 2, "freshness": "stale"}))
    assert (await match(eligibility))["evaluated"] == 1
    await eligibility.hear(ServiceWentStale(**told.model_dump() | {"version": 3, "freshness": "hidden"}))
    assert (await match(eligibility))["evaluated"] == 0
    await eligibility.hear(ServiceConfirmed(**told.model_dump() | {"version": 4, "freshness": "fresh"}))
    assert (await match(eligibility))["evaluated"] == 1


async def test_a_service_is_referable_when_no_known_obstacle_stands_in_the_way(eligibility: Eligibility) -> None:
    free, full, unagreed, stale = [
        await offer(eligibility, **more)
        for more in ({"set_aside": 2}, {}, {}, {"confirmed_on": clock.today() - timedelta(days=181)})
    ]
    await eligibility.hear(signed(free, full, stale), places(full, free=0))
    blockers = {UUID(one["service_id"]): one["blockers"] for one in (await match(eligibility))["results"]}
    assert blockers == {free: [], full: ["no_place"], unagreed: ["no_agreement"], stale: ["stale"]}
    others = await match(eligibility, by=OTHER_STATE)
    assert {result["referable"] for result in others["results"]} == {False}


async def test_an_agreement_with_the_hub_on_its_mechanism_is_a_way(eligibility: Eligibility) -> None:
    service_id, hub, mechanism_id = await offer(eligibility), new_id(), new_id()
    mechanism = MechanismChanged(
        mechanism_id=mechanism_id, version=1, kind="hub", organization_id=hub, countries=["NG"], covered_areas=[EDO]
    )
    agreement = signed(
        parties=[{"organization_id": BE}, {"organization_id": hub}], covers={"mechanism_ids": [mechanism_id]}
    )
    await eligibility.hear(mechanism, agreement)
    (result,) = (await match(eligibility))["results"]
    assert (UUID(result["service_id"]), result["referable"]) == (service_id, True)


async def test_a_programme_that_ended_blocks(eligibility: Eligibility) -> None:
    programme_id = new_id()
    service_id = await offer(eligibility, programme_id=programme_id)
    programme = ProgrammePublished(
        programme_id=programme_id,
        version=1,
        organization_id=new_id(),
        name="P",
        countries=["NG"],
        ends_on=clock.today() - timedelta(days=1),
    )
    await eligibility.hear(signed(service_id), programme)
    assert (await match(eligibility))["results"][0]["blockers"] == ["programme_ended"]


async def test_a_match_without_a_case_stores_nothing(eligibility: Eligibility) -> None:
    await offer(eligibility, ADULT)
    before = await eligibility.everything()
    await match(eligibility, profile={"born_on": "2001-02-03", "vulnerabilities": ["survivor_of_trafficking"]})
    assert await eligibility.everything() == before


async def test_a_match_for_a_case_is_kept_sealed_and_for_the_planned_arrival(eligibility: Eligibility) -> None:
    service_id, case = await offer(eligibility, ADULT, PAPERS), registered()
    await eligibility.hear(case)
    profile = {"born_on": "2001-02-03", "has_valid_id": True, "vulnerabilities": ["survivor_of_trafficking"]}
    answer = await match(eligibility, area=None, case_id=str(case.case_id), profile=profile)
    assert answer["as_of"] == arrival().isoformat()
    assert answer["eligible"] == 1
    stored = await eligibility.get(f"/matches/{answer['match_id']}", COUNSELLOR)
    assert stored.status_code == 200
    assert {name: stored.json()[name] for name in answer} == answer
    heard = {"sex": "female", "return_type": "voluntary", "returned_from": "BE", "returned_on": arrival().isoformat()}
    assert stored.json()["profile"] == profile | heard
    listed = (await eligibility.get(f"/matches?case_id={case.case_id}", COUNSELLOR)).json()["items"]
    assert [one["match_id"] for one in listed] == [answer["match_id"]]
    assert ids(answer["results"]) == [service_id]
    everything = await eligibility.everything()
    assert not any(fact in everything for fact in ("2001-02-03", "survivor_of_trafficking"))


async def test_only_the_case_owner_matches_for_a_case_and_reads_what_came_out(eligibility: Eligibility) -> None:
    case = registered()
    await eligibility.hear(case)
    body = {"country": "NG", "case_id": str(case.case_id)}
    assert (await eligibility.post("/matches", OTHER_STATE, body)).status_code == 404
    assert (await eligibility.post("/matches", PROVIDER, body)).status_code == 404
    assert (await eligibility.post("/matches", COUNSELLOR, body | {"case_id": str(new_id())})).status_code == 404
    match_id = (await match(eligibility, case_id=str(case.case_id)))["match_id"]
    assert (await eligibility.get(f"/matches/{match_id}", OTHER_STATE)).status_code == 404
    assert (await eligibility.get("/matches", OTHER_STATE)).json()["items"] == []


async def test_a_transferred_case_is_matched_by_its_new_owner(eligibility: Eligibility) -> None:
    case = registered()
    await eligibility.hear(case, registered(case.case_id, version=2, owner_id=DE))
    body = {"country": "NG", "case_id": str(case.case_id)}
    assert (await eligibility.post("/matches", COUNSELLOR, body)).status_code == 404
    assert (await eligibility.post("/matches", OTHER_STATE, body)).status_code == 200


async def test_a_case_that_was_erased_has_no_matches_any_more(eligibility: Eligibility) -> None:
    case = registered()
    await eligibility.hear(case)
    match_id = (await match(eligibility, case_id=str(case.case_id)))["match_id"]
    await eligibility.hear(CaseErased(case_id=case.case_id, version=2, occurred_at=clock.now()))
    body = {"country": "NG", "case_id": str(case.case_id)}
    assert (await eligibility.post("/matches", COUNSELLOR, body)).status_code == 404
    settings = eligibility.runtime.settings
    assert eligibility.runtime.keys_engine is not None
    assert settings.key_encryption_key is not None
    keys = CaseKeys(eligibility.runtime.keys_engine, decode_key(settings.key_encryption_key.get_secret_value()))
    await keys.destroy(case.case_id)
    assert (await eligibility.get(f"/matches/{match_id}", COUNSELLOR)).status_code == 404


async def test_an_arrival_that_lies_behind_is_answered_for_today(eligibility: Eligibility) -> None:
    yesterday = clock.today() - timedelta(days=1)
    late, arrived, unplanned = (
        registered(planned_arrival_on=yesterday),
        registered(arrived_on=yesterday),
        registered(planned_arrival_on=None),
    )
    await eligibility.hear(late, arrived, unplanned)
    for case in (late, arrived, unplanned):
        assert (await match(eligibility, case_id=str(case.case_id)))["as_of"] == clock.today().isoformat()


@pytest.mark.parametrize(
    ("heard", "unknown"),
    [
        ({"planned_arrival_on": date(9999, 12, 31)}, "returned_on"),
        ({"planned_arrival_on": date(1899, 12, 31)}, "returned_on"),
        ({"arrived_on": date(9999, 12, 31), "phase": "arrived"}, "returned_on"),
        ({"arrived_on": date(1, 1, 1), "phase": "arrived"}, "returned_on"),
        ({"member_state": "Belgique"}, "returned_from"),
        ({"return_type": "by_ship"}, "return_type"),
        ({"members": [CoarseMember(member_id=UUID(int=1), sex="W")]}, "sex"),
    ],
)
async def test_what_was_heard_and_fits_no_fact_is_unknown(
    eligibility: Eligibility, heard: dict[str, Any], unknown: str
) -> None:
    recent = {
        "criterion_id": "recent_return",
        "operation": "months_since",
        "fact": "returned_on",
        "minimum": 0,
        "maximum": 12,
        "text": {"eng": "Returned no more than 12 months ago"},
    }
    await offer(eligibility, recent)
    case = registered(**heard)
    await eligibility.hear(case)
    answer = await match(eligibility, case_id=str(case.case_id))
    kept = (await eligibility.get(f"/matches/{answer['match_id']}", COUNSELLOR)).json()
    assert unknown not in kept["profile"]
    assert len(kept["profile"]) == 3
    if unknown == "returned_on":
        assert (answer["needs_information"], answer["as_of"]) == (1, clock.today().isoformat())


async def test_a_case_for_which_nothing_fits_is_an_unmet_need(eligibility: Eligibility) -> None:
    case = registered(planned_arrival_on=None)
    await eligibility.hear(case)
    await offer(eligibility, ADULT)
    await offer(eligibility, ADULT, PAPERS)
    await offer(eligibility, covered_areas=[LAGOS])
    await offer(eligibility, type="health", dimension="social")
    said = len(await eligibility.said())
    profile = {"born_on": clock.today().isoformat(), "has_valid_id": False}
    answer = await match(eligibility, case_id=str(case.case_id), needs=["economic"], profile=profile)
    ((name, event),) = (await eligibility.said())[said:]
    assert name == "UnmetNeedRecorded"
    assert event == {
        "version": 1,
        "match_id": answer["match_id"],
        "case_id": str(case.case_id),
        "country": "NG",
        "area": EDO,
        "needs": ["economic"],
        "failing_criteria": ["adult", "area", "papers"],
        "as_of": clock.today().isoformat(),
    }
    await match(eligibility, case_id=str(case.case_id), profile=profile)
    await match(eligibility, needs=["economic"], profile=profile)
    assert len(await eligibility.said()) == said + 1


@pytest.mark.parametrize(
    ("asked", "pointer", "code"),
    [
        ({"profile": {"mother_tongue_secret": "x"}}, "/profile", "unknown_field"),
        ({"profile": {"born_on": "secret"}}, "/profile/born_on", "date_expected"),
        ({"profile": {"born_on": "2001-02-29"}}, "/profile/born_on", "impossible_date"),
        ({"profile": {"minor_children": "secret"}}, "/profile/minor_children", "integer_expected"),
        ({"profile": {"skills": ["secret"]}}, "/profile/skills", "code_not_allowed"),
        ({"profile": {"name": "Secret"}}, "/profile", "unknown_field"),
        ({"profile": []}, "/profile", "dict_type"),
        ({"needs": ["Secret!"]}, "/needs/0", "string_pattern_mismatch"),
        ({"country": "XX"}, "/country", "unknown_country"),
        ({"as_of": "1899-12-31"}, "/as_of", "greater_than_equal"),
        ({"limit": 201}, "/limit", "less_than_equal"),
        ({"secret": 1}, "", "unknown_field"),
    ],
)
async def test_what_cannot_be_read_is_refused_and_not_repeated(
    eligibility: Eligibility, asked: dict[str, Any], pointer: str, code: str
) -> None:
    response = await eligibility.post("/matches", COUNSELLOR, {"country": "NG"} | asked)
    (error,) = problem(response)["errors"]
    assert response.status_code == 422
    assert (error["pointer"], error["code"]) == (pointer, code)
    assert "secret" not in response.text.lower()


async def test_an_asylum_related_fact_is_for_member_states_only(eligibility: Eligibility) -> None:
    asylum = {
        "criterion_id": "claim",
        "operation": "is_true",
        "fact": "sought_asylum",
        "text": {"eng": "Sought protection abroad"},
    }
    await offer(eligibility, asylum)
    profile = {"sought_asylum": True}
    refused = await eligibility.post("/matches", PROVIDER, {"country": "NG", "profile": profile})
    assert [error["code"] for error in problem(refused)["errors"]] == ["never_leaves"]
    assert "asylum" not in refused.text
    inside = await match(eligibility, profile=profile)
    assert inside["results"][0]["reasons"][1]["criterion_id"] == "claim"
    outside = await match(eligibility, by=PROVIDER)
    assert outside["results"][0]["reasons"][1]["criterion_id"] == "withheld"
    assert "Sought protection" not in str(outside)


async def test_a_case_is_matched_in_the_country_it_returns_to(eligibility: Eligibility) -> None:
    case = registered()
    await eligibility.hear(case)
    refused = await eligibility.post("/matches", COUNSELLOR, {"country": "GH", "case_id": str(case.case_id)})
    assert problem(refused)["errors"][0]["pointer"] == "/country"


async def test_the_same_key_gives_the_same_match(eligibility: Eligibility) -> None:
    case = registered()
    await eligibility.hear(case)
    body, key = {"country": "NG", "case_id": str(case.case_id)}, {"Idempotency-Key": "one-match"}
    first, again = [await eligibility.request("POST", "/matches", COUNSELLOR, body, key) for _ in range(2)]
    assert first.json()["match_id"] == again.json()["match_id"]
    assert len(await eligibility.rows("matches")) == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("POST", "/matches", {"country": "NG"}), ("GET", "/matches", None), ("GET", f"/matches/{UUID(int=1)}", None)],
)
async def test_nobody_gets_in_without_token_or_scope(
    eligibility: Eligibility, method: str, path: str, body: Any
) -> None:
    assert (await eligibility.request(method, path, None, body)).status_code == 401
    assert (await eligibility.request(method, path, NOBODY, body)).status_code == 403


async def test_an_unknown_match_is_not_found(eligibility: Eligibility) -> None:
    assert (await eligibility.get(f"/matches/{new_id()}", COUNSELLOR)).status_code == 404


async def test_the_number_of_queries_does_not_grow_with_the_number_of_services(eligibility: Eligibility) -> None:
    async def queries() -> int:
        counted: list[str] = []
        engine = eligibility.runtime.engine.sync_engine
        sqlalchemy_event.listen(engine, "before_cursor_execute", listener := lambda *call: counted.append(call[2]))
        await match(eligibility)
        sqlalchemy_event.remove(engine, "before_cursor_execute", listener)
        return len([statement for statement in counted if statement.startswith("SELECT")])

    await offer(eligibility, ADULT)
    await match(eligibility)
    few = await queries()
    for _ in range(5):
        await offer(eligibility, PAPERS)
    await match(eligibility)
    assert await queries() == few
    assert few <= 4
