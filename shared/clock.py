"""Business time: what deadlines, validity and ages are judged by. Never the time of a token or of TLS.

Every service asks here and never PostgreSQL's `now()`, so that in local mode the whole system can be moved to another
day.
"""

import contextlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

_offset = timedelta()
_followed: Path | None = None


def now() -> datetime:
    """The present moment of the business, aware, in UTC."""
    return datetime.now(UTC) + (_offset if _followed is None else _read(_followed))  # noqa: TID251  # the one place where time is read


def today() -> date:
    return now().date()


def move_to(moment: datetime) -> None:
    """Local mode and tests only: from here on time goes on from `moment`, in all who follow the same file too."""
    global _offset
    _offset = moment - datetime.now(UTC)  # noqa: TID251  # as above
    if _followed is not None:
        fresh = _followed.with_suffix(".new")
        fresh.write_text(str(_offset.total_seconds()))
        fresh.replace(_followed)  # whole or not at all: others read it at any moment


def follow(file: Path) -> None:
    """Local mode only: the offset is what `file` says at each moment, so that several processes share one time.

    A process that is started again is at once where the others are; while there is no file, time is the machine's.
    """
    global _followed
    _followed = file


def reset() -> None:
    """Back to the time of the machine, and following nobody."""
    global _offset, _followed
    _offset, _followed = timedelta(), None


def _read(file: Path) -> timedelta:
    with contextlib.suppress(FileNotFoundError):
        return timedelta(seconds=float(file.read_text()))
    return timedelta()
