"""Relink started as a user starts it: processes, signals, HTTP."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
START_SECONDS = 180.0
"""Patience with a machine that has other things to do."""


class Process:
    """One process of ours, its output kept in a file."""

    def __init__(self, *words: str, log: Path, folder: str = str(ROOT), **environment: str) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, *words],
                cwd=folder,
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    @property
    def output(self) -> str:
        return self._log.read_text()

    def wait_for(self, address: str, status: int = 200) -> None:
        """`address` answers with `status`; a process that ended, or one that takes too long, fails the test."""
        until = time.monotonic() + START_SECONDS
        while True:
            assert self._process.poll() is None, self.output
            try:
                if httpx.get(address).status_code == status:
                    return
            except httpx.TransportError:
                pass
            assert time.monotonic() < until, f"{address} does not answer: {self.output}"
            time.sleep(0.02)

    def wait_for_words(self, words: str) -> None:
        """It has printed `words`."""
        until = time.monotonic() + START_SECONDS
        while words not in self.output:
            assert self._process.poll() is None, self.output
            assert time.monotonic() < until, f"it does not say “{words}”: {self.output}"
            time.sleep(0.02)

    def wait(self) -> int:
        """Its exit code, once it has ended by itself."""
        return self._process.wait(START_SECONDS)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code after the signal."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, how) if how is signal.SIGKILL else self._process.send_signal(how)
        return self._process.wait(START_SECONDS)


@contextmanager
def running(*words: str, log: Path, folder: str = str(ROOT), **environment: str) -> Iterator[Process]:
    process = Process(*words, log=log, folder=folder, **environment)
    try:
        yield process
    finally:
        process.stop(signal.SIGKILL)
