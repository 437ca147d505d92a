"""Fixtures for every test, and the rule that a skipped test is loud: in CI nothing may be missing."""

import os
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from shared import clock

pytest_plugins = [f"tests.support.{module}" for module in ("brokers", "databases", "guarded", "kcat", "system")]

MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
ENOUGH = 6 * 2**30
LONGEST_SECONDS = 900
"""Of one test, with what it sets up: far above what any takes on a busy machine."""


def pytest_configure() -> None:
    """Databases and brokers of the tests live in memory where there is enough of it: no disk is waited for."""
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


@pytest.fixture(autouse=True)
def _time_of_the_machine() -> Iterator[None]:
    """A test that moves the clock leaves it as it found it."""
    yield
    clock.reset()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """A test that waits for what never comes fails, instead of holding up all others."""
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(LONGEST_SECONDS)
    try:
        return (yield)
    finally:
        signal.alarm(0)


def _too_long(_number: int, _frame: object) -> None:
    raise TimeoutError(f"this test takes longer than {LONGEST_SECONDS} s")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but in CI every real part must be there: {report.longrepr}"
    return report
