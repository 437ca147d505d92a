"""Working days of a country: its public holidays and its weekend.

Source: the library `holidays`. A country that it lacks has Saturdays and Sundays off and no holiday; regional holidays
are not modelled anywhere.
"""

from datetime import date
from functools import lru_cache

import holidays

from services.referral.referrals.deadlines import IsWorkingDay

SATURDAY = 5


def _no_weekend(day: date) -> bool:
    return day.weekday() < SATURDAY


@lru_cache(maxsize=512)
def working_days_of(country: str | None) -> IsWorkingDay:
    """Whether a day is a working day there; None for an organisation of which no country is known."""
    if country is None:
        return _no_weekend
    try:
        calendar = holidays.country_holidays(country)
    except NotImplementedError:
        return _no_weekend
    return lambda day: bool(calendar.is_working_day(day))
