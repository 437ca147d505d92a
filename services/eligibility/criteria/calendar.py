"""Ages and months, on the days on which they are not obvious."""

import calendar
from datetime import date


def birthday(born_on: date, age: int) -> date:
    """The day on which somebody is `age`: who was born on 29 February has it on 1 March where there is no such day."""
    year = born_on.year + age
    if (born_on.month, born_on.day) == (2, 29) and not calendar.isleap(year):
        return date(year, 3, 1)
    return born_on.replace(year=year)


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last day of that month if it has no such day.

    So Regulation (EEC, Euratom) No 1182/71, Art. 3(2)(c), counts periods expressed in months.
    """
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
