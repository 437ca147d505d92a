"""How long `relink run` takes from the command to the first answer, on a folder it has run on before."""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from relink.ports import free_port

RUNS = 3
PATIENCE = 120.0


def _start_and_stop(folder: Path) -> float:
    """Seconds until every service says that it is ready; afterwards nothing of it runs."""
    port = free_port()
    began = time.perf_counter()
    command = [str(Path(sys.executable).with_name("relink")), "run", "--port", str(port), "--data", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ) as process:
        try:
            while not _all_ready(port):
                assert process.poll() is None, "relink run ended by itself"
                assert time.perf_counter() - began < PATIENCE, "relink run does not get ready"
                time.sleep(0.02)
            return time.perf_counter() - began
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def _all_ready(port: int) -> bool:
    services = ("registry", "eligibility", "referral", "monitoring")
    try:
        return all(httpx.get(f"http://127.0.0.1:{port}/{service}/readyz").is_success for service in services)
    except httpx.TransportError:
        return False


def measure() -> tuple[float, float]:
    """Seconds of the first start, and the median of the later ones."""
    with tempfile.TemporaryDirectory(prefix="relink-bench-") as folder:
        first = _start_and_stop(Path(folder) / "data")
        return first, statistics.median(_start_and_stop(Path(folder) / "data") for _ in range(RUNS))
