"""Business time can be moved, in one process or in all that follow one file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared import clock

LATER = datetime(2031, 5, 1, tzinfo=UTC)


def test_time_goes_on_from_where_it_was_moved_to() -> None:
    clock.move_to(LATER)
    assert LATER <= clock.now() < LATER + timedelta(minutes=5)


def test_whoever_follows_the_same_file_is_moved_too(tmp_path: Path) -> None:
    clock.follow(tmp_path / "clock")
    clock.move_to(LATER)
    clock.reset()  # another process, which has moved nothing
    assert clock.now() < LATER
    clock.follow(tmp_path / "clock")
    assert LATER <= clock.now() < LATER + timedelta(minutes=5)


def test_while_there_is_no_file_time_is_the_machines(tmp_path: Path) -> None:
    clock.follow(tmp_path / "clock")
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=5)  # noqa: TID251  # what it is compared with
