from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from services.registry.directory.domain import ServiceType
from services.registry.directory.service_map import Schedule
from services.registry.freshness.schemas import DOUBTABLE
from services.registry.history.domain import differences
from services.registry.intervals.domain import DEFAULTS, begins, day_after


def test_every_kind_of_service_has_an_interval() -> None:
    assert set(DEFAULTS) == set(ServiceType)
    assert all(0 < each.review_days <= 365 for each in DEFAULTS.values())


def test_the_last_day_still_counts() -> None:
    assert day_after(date(2026, 12, 31)) == date(2027, 1, 1)
    assert day_after(date(2026, 2, 28), 1) == date(2026, 3, 2)
    assert begins(date(2026, 3, 1)) == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("rule", ["FREQ=WEEKLY", "FREQ=MONTHLY;BYDAY=1MO,-1FR", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"])
def test_rules_that_are_read(rule: str) -> None:
    assert Schedule.model_validate({"rule": rule}).rule == rule


@pytest.mark.parametrize(
    "rule",
    ["", "FREQ=DAILY", "freq=weekly", "FREQ=WEEKLY;COUNT=3", "BYDAY=MO", "FREQ=WEEKLY;INTERVAL=0"],
)
def test_rules_that_are_not(rule: str) -> None:
    with pytest.raises(ValidationError):
        Schedule.model_validate({"rule": rule})


@pytest.mark.parametrize("moment", ["08:30:01", "08:30Z", "24:30", "half past eight"])
def test_times_are_local_and_to_the_minute(moment: str) -> None:
    with pytest.raises(ValidationError):
        Schedule.model_validate({"weekdays": ["MO"], "opens_at": moment, "closes_at": "10:00"})


def test_a_night_may_pass_midnight() -> None:
    night = Schedule.model_validate({"weekdays": ["MO"], "opens_at": "20:00", "closes_at": "06:00"})
    assert night.model_dump(mode="json")["closes_at"] == "06:00"


def test_each_field_of_the_map_can_be_doubted_by_its_own_name() -> None:
    assert {"contacts", "schedules", "service_map.safety"} <= DOUBTABLE
    assert "service_map" not in DOUBTABLE


def test_differences_name_the_field_within_an_object() -> None:
    before = {"a": 1, "map": {"x": {}, "y": 1}, "same": [1]}
    after = {"a": 2, "map": {"x": {"eng": "X"}, "y": 1}, "same": [1], "new": None}
    assert list(differences(before, after, ("map",))) == [("a", 1, 2), ("map.x", {}, {"eng": "X"})]
    assert list(differences(before, after)) == [("a", 1, 2), ("map", before["map"], after["map"])]
