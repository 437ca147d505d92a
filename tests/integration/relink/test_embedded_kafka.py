"""The embedded broker goes with whoever started it."""

import signal
import subprocess
import sys
import time
from pathlib import Path

START_AND_WAIT = """
import pathlib, sys, time
from relink.embedded_kafka import EmbeddedKafka
with EmbeddedKafka(pathlib.Path(sys.argv[1])) as broker:
    print(broker.bootstrap, flush=True)
    time.sleep(600)
"""


def brokers_in(folder: Path) -> list[str]:
    """Processes whose command line names the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:  # it has ended meanwhile
            continue
        if "kafka.Kafka" in words and str(folder) in words:
            found.append(process.name)
    return found


def test_a_broker_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    words = [sys.executable, "-c", START_AND_WAIT, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline().startswith("127.0.0.1:")
        assert len(brokers_in(tmp_path)) == 1
        parent.send_signal(signal.SIGKILL)
    until = time.monotonic() + 60
    while brokers_in(tmp_path):
        assert time.monotonic() < until, "the broker lives on"
        time.sleep(0.05)
