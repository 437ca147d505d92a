from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared import clock
from shared.ids import new_id
from tests.integration.registry.conftest import ORGANIZATIONS, Registry
from tests.support.system import at, problem

BE, HUB, PROVIDER = (ORGANIZATIONS[name] for name in ("be-return", "ng-hub", "ng-provider"))


def body(**changed: Any) -> dict[str, Any]:
    today = clock.today()
    return {
        "kind": "referral_protocol",
        "title": "Referrals to Edo",
        "parties": [{"organization_id": BE}, {"organization_id": HUB}],
        "countries": ["BE", "NG"],
        "valid_from": today.isoformat(),
        "valid_until": (today + timedelta(days=365)).isoformat(),
        "deadlines": {"decision": 2},
        "disclosure": {"fields": ["name", "contacts"], "hub_sees_identity": True},
        "data_roles": [{"organization_id": BE, "role": "controller"}],
        "transfer_instrument": {"article": "46(2)(a)", "onward_kinds": ["ngo"]},
    } | changed


async def proposed(registry: Registry, **changed: Any) -> tuple[str, httpx.Response]:
    made = await registry.make("be-return", "/agreements", body(**changed))
    path = f"/agreements/{made.json()['agreement_id']}"
    return path, await registry.act("be-return", made, f"{path}/propose")


async def signed(registry: Registry, **changed: Any) -> tuple[str, httpx.Response]:
    path, answer = await proposed(registry, **changed)
    answer = await registry.act("be-return", answer, f"{path}/sign")
    return path, await registry.act("ng-hub", answer, f"{path}/sign")


async def test_it_is_in_force_when_every_party_has_signed(registry: Registry) -> None:
    path, answer = await proposed(registry)
    first = await registry.act("ng-hub", answer, f"{path}/sign")
    assert first.json()["state"] == "proposed"
    assert await registry.said() == []
    second = await registry.act("be-return", first, f"{path}/sign")
    assert second.json()["state"] == "signed"
    [(name, data)] = await registry.said()
    assert name == "AgreementSigned"
    assert {party["organization_id"] for party in data["parties"]} == {BE, HUB}
    assert all(party["signed_on"] == clock.today().isoformat() for party in data["parties"])
    assert data["disclosure"] == {"fields": ["name", "contacts"], "hub_sees_identity": True}
    assert (data["deadlines"]["decision"], data["transfer_instrument"]["article"]) == (2, "46(2)(a)")


async def test_parties_and_curators_see_it_and_nobody_else(registry: Registry) -> None:
    path, answer = await signed(registry)
    for client_id in ("be-return", "ng-hub", "registry-manager"):
        assert (await registry.get(client_id, path)).status_code == 200
    assert (await registry.get("ng-provider", path)).status_code == 404
    assert (await registry.post("ng-provider", f"{path}/end", headers=at(answer))).status_code == 404
    listed = (await registry.get("ng-provider", "/agreements", state="signed", limit=200)).json()["items"]
    assert answer.json()["agreement_id"] not in {each["agreement_id"] for each in listed}
    listed = (await registry.get("ng-hub", "/agreements", country="NG", organization_id=BE, limit=200)).json()["items"]
    assert answer.json()["agreement_id"] in {each["agreement_id"] for each in listed}


async def test_nobody_signs_for_others_or_twice(registry: Registry) -> None:
    path, answer = await proposed(registry)
    curator = await registry.post("registry-manager", f"{path}/sign", headers=at(answer))
    assert curator.status_code == 403
    once = await registry.act("ng-hub", answer, f"{path}/sign")
    twice = await registry.post("ng-hub", f"{path}/sign", headers=at(once))
    assert problem(twice)["type"] == "urn:relink:problem:already-signed"
    unseen = await registry.post("be-return", f"{path}/sign", headers=at(answer))
    assert unseen.status_code == 412


async def test_a_draft_is_not_signed(registry: Registry) -> None:
    made = await registry.make("be-return", "/agreements", body())
    refused = await registry.post("be-return", f"/agreements/{made.json()['agreement_id']}/sign", headers=at(made))
    assert problem(refused)["type"] == "urn:relink:problem:transition-not-allowed"
    assert (problem(refused)["current"], problem(refused)["allowed"]) == ("draft", ["edit", "propose", "end"])


async def test_editing_returns_the_signatures(registry: Registry) -> None:
    path, answer = await proposed(registry)
    once = await registry.act("ng-hub", answer, f"{path}/sign")
    edited = await registry.patch("be-return", once, path, {"title": "Other", "deadlines": {"decision": None}})
    assert edited.json()["deadlines"]["decision"] is None
    assert [party["signed_on"] for party in edited.json()["parties"]] == [None, None]
    assert edited.json()["state"] == "proposed"


