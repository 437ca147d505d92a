"""The embedded PostgreSQL: starts again whatever happened, lets nobody in without a password, ends with its parent."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from relink import databases, embedded
from relink.data_folder import Keyring
from relink.demo_issuer import CLIENTS
from relink.embedded import EmbeddedPostgres

START_AND_WAIT = """
import sys, pathlib
from relink import embedded
if "outlive" in sys.argv:
    embedded._dying_with_parent = lambda: ()
server = embedded.EmbeddedPostgres(pathlib.Path(sys.argv[1]), "secret")
server.start()
print("started", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder below one that is closed to everybody else, as a home or a temporary folder often is."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "data").mkdir(mode=0o711)
    return closed / "data"


async def value(server: EmbeddedPostgres, query: str) -> object:
    connection = await asyncpg.connect(server.url())
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def run(server: EmbeddedPostgres, statement: str) -> None:
    connection = await asyncpg.connect(server.url())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def start_and_kill_parent(folder: Path, how: str) -> None:
    words = [sys.executable, "-c", START_AND_WAIT, str(folder), how]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"started\n"
        parent.send_signal(signal.SIGKILL)


def first_number(folder: Path) -> str | None:
    """The process number in the pid file, if there is one."""
    path = folder / "postgres" / "postmaster.pid"
    return path.read_text().splitlines()[0] if path.exists() else None


async def test_data_survive_a_restart(folder: Path) -> None:
    with EmbeddedPostgres(folder, "secret") as server:
        await run(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    with EmbeddedPostgres(folder, "secret") as server:
        assert await value(server, "SELECT answer FROM kept") == 42


async def test_nobody_enters_without_the_password(folder: Path) -> None:
    with EmbeddedPostgres(folder, "secret") as server:
        for password in ("", "other"):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(host="127.0.0.1", port=server.port, user="postgres", password=password)


async def test_it_listens_on_loopback_alone(folder: Path) -> None:
    with EmbeddedPostgres(folder, "secret") as server:
        assert await value(server, "SHOW listen_addresses") == "127.0.0.1"
        assert await value(server, "SHOW unix_socket_directories") == ""


async def test_an_interrupted_first_start_is_begun_again(folder: Path) -> None:
    (folder / "postgres.new").mkdir()
    (folder / "postgres.new" / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(folder, "secret") as server:
        assert await value(server, "SELECT 1") == 1


async def test_a_pid_file_whose_number_is_another_process_by_now_stops_nobody(folder: Path) -> None:
    with EmbeddedPostgres(folder, "secret"):
        stale = (folder / "postgres" / "postmaster.pid").read_text().splitlines()
    (folder / "postgres" / "postmaster.pid").write_text("\n".join([str(os.getppid()), *stale[1:]]))
    with EmbeddedPostgres(folder, "secret") as server:
        assert await value(server, "SELECT 1") == 1


@pytest.mark.parametrize("how", ["", "outlive"])
async def test_after_its_parent_was_killed_the_next_start_finds_the_data(folder: Path, how: str) -> None:
    """With `outlive` it is as on a system that does not end children with their parent."""
    start_and_kill_parent(folder, how)
    orphan = first_number(folder)
    with EmbeddedPostgres(folder, "secret") as server:
        assert await value(server, "SELECT 1") == 1
        assert first_number(folder) != orphan


@pytest.mark.parametrize("way", range(len(embedded.IDENTITIES_FOR_ROOT) if os.geteuid() == 0 else 1))
async def test_root_hands_it_over_in_every_way_that_the_machine_allows_and_data_follow(
    folder: Path, way: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EmbeddedPostgres(folder, "secret"):
        pass  # made under the identity that is chosen here
    # as in a checkout below /root, the programs are behind the closed folder too
    package, hidden = embedded.binaries().parent.parent, folder.parent / "site-packages"
    for each in package.parent.glob(f"{package.name}*"):
        shutil.copytree(each, hidden / each.name, symlinks=True)
    programs = hidden / embedded.binaries().relative_to(package.parent)
    monkeypatch.setattr(embedded, "binaries", lambda: programs)
    monkeypatch.setattr(embedded, "IDENTITIES_FOR_ROOT", embedded.IDENTITIES_FOR_ROOT[way:])
    try:
        with EmbeddedPostgres(folder, "secret") as server:
            assert await value(server, "SELECT 1") == 1
    except embedded.PostgresFailed:
        assert way > 0  # a container may withhold some of the later ones


async def test_a_role_enters_its_own_databases_and_the_bus_and_no_other(folder: Path) -> None:
    keyring = Keyring(folder / "keyring.json")
    with EmbeddedPostgres(folder, keyring.password("postgres")) as server:
        first = await databases.prepare(server, keyring, "http://127.0.0.1")
        assert await databases.prepare(server, keyring, "http://127.0.0.1") == first
        password = keyring.password("relink_registry")
        for database in ("relink_registry", "relink_bus"):
            await (await asyncpg.connect(server.url(database, "relink_registry", password))).close()
        for database in ("relink_referral", "relink_referral_keys", "relink_eligibility_keys", "postgres"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await asyncpg.connect(server.url(database, "relink_registry", password))
    assert {name for name, each in first.items() if each.keys_url} == {"eligibility", "referral"}
    assert not any(client in str(first) for client in CLIENTS)
    assert password not in repr(first)
