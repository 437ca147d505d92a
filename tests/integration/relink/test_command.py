"""The command says clearly why it cannot do something, and leaves nothing half done."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from relink.data_folder import DataFolder
from relink.ports import free_port


def relink(*words: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "relink", *words],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        input="",
    )
    return done.returncode, done.stdout + done.stderr


def test_a_second_run_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with DataFolder(tmp_path).hold():
        code, said = relink("run", "--data", str(tmp_path))
    assert code == 1
    assert said == f"Relink already runs on the data in {tmp_path}\n"


def test_a_run_on_a_taken_port_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, said = relink("run", "--data", str(tmp_path), "--port", str(port))
    assert code == 1
    assert said == f"Port {port} is taken: choose another with --port\n"


def test_reset_refuses_while_relink_runs_and_empties_afterwards(tmp_path: Path) -> None:
    with DataFolder(tmp_path).hold():
        assert relink("reset", "--data", str(tmp_path), "--yes")[0] == 1
    assert tmp_path.exists()
    assert relink("reset", "--data", str(tmp_path), "--yes")[0] == 0
    assert not tmp_path.exists()


def test_reset_asks_first(tmp_path: Path) -> None:
    code, said = relink("reset", "--data", str(tmp_path))  # and nobody answers
    assert code == 1
    assert said.startswith(f"Delete everything that Relink keeps in {tmp_path}?")
    assert tmp_path.exists()


def test_without_a_running_relink_the_command_says_how_to_start_one() -> None:
    code, said = relink("token", "ops", "--origin", "http://127.0.0.1:1")
    assert code == 1
    assert said == "No Relink answers at http://127.0.0.1:1: start one with `relink run`.\n"


def test_the_gateway_offers_local_mode_on_loopback_only() -> None:
    code, said = relink("gateway", "--local", "--host", "0.0.0.0", "--port", str(free_port()))  # noqa: S104  # refused
    assert (code, said) == (1, "local mode is for loopback only, not for 0.0.0.0\n")


def test_local_mode_trusts_nobody_besides_its_own_issuer(tmp_path: Path) -> None:
    issuers = tmp_path / "issuers.json"
    issuers.write_text("[]")
    named = {"RELINK_ISSUERS": str(issuers), "RELINK_LOCAL_CLOCK": str(tmp_path / "clock"), "RELINK_DATABASE_URL": "x"}
    code, said = relink("gateway", "--local", "--port", str(free_port()), **named)
    assert code == 1
    assert said.startswith("the file RELINK_ISSUERS trusts others")
    assert issuers.read_text() == "[]"
    code, said = relink("gateway", "--local", "--port", str(free_port()), **(named | {"RELINK_LOCAL_CLOCK": ""}))
    assert code == 1
    assert said.startswith("local mode needs what the services have")


def test_a_service_that_others_can_reach_follows_no_local_clock(tmp_path: Path) -> None:
    environment = {"DATABASE_URL": "x", "BUS_URL": "x", "HOST": "0.0.0.0", "LOCAL_CLOCK": str(tmp_path / "clock")}  # noqa: S104  # refused
    done = subprocess.run(
        [sys.executable, "-m", "services.registry", "worker"],
        env=os.environ | {f"RELINK_{name}": value for name, value in environment.items()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "for loopback only" in done.stderr