async def test_what_is_signed_is_not_edited(registry: Registry) -> None:
    path, answer = await signed(registry)
    assert (await registry.patch("be-return", answer, path, {"title": "Other"})).status_code == 409


async def test_parties_may_change_while_it_is_a_draft(registry: Registry) -> None:
    made = await registry.make("be-return", "/agreements", body())
    path = f"/agreements/{made.json()['agreement_id']}"
    three = [{"organization_id": each} for each in (BE, HUB, PROVIDER)]
    edited = await registry.patch("be-return", made, path, {"parties": three})
    assert len(edited.json()["parties"]) == 3
    out = await registry.patch("be-return", edited, path, {"parties": three[1:], "data_roles": []})
    assert out.status_code == 403
    shrunk = await registry.patch("be-return", edited, path, {"parties": three[:2]})
    assert {party["organization_id"] for party in shrunk.json()["parties"]} == {BE, HUB}


async def test_any_party_ends_it(registry: Registry) -> None:
    path, answer = await signed(registry)
    await registry.said()
    assert (await registry.post("registry-manager", f"{path}/end", headers=at(answer))).status_code == 403
    ended = await registry.act("ng-hub", answer, f"{path}/end")
    assert ended.json()["ended_on"] == clock.today().isoformat()
    [(name, data)] = await registry.said()
    assert (name, data["ended_on"]) == ("AgreementEnded", clock.today().isoformat())


async def test_what_was_never_in_force_ends_without_a_word(registry: Registry) -> None:
    path, answer = await proposed(registry)
    ended = await registry.act("ng-hub", answer, f"{path}/end")
    assert ended.json()["state"] == "ended"
    assert await registry.said() == []


async def test_it_runs_out_the_day_after_its_last(registry: Registry) -> None:
    until = date(2031, 5, 31)
    path, _ = await signed(registry, valid_until=until.isoformat())
    await registry.said()
    await registry.move_to(datetime(2031, 5, 31, 23, 59, tzinfo=UTC))
    assert (await registry.get("ng-hub", path)).json()["state"] == "signed"
    await registry.move_to(datetime(2031, 6, 1, tzinfo=UTC))
    assert (await registry.get("ng-hub", path)).json()["state"] == "ended"
    said = [data["ended_on"] for name, data in await registry.said() if name == "AgreementEnded"]
    assert "2031-06-01" in said


async def announced(registry: Registry, agreement_id: str) -> list[tuple[str, int]]:
    """The announcements of its end since this was last asked: the day named, and the days left."""
    return [
        (data["ends_on"], data["days_left"])
        for name, data in await registry.said()
        if name == "AgreementEnding" and data["agreement_id"] == agreement_id
    ]


async def test_its_end_is_announced_90_30_and_7_days_ahead_once_each(registry: Registry) -> None:
    path, answer = await signed(registry, valid_until="2033-12-31")
    agreement_id = answer.json()["agreement_id"]
    seen = []
    for day in (
        date(2033, 10, 2), date(2033, 10, 3), date(2033, 10, 4), date(2033, 12, 2), date(2033, 12, 25), date(2034, 1, 1)
    ):  # fmt: skip
        await registry.move_to(datetime(day.year, day.month, day.day, tzinfo=UTC))
        seen.append(await announced(registry, agreement_id))
    ends_on = "2034-01-01"
    assert seen == [[], [(ends_on, 90)], [], [(ends_on, 30)], [(ends_on, 7)], []]
    assert (await registry.get("ng-hub", path)).json()["state"] == "ended"


async def test_announcements_whose_day_is_past_are_left_out_and_the_nearest_is_made_when_it_comes_late(
    registry: Registry,
) -> None:
    clock.move_to(datetime(2035, 1, 1, tzinfo=UTC))
    _, soon = await signed(registry, valid_from="2035-01-01", valid_until="2035-01-20")
    _, later = await signed(registry, valid_from="2035-01-01", valid_until="2035-12-31")
    await registry.move_to(datetime(2035, 1, 2, tzinfo=UTC))
    assert await announced(registry, soon.json()["agreement_id"]) == [], "30 days ahead was over when it was signed"
    await registry.move_to(datetime(2035, 12, 27, tzinfo=UTC))  # as if nothing had worked for a year
    assert await announced(registry, later.json()["agreement_id"]) == [("2036-01-01", 5)]


async def test_what_a_party_has_ended_is_not_announced(registry: Registry) -> None:
    path, answer = await signed(registry, valid_from="2036-02-01", valid_until="2037-01-31")
    await registry.act("ng-hub", answer, f"{path}/end")
    await registry.move_to(datetime(2036, 11, 5, tzinfo=UTC))
    assert await announced(registry, answer.json()["agreement_id"]) == []


