"""Business time: what deadlines, validity and ages are judged by. Never the time of a token or of TLS.

Every service asks here and never PostgreSQL's `now()`, so that in local mode the whole system can be moved to another
day.
"""

from datetime import UTC, date, datetime, timedelta

_offset = timedelta()


def now() -> datetime:
    """The present moment of the business, aware, in UTC."""
    return datetime.now(UTC) + _offset  # noqa: TID251  # the one place where time is read


def today() -> date:
    return now().date()


def move_to(moment: datetime) -> None:
    """Local mode and tests only: from here on time goes on from `moment`."""
    global _offset
    _offset = moment - datetime.now(UTC)  # noqa: TID251  # as above


def reset() -> None:
    """Back to the time of the machine."""
    global _offset
    _offset = timedelta()
