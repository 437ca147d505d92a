"""kcat, the client of librdkafka on the command line: a reader of Kafka that is not ours."""

import json
import os
import shutil
import subprocess
from typing import Any

import pytest

INSTALL = ("install", "-y", "--no-install-recommends", "kcat")


@pytest.fixture(scope="session")
def kcat() -> str:
    """The program. Where there is none it is installed, as root on Debian; else the test is skipped, saying how to."""
    apt = shutil.which("apt-get")
    if shutil.which("kcat") is None and apt is not None and os.geteuid() == 0:
        for words in (("update", "-q"), INSTALL):
            subprocess.run((apt, *words), capture_output=True, check=False)
    if (found := shutil.which("kcat")) is None:
        pytest.skip(f"no kcat. On Debian and Ubuntu: sudo apt-get {' '.join(INSTALL)}")
    return found


def read_all(kcat: str, bootstrap: str, topic: str) -> list[dict[str, Any]]:
    """Every message of the topic, as kcat tells it in JSON: key, payload, and `headers` as a dictionary."""
    words = [kcat, "-C", "-b", bootstrap, "-t", topic, "-o", "beginning", "-e", "-q", "-J"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    for message in messages:
        flat = message["headers"]
        message["headers"] = dict(zip(flat[::2], flat[1::2], strict=True))
    return messages
