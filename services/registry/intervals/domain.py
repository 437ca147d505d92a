"""When a service is due for review, by its kind. The days are the project's own defaults: no source gives any."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Interval:
    """Days: from an assurance to the next review; from there until the service is hidden, None: never."""

    review_days: int
    hide_days: int | None


ORDINARY = Interval(180, 90)
QUICK = Interval(90, 60)
SLOW = Interval(365, 90)
DEFAULTS: Mapping[str, Interval] = MappingProxyType(
    {
        "job_placement": QUICK,  # offers come and go
        "vocational_training": ORDINARY,
        "business_development": ORDINARY,
        "financial_services": ORDINARY,
        "health": ORDINARY,
        "housing": QUICK,  # beds fill up
        "documentation": SLOW,  # offices stay
        "social_protection": SLOW,
        "education": SLOW,
        "food_and_water": QUICK,
        "justice": SLOW,
        "psychosocial_counselling": ORDINARY,
        "family_counselling": ORDINARY,
        "cash_assistance": QUICK,  # money runs out
        "in_kind_assistance": QUICK,
        "other": ORDINARY,
    }
)


def begins(day: date) -> datetime:
    """The first moment of a day, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def day_after(day: date, days: int = 0) -> date:
    """The first day that is more than `days` after `day`."""
    return day + timedelta(days=days + 1)


GOES_STALE = "service_goes_stale"
HIDES = "service_hides"
"""Timers of a published service."""