async def test_what_ends_soon_is_listed(registry: Registry) -> None:
    today = clock.today()
    _, answer = await signed(registry, valid_until=(today + timedelta(days=20)).isoformat())

    async def listed(days: int) -> bool:
        items = (await registry.get("ng-hub", "/agreements", ending_within_days=days, limit=200)).json()["items"]
        return answer.json()["agreement_id"] in {each["agreement_id"] for each in items}

    assert [await listed(days) for days in (20, 21, 90)] == [False, True, True]


async def test_agreements_that_overlap_are_shown_and_are_no_obstacle(registry: Registry) -> None:
    first_day, last_day = "2040-01-01", "2040-12-31"
    covers = {"mechanism_ids": [await mechanism(registry)]}
    _, first = await signed(registry, valid_from=first_day, valid_until=last_day, covers=covers)
    path, second = await signed(registry, valid_from=last_day, valid_until="2041-12-31", covers=covers)
    await signed(registry, valid_from="2041-01-01", valid_until="2041-12-31", covers={})
    await signed(registry, valid_from=first_day, valid_until=last_day, covers=covers, kind="mou")
    await signed(registry, valid_from=first_day, valid_until=last_day, covers=covers, countries=["GH"])

    async def overlaps(client_id: str, path: str) -> list[str]:
        items = (await registry.get(client_id, f"{path}/overlaps")).json()["items"]
        return [each["agreement_id"] for each in items]

    assert second.json()["state"] == "signed"
    assert await overlaps("ng-hub", path) == [first.json()["agreement_id"]]
    assert await overlaps("be-return", f"/agreements/{first.json()['agreement_id']}") == [second.json()["agreement_id"]]
    assert (await registry.get("ng-provider", f"{path}/overlaps")).status_code == 404


async def mechanism(registry: Registry) -> str:
    body = {"kind": "hub", "organization_id": HUB, "countries": ["NG"]}
    return str((await registry.make("ng-hub", "/mechanisms", body)).json()["mechanism_id"])


async def test_what_has_run_out_is_not_signed(registry: Registry) -> None:
    path, answer = await proposed(registry, valid_from="2020-01-01", valid_until="2020-12-31")
    refused = await registry.post("ng-hub", f"{path}/sign", headers=at(answer))
    assert problem(refused)["type"] == "urn:relink:problem:agreement-run-out"


@pytest.mark.parametrize(
    ("changed", "pointer", "code"),
    [
        ({"valid_until": "2020-01-01"}, "/valid_until", "dates_reversed"),
        ({"parties": [{"organization_id": BE}]}, "/parties", "too_short"),
        ({"parties": [{"organization_id": BE}, {"organization_id": BE}]}, "/parties", "duplicate"),
        (
            {"parties": [{"organization_id": BE}, {"organization_id": str(new_id())}]},
            "/parties/1/organization_id",
            "unknown_organization",
        ),
        ({"covers": {"service_ids": [str(new_id())]}}, "/covers/service_ids/0", "unknown_service"),
        ({"covers": {"programme_ids": [str(new_id())]}}, "/covers/programme_ids/0", "unknown_programme"),
        ({"covers": {"mechanism_ids": [str(new_id())]}}, "/covers/mechanism_ids/0", "unknown_mechanism"),
        (
            {"data_roles": [{"organization_id": PROVIDER, "role": "controller"}]},
            "/data_roles/0/organization_id",
            "not_a_party",
        ),
        (
            {"data_roles": [{"organization_id": BE, "role": "processor"}]},
            "/data_roles",
            "processor_without_controller",
        ),
        (
            {
                "data_roles": [
                    {"organization_id": BE, "role": "joint_controller"},
                    {"organization_id": HUB, "role": "processor"},
                ]
            },
            "/data_roles",
            "joint_controller_alone",
        ),
        ({"disclosure": {"fields": ["asylum_claim"]}}, "/disclosure/fields/0", "enum"),
        ({"transfer_instrument": {"article": "49(1)(a)"}}, "/transfer_instrument/article", "string_pattern_mismatch"),
        ({"countries": []}, "/countries", "too_short"),
        ({"deadlines": {"decision": 0}}, "/deadlines/decision", "greater_than_equal"),
    ],
)
async def test_nonsense_is_refused(registry: Registry, changed: dict[str, Any], pointer: str, code: str) -> None:
    answer = await registry.post("be-return", "/agreements", body(**changed))
    assert answer.status_code == 422
    assert [(each["pointer"], each["code"]) for each in problem(answer)["errors"]] == [(pointer, code)]


async def test_nobody_draws_up_an_agreement_between_others(registry: Registry) -> None:
    assert (await registry.post("ng-provider", "/agreements", body())).status_code == 403
    assert (await registry.post("registry-manager", "/agreements", body())).status_code == 201
