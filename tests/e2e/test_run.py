"""`relink run` and `relink demo` as a newcomer meets them: processes and HTTP only."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from relink.ports import free_port
from relink.story.real_input import AREAS, SPREADSHEET
from tests.support.processes import ROOT, Process, running


class Run:
    """`relink run` on a folder and a port of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"

    @property
    def words(self) -> list[str]:
        return ["-m", "relink", "run", "--port", str(self.port), "--data", str(self.folder / "data")]

    def token(self, client_id: str) -> dict[str, str]:
        form = {"grant_type": "client_credentials", "client_id": client_id}
        answer = httpx.post(f"{self.origin}/dev/token", data=form).raise_for_status().json()
        assert answer["token_type"] == "Bearer"
        return {"Authorization": f"Bearer {answer['access_token']}"}

    def get(self, path: str, client_id: str, **headers: str) -> httpx.Response:
        return httpx.get(f"{self.origin}{path}", headers=self.token(client_id) | headers)

    def started(self, process: Process) -> None:
        process.wait_for_words("Ctrl-C stops everything")
        process.wait_for(f"{self.origin}/monitoring/readyz")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    tmp_path.chmod(0o755)
    return Run(tmp_path)


def _postgres_of(folder: Path) -> list[str]:
    listed = subprocess.run(
        ["ps", "-eo", "args"],  # noqa: S607  # whichever ps there is
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [line for line in listed.splitlines() if str(folder) in line and "postgres" in line]


CASE = {
    "reference": "BXL-1",
    "country_of_origin": "NG",
    "area": "NG012012",
    "return_type": "voluntary",
    "members": [{"sex": "female", "age_band": "25-34"}],
    "identity": {"name": "Somebody Invented"},
}


def test_data_survive_ctrl_c_kill_and_a_second_start(run: Run) -> None:
    log = run.folder / "output"
    with running(*run.words, log=log) as process:
        run.started(process)
        services = run.get("/registry/v1/services", "be-return").json()["items"]
        assert {service["state"] for service in services} == {"published"}
        headers = run.token("be-return") | {"Idempotency-Key": "e2e"}
        made = httpx.post(f"{run.origin}/referral/v1/cases", json=CASE, headers=headers)
        assert made.status_code == 201, made.text
        process.stop(signal.SIGKILL)
    with running(*run.words, log=log) as process:
        run.started(process)
        path = f"/referral/v1/cases/{made.json()['case_id']}"
        after = {"Relink-After": made.headers["Relink-Event"]}
        assert run.get(path, "be-return").json()["identity"]["name"] == "Somebody Invented"
        assert run.get("/eligibility/v1/facts", "be-return", **after).status_code == 200  # nothing was lost on the way
        again = httpx.post(f"{run.origin}/referral/v1/cases", json=CASE, headers=headers | run.token("be-return"))
        assert again.headers["Idempotency-Replayed"] == "true"
        assert run.get("/registry/v1/services", "be-return").json()["items"] == services
        assert process.stop(signal.SIGINT) == 0
        assert "Traceback" not in process.output
    assert _postgres_of(run.folder) == []


def test_what_it_prints_works_as_printed(run: Run) -> None:
    with running(*run.words, log=run.folder / "output") as process:
        run.started(process)
        line = next(line for line in process.output.splitlines() if "curl" in line)
        answer = subprocess.run(
            ["sh", "-c", line.strip()],  # noqa: S607  # as a user would
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert '"access_token"' in answer
        for name in ("registry", "eligibility", "referral", "monitoring"):
            assert httpx.get(f"{run.origin}/{name}/docs").status_code == 200
            assert httpx.get(f"{run.origin}/{name}/openapi.json").json()["openapi"].startswith("3.1")
        assert run.get("/referral/health", "ops").json()["status"] == "pass"
        second = subprocess.run([sys.executable, *run.words], cwd=ROOT, capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert "Traceback" not in second.stderr
        process.stop(signal.SIGTERM)
    reset = [sys.executable, "-m", "relink", "reset", "--yes", "--data", str(run.folder / "data")]
    assert subprocess.run(reset, cwd=ROOT, check=False, capture_output=True).returncode == 0
    assert not (run.folder / "data").exists()


def _demo(reference_data: str | None, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "RELINK_REFERENCE_DATA"}
    environment |= {"TMPDIR": str(folder)} | ({"RELINK_REFERENCE_DATA": reference_data} if reference_data else {})
    words = [sys.executable, "-m", "relink", "demo"]
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_demo_tells_its_story_and_leaves_nothing_behind(run: Run) -> None:
    told = _demo("/nowhere", run.folder)
    assert told.returncode == 0, told.stdout + told.stderr
    for words in ("The loop is closed", "the place is offered to the one who waits", "This chapter is left out"):
        assert words in told.stdout
    assert list(run.folder.iterdir()) == []
    assert _postgres_of(run.folder) == []


def test_a_step_that_fails_ends_the_demo_with_its_name_and_exit_code_1(run: Run) -> None:
    (run.folder / "reference" / "threew").mkdir(parents=True)
    for file in (AREAS, SPREADSHEET):
        (run.folder / "reference" / file).write_text("no header at all\n")
    told = _demo(str(run.folder / "reference"), run.folder)
    assert told.returncode == 1
    assert "The demo stopped at" in told.stderr
    assert "Traceback" not in told.stderr
    assert _postgres_of(run.folder) == []


def test_a_folder_that_is_not_relinks_is_neither_used_nor_emptied(run: Run) -> None:
    thesis = run.folder / "data" / "thesis"
    thesis.mkdir(parents=True)
    for words in (run.words, ["-m", "relink", "reset", "--yes", "--data", str(run.folder / "data")]):
        refused = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
        assert refused.returncode == 1
        assert "not a data folder of Relink" in refused.stderr
        assert "Traceback" not in refused.stderr
    assert thesis.exists()


def test_when_postgresql_dies_relink_stops_and_says_so(run: Run) -> None:
    with running(*run.words, log=run.folder / "output") as process:
        run.started(process)
        postmaster = int((run.folder / "data" / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(postmaster, signal.SIGKILL)
        assert process.wait() == 1
        assert "PostgreSQL ended by itself" in process.output
        assert "Traceback" not in process.output
