"""`relink demo --kafka` as a newcomer meets it: eight processes, a broker, one address, and nothing left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from relink.services import SERVICES
from tests.support.processes import ROOT, running

DEMO = ("-m", "relink", "demo", "--kafka")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the demo keeps its data, and below which PostgreSQL may run as somebody else."""
    tmp_path.chmod(0o755)
    (tmp_path / "tmp").mkdir()
    return tmp_path / "tmp"


def _environment(folder: Path) -> dict[str, str]:
    return {"TMPDIR": str(folder), "RELINK_REFERENCE_DATA": "/nowhere"}


def _processes_of(folder: Path) -> Iterator[str]:
    """What runs on the folder: it stands in the words of each process, or in its environment."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:  # it has just ended
            continue
        if str(folder).encode() in words + environment:
            yield words.replace(b"\0", b" ").decode(errors="replace").strip()


def test_the_story_is_told_by_eight_processes_and_leaves_nothing_behind(folder: Path) -> None:
    told = subprocess.run(
        [sys.executable, *DEMO],
        cwd=ROOT,
        env=os.environ | _environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    for words in ("The loop is closed", "the place is offered to the one who waits", "its data are gone"):
        assert words in told.stdout
    assert list(folder.iterdir()) == []
    assert list(_processes_of(folder)) == []


def test_ctrl_c_stops_all_of_it(folder: Path) -> None:
    with running(*DEMO, log=folder.parent / "output", **_environment(folder)) as process:
        process.wait_for_words("1. What exists")
        started = " ".join(_processes_of(folder))
        for service in SERVICES:
            for kind in ("api", "worker"):
                assert f"-m services.{service.name} {kind}" in started
        assert "kafka.Kafka" in started
        assert process.stop(signal.SIGINT) == 1
        assert process.output.endswith("The demo was stopped.\n")
        assert "Traceback" not in process.output
    assert list(folder.iterdir()) == []
    assert list(_processes_of(folder)) == []
