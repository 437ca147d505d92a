"""The jars of Apache Kafka, fetched once by Maven into the user's cache, and a Java that runs them."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

DEPLOY = Path(__file__).parents[1] / "deploy" / "kafka"
POM = DEPLOY / "pom.xml"
OLDEST_JAVA = 17
PACKAGES = ("default-jre-headless", "maven")
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
MARKER = "complete"


class KafkaFailed(RuntimeError):
    """Kafka could not be fetched or started."""


def version() -> str:
    """The version that `deploy/kafka/pom.xml` names."""
    found = ElementTree.parse(POM).findtext("{*}properties/{*}kafka.version")  # noqa: S314  # our own file
    return found or "unknown"


def java() -> str:
    """A Java that is new enough; as root on Debian, installed if there is none."""
    if _java_version() < OLDEST_JAVA:
        _install(f"Kafka needs Java {OLDEST_JAVA} or later")
        if _java_version() < OLDEST_JAVA:
            raise KafkaFailed(f"Kafka needs Java {OLDEST_JAVA} or later, and the system's default is older")
    return "java"


def jars() -> Path:
    """The folder with all jars. Two processes that ask at once fetch once."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "relink"
    folder = cache / f"kafka-{version()}"
    wanted = hashlib.sha256(POM.read_bytes()).hexdigest()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        marker = folder / MARKER
        if not marker.exists() or marker.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            if shutil.which("mvn") is None:
                _install("Kafka is fetched by Maven")
            _run(["mvn", "-B", "-q", "-f", str(POM), "-DincludeScope=runtime", f"-DoutputDirectory={folder}", COPY])
            marker.write_text(wanted)  # last: what broke off is fetched again
    return folder


def _java_version() -> int:
    if shutil.which("java") is None:
        return 0
    told = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S607
    found = re.search(r'version "(\d+)', told)
    return int(found[1]) if found else 0


def _install(why: str) -> None:
    command = ["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES]
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise KafkaFailed(f"{why}. On Debian and Ubuntu: sudo {' '.join(command)}")
    _run(["apt-get", "update", "-q"])
    _run(command)


def _run(words: Sequence[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise KafkaFailed(f"{words[0]} failed: {(done.stderr or done.stdout).strip()[-2000:]}")
