"""The indicators over HTTP: over whom, broken down by what, as of when, and what is not shown."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.ids import new_id
from tests.integration.monitoring.conftest import Monitoring
from tests.integration.monitoring.events import (
    OTHER_OWNER,
    OWNER,
    PROVIDER,
    SENT_AT,
    Journey,
    Said,
    case,
    delivered_and_confirmed,
)

ONE, TWO = "/indicators/1-acknowledgement-and-acceptance", "/indicators/2-confirmed-receipt"
THREE, FOUR = "/indicators/3-completion-and-drop-out", "/indicators/4-decline-reasons"


def measure(answer: httpx.Response, code: str) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any]
    (found,) = (count for count in answer.json()["total"] if count["code"] == code)
    return found


def told(*journeys: Journey) -> list[Said]:
    return [said for journey in journeys for said in journey.said]


def for_woman_or_man(sex: str, area: str = "NG012") -> list[Said]:
    """A case and a referral of it that went well."""
    case_id = new_id()
    return [case(case_id, sex=sex, area=area), *delivered_and_confirmed(case_id=case_id).said]


@pytest.mark.parametrize("path", ["/indicators", ONE])
async def test_without_a_token_nothing_is_told(monitoring: Monitoring, path: str) -> None:
    assert (await monitoring.get(None, path)).status_code == 401


@pytest.mark.parametrize("path", ["/indicators", ONE])
async def test_the_scope_is_needed(monitoring: Monitoring, path: str) -> None:
    assert (await monitoring.get("ng-provider", path)).status_code == 403


async def test_all_definitions_are_told_with_their_source(monitoring: Monitoring) -> None:
    told = (await monitoring.get("be-return", "/indicators")).json()
    assert told["next"] is None
    assert [f"/indicators/{each['code']}" for each in told["items"]] == [ONE, TWO, THREE, FOUR]
    for each in told["items"]:
        assert each["source"] == "project definition"
        assert each["missing_data"]
        assert each["measures"]


async def test_an_unknown_indicator_is_not_found(monitoring: Monitoring) -> None:
    refused = await monitoring.get("be-return", "/indicators/15-happiness")
    assert refused.status_code == 404
    assert "happiness" not in refused.text


@pytest.mark.parametrize(
    "query",
    [
        {"by": "name"},
        {"by": "sex,sex"},
        {"from": "2026-03-02", "to": "2026-03-01"},
        {"from": "soon"},
        {"to": "9999-12-31"},
        {"as_of": "2026-03-02T00:00:00"},
        {"colour": "blue"},
    ],
)
async def test_what_cannot_be_asked_is_refused(monitoring: Monitoring, query: dict[str, str]) -> None:
    refused = await monitoring.get("be-return", TWO, **query)
    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"][0]["pointer"].startswith("/query")
    assert not {"name", "soon", "colour", "blue"} & set(refused.text.replace('"', " ").split())


async def test_the_happy_path_is_counted(monitoring: Monitoring) -> None:
    await monitoring.hear(*told(delivered_and_confirmed()))
    one = await monitoring.get("be-return", ONE)
    assert measure(one, "acknowledgement_rate")["value"] == 1.0
    assert measure(one, "median_hours_to_acknowledgement")["value"] == 1.0
    assert measure(one, "median_hours_to_acceptance")["value"] == 3.0
    assert one.json()["by"] == ["priority"]
    assert measure(await monitoring.get("be-return", TWO), "confirmed_of_delivered")["value"] == 1.0
    assert measure(await monitoring.get("be-return", THREE), "completion_rate")["value"] == 1.0
    assert measure(await monitoring.get("be-return", FOUR), "no_capacity")["denominator"] == 0


async def test_what_went_wrong_is_counted_by_its_reason(monitoring: Monitoring) -> None:
    await monitoring.hear(
        *told(
            Journey().sent().passed_on().accepted().failed("no_show").acknowledged("failed"),
            Journey().sent().passed_on().returned("no_funds").rejected("no_capacity"),
            Journey().sent().passed_on().returned(None, because="expired"),
            Journey().sent().passed_on().accepted().delivered().disputed().confirmed(),
        )
    )
    three = await monitoring.get("be-return", THREE)
    assert (measure(three, "no_show_rate")["numerator"], measure(three, "no_show_rate")["denominator"]) == (1, 2)
    four = await monitoring.get("be-return", FOUR)
    assert [measure(four, code)["numerator"] for code in ("no_funds", "no_capacity", "other")] == [1, 1, 0]
    assert measure(four, "no_funds")["denominator"] == 2, "an answer that never came is no decline"
    two = await monitoring.get("be-return", TWO)
    assert measure(two, "confirmed_of_delivered")["numerator"] == 1, "what she said last"
    assert measure(two, "confirmed_of_ended")["missing"] == {"not_ended": 1}


async def test_a_deadline_that_the_system_noticed_acknowledges_nothing(monitoring: Monitoring) -> None:
    await monitoring.hear(*told(Journey().sent().missed("acknowledgement")))
    rate = measure(await monitoring.get("be-return", ONE), "acknowledgement_rate")
    assert rate["missing"] == {"waiting_for_acknowledgement": 1}


async def test_what_was_entered_in_error_is_excluded_and_counted(monitoring: Monitoring) -> None:
    await monitoring.hear(*told(delivered_and_confirmed(), Journey().sent().entered_in_error()))
    answer = (await monitoring.get("be-return", TWO)).json()
    assert (answer["referrals"], answer["entered_in_error"]) == (1, 1)


async def test_one_counts_the_referrals_one_took_part_in_and_the_evaluator_all(monitoring: Monitoring) -> None:
    others = delivered_and_confirmed(owner_id=OTHER_OWNER)
    third = Journey(owner_id=OTHER_OWNER).sent(to=PROVIDER)
    await monitoring.hear(*told(delivered_and_confirmed(), others, third))
    counted = {}
    for client in ("be-return", "de-return", "evaluator"):
        answer = (await monitoring.get(client, TWO)).json()
        counted[client] = (answer["over"], answer["referrals"])
    assert counted == {"be-return": ("took_part", 1), "de-return": ("took_part", 2), "evaluator": ("all", 3)}


async def test_a_receiver_whose_part_has_ended_counts_the_referral_as_it_stood_then(monitoring: Monitoring) -> None:
    journey = Journey(owner_id=OTHER_OWNER, provider=OWNER).sent().passed_on().returned("no_funds")
    journey.provider = PROVIDER
    journey.passed_on().returned("no_capacity").passed_on().accepted().delivered().confirmed().acknowledged()
    await monitoring.hear(*journey.said)
    declines = {
        client: [measure(await monitoring.get(client, FOUR), code)["numerator"] for code in ("no_funds", "no_capacity")]
        for client in ("be-return", "de-return")
    }
    assert declines == {"be-return": [1, 0], "de-return": [1, 1]}
    known = await monitoring.get("be-return", TWO)
    assert (known.json()["referrals"], measure(known, "confirmed_of_ended")["missing"]) == (1, {"not_ended": 1})
    assert measure(await monitoring.get("be-return", ONE), "acceptance_rate")["numerator"] == 0
    assert measure(await monitoring.get("de-return", TWO), "confirmed_of_ended")["numerator"] == 1


async def test_the_period_is_that_of_sending_with_both_days(monitoring: Monitoring) -> None:
    days = [SENT_AT + timedelta(days=day) for day in range(4)]
    await monitoring.hear(*told(*(Journey(sent_at=day).sent() for day in days)))
    answer = await monitoring.get("be-return", TWO, **{"from": "2026-03-03", "to": "2026-03-04"})
    assert answer.json()["referrals"] == 2
    assert (answer.json()["from"], answer.json()["to"]) == ("2026-03-03", "2026-03-04")


async def test_as_of_an_earlier_instant_what_came_later_is_not_known(monitoring: Monitoring) -> None:
    await monitoring.hear(*told(delivered_and_confirmed(), Journey(sent_at=SENT_AT + timedelta(days=9)).sent()))
    before_delivery = (SENT_AT + timedelta(hours=3, minutes=30)).isoformat()
    answer = await monitoring.get("be-return", TWO, as_of=before_delivery)
    assert answer.json()["referrals"] == 1
    assert measure(answer, "confirmed_of_ended")["missing"] == {"not_ended": 1}
    assert measure(await monitoring.get("be-return", TWO, as_of="2026-03-02"), "confirmed_of_ended")["value"] == 1.0
    assert (await monitoring.get("be-return", TWO, as_of="2026-03-01")).json()["referrals"] == 0


async def test_as_of_an_earlier_instant_a_case_is_where_it_was_then(
    monitoring: Monitoring, small_cell: Callable[[int], None]
) -> None:
    small_cell(1)
    case_id = new_id()
    moved = case(case_id, version=2, at=SENT_AT + timedelta(days=30), area="NG025")
    await monitoring.hear(case(case_id), moved, *delivered_and_confirmed(case_id=case_id).said)
    then = (await monitoring.get("be-return", TWO, by="area", as_of="2026-03-05")).json()
    now = (await monitoring.get("be-return", TWO, by="area")).json()
    assert [cell["by"] for cell in then["cells"] + now["cells"]] == [{"area": "NG012"}, {"area": "NG025"}]


async def test_a_case_that_nobody_told_of_is_unknown(monitoring: Monitoring, small_cell: Callable[[int], None]) -> None:
    small_cell(1)
    case_id = new_id()
    await monitoring.hear(*told(Journey().sent()), case(case_id, area=None), *Journey(case_id=case_id).sent().said)
    cells = (await monitoring.get("be-return", TWO, by="area,sex,return_type,member_state,age_band,need")).json()[
        "cells"
    ]
    assert {cell["by"]["area"] for cell in cells} == {"unknown"}
    assert {cell["by"]["sex"] for cell in cells} == {"unknown", "female"}


async def test_cells_add_up_and_small_ones_are_not_shown(monitoring: Monitoring) -> None:
    numbers = {("female", "NG012"): 6, ("male", "NG012"): 7, ("female", "NG025"): 8, ("male", "NG025"): 2}
    for (sex, area), number in numbers.items():
        await monitoring.hear(*(said for _ in range(number) for said in for_woman_or_man(sex, area)))
    answer = (await monitoring.get("be-return", TWO, by="sex")).json()
    assert not any(cell["suppressed"] for cell in answer["cells"])
    shown = {cell["by"]["sex"]: cell["measures"][0]["denominator"] for cell in answer["cells"]}
    assert shown == {"female": 14, "male": 9}
    assert answer["total"][0]["denominator"] == 23
    by_both = (await monitoring.get("be-return", TWO, by="sex,area")).json()
    assert all(cell["suppressed"] for cell in by_both["cells"]), "in a table of four, one small cell hides all"
    for cell in by_both["cells"]:
        for count in cell["measures"]:
            assert {name: value for name, value in count.items() if value is not None} == {
                "code": count["code"], "suppressed": True,
            }  # fmt: skip
    assert by_both["small_cells"] == {"threshold": 5, "source": "project default", "withheld": False}
    assert by_both["total"] == answer["total"]


async def test_very_few_referrals_are_not_broken_down_at_all(monitoring: Monitoring) -> None:
    await monitoring.hear(*for_woman_or_man("female"))
    answer = (await monitoring.get("be-return", TWO, by="sex")).json()
    assert answer["cells"] == []
    assert answer["small_cells"]["withheld"]
    assert answer["total"][0]["denominator"] == 1


async def test_whoever_counts_over_all_is_not_shown_totals_of_a_few(monitoring: Monitoring) -> None:
    await monitoring.hear(*told(*(delivered_and_confirmed() for _ in range(4))))
    few = (await monitoring.get("evaluator", TWO)).json()
    assert few["referrals"] == 4
    assert [count["suppressed"] for count in few["total"]] == [True, True]
    assert {count[name] for count in few["total"] for name in ("numerator", "denominator", "value", "missing")} == {
        None
    }
    own = await monitoring.get("be-return", TWO)
    assert measure(own, "confirmed_of_ended")["denominator"] == 4
    await monitoring.hear(*told(Journey().sent().rejected("no_funds")))
    enough = (await monitoring.get("evaluator", TWO)).json()
    assert [count["suppressed"] for count in enough["total"]] == [False, True]


async def test_the_owner_now_and_before_both_took_part(monitoring: Monitoring) -> None:
    journey = Journey(owner_id=OWNER).sent()
    journey.owner_id = OTHER_OWNER
    await monitoring.hear(*journey.received().said)
    for client in ("be-return", "de-return"):
        assert (await monitoring.get(client, TWO)).json()["referrals"] == 1
