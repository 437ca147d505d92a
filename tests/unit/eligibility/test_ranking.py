"""The order can be explained and reproduced."""

import random
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.eligibility.known.domain import Service
from services.eligibility.matching.domain import Judgement, evaluate
from services.eligibility.matching.ranking import NOT_KNOWN, WEIGHTS, parts, rank, score
from tests.unit.eligibility.people import BENIN_CITY, EDO, criterion, in_force, profile, service

TODAY = date(2026, 6, 1)
OPEN = in_force()


def judged(at: Service) -> Judgement:
    return evaluate(at, OPEN, profile())


def test_the_weights_add_up_to_one() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1)


def test_eligible_comes_before_open_and_open_before_not_eligible() -> None:
    asks_id = in_force(criterion("is_true", "has_valid_id"))
    eligible = evaluate(service(3), OPEN, profile())
    unsettled = evaluate(service(2, free=9, set_aside=9, confirmed_on=TODAY, waiting_days=0), asks_id, profile())
    refused = evaluate(service(1, free=9, set_aside=9), asks_id, profile(has_valid_id=False))
    ranked = rank([refused, unsettled, eligible], EDO, TODAY)
    assert [(one.rank, one.judgement.service.service_id.int) for one in ranked] == [(1, 3), (2, 2), (3, 1)]


@pytest.mark.parametrize(
    ("part", "better", "worse"),
    [
        ("distance", {"covered_areas": (BENIN_CITY,)}, {"covered_areas": (EDO,)}),
        ("distance", {"covered_areas": (EDO,)}, {"covered_areas": ("NG",)}),
        ("capacity", {"free": 2, "set_aside": 4}, {"free": 1, "set_aside": 4}),
        ("capacity", {"free": None}, {"free": 0, "set_aside": 4}),
        ("waiting", {"waiting_days": 0}, {"waiting_days": 30}),
        ("waiting", {"waiting_days": 10}, {"waiting_days": None, "remote": False} | {"waiting_days": 60}),
        ("freshness", {"confirmed_on": TODAY}, {"confirmed_on": TODAY - timedelta(days=90)}),
        ("freshness", {"confirmed_on": None}, {"confirmed_on": TODAY - timedelta(days=180)}),
        (
            "freshness",
            {"confirmed_on": TODAY - timedelta(days=9), "review_by": TODAY + timedelta(days=90)},
            {"confirmed_on": TODAY - timedelta(days=9), "review_by": TODAY},
        ),
    ],
)
def test_a_better_part_makes_a_better_score(part: str, better: dict[str, Any], worse: dict[str, Any]) -> None:
    good, bad = (parts(judged(service(**one)), BENIN_CITY, TODAY) for one in (better, worse))
    assert good[part] > bad[part]
    assert score(good) > score(bad)


def test_more_criteria_met_is_more_specific_and_the_area_is_none() -> None:
    two = in_force(criterion("is_true", "has_valid_id"), criterion("is_true", "has_income"))
    specific = evaluate(service(), two, profile(has_valid_id=True, has_income=True))
    assert parts(specific, EDO, TODAY)["specificity"] == 0.4
    assert parts(judged(service()), EDO, TODAY)["specificity"] == 0


def test_what_nobody_knows_is_neither_rewarded_nor_punished() -> None:
    found = parts(judged(service()), None, TODAY)
    assert {name: found[name] for name in ("distance", "capacity", "waiting", "freshness")} == {
        "distance": NOT_KNOWN,
        "capacity": NOT_KNOWN,
        "waiting": NOT_KNOWN,
        "freshness": NOT_KNOWN,
    }


def test_no_place_set_aside_is_no_capacity() -> None:
    assert parts(judged(service(free=0, set_aside=0)), EDO, TODAY)["capacity"] == 0


SERVICES = st.lists(
    st.builds(
        service,
        number=st.integers(1, 10**6),
        free=st.none() | st.integers(0, 5),
        set_aside=st.integers(0, 5),
        waiting_days=st.none() | st.integers(0, 400),
        confirmed_on=st.none() | st.dates(date(2024, 1, 1), date(2027, 1, 1)),
        remote=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda one: one.service_id,
)


@given(SERVICES, st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_the_order_of_the_services(
    services: list[Service], shuffle: random.Random
) -> None:
    judgements = [judged(one) for one in services]
    shuffled = judgements.copy()
    shuffle.shuffle(shuffled)
    assert rank(judgements, EDO, TODAY) == rank(shuffled, EDO, TODAY)


@given(SERVICES)
def test_every_part_and_score_lies_between_0_and_1(services: list[Service]) -> None:
    for one in rank([judged(each) for each in services], EDO, TODAY):
        assert all(0 <= part <= 1 for part in one.parts.values())
        assert 0 <= one.score <= 1
        assert one.score == score(one.parts)
