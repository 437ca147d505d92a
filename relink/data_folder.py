"""The folder in which Relink on one machine keeps everything: the database, its passwords and keys, the logs."""

import base64
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

LOG_LIMIT = 10_000_000
"""Bytes from which on the next start begins a new log and keeps the old one beside it."""


KEYRING = "keyring.json"
LEFTOVERS = frozenset({"lock", "relink.log", "relink.log.old"})
"""What a start that never got as far as a keyring may have left."""


class FolderInUse(RuntimeError):
    """Another process runs on this data folder."""


class NotOurs(RuntimeError):
    """The folder holds what Relink never wrote."""


class Keyring:
    """Random passwords and keys by name, made when first asked for, in a file that only its owner reads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}

    def password(self, name: str) -> str:
        return self._keep(f"password of {name}", secrets.token_urlsafe(24))

    def key(self, name: str) -> str:
        """32 random bytes, base64."""
        return self._keep(f"key of {name}", base64.b64encode(secrets.token_bytes(32)).decode())

    def _keep(self, name: str, new: str) -> str:
        if name not in self._values:
            self._values[name] = new
            # Written whole beside the old file, then put in its place: a crash must not cost the other keys.
            fresh = self._path.with_suffix(".new")
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(self._values, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        return self._values[name]


class DataFolder:
    """One data folder; whoever uses what is in it holds it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @contextmanager
    def hold(self) -> Iterator["DataFolder"]:
        """Inside, no other process holds the folder; raises FolderInUse when one does. Whatever ends us frees it."""
        if self.path.exists() and not (self.path / KEYRING).exists() and self._strange():
            raise NotOurs(f"{self.path} is not a data folder of Relink: name an empty one, or one that it has made")
        self.path.mkdir(parents=True, exist_ok=True)
        # Everything in it is closed to others; the way through stays open, as PostgreSQL under root is somebody else.
        self.path.chmod(0o711)
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield self
        except BlockingIOError as taken:
            raise FolderInUse(f"Relink already runs on the data in {self.path}") from taken
        finally:
            os.close(lock)

    def _strange(self) -> bool:
        return any(entry.name not in LEFTOVERS for entry in self.path.iterdir())

    @property
    def keyring(self) -> Keyring:
        return Keyring(self.path / KEYRING)

    def open_log(self) -> IO[str]:
        """The log, to be appended to; only its owner reads it."""
        self.path.mkdir(parents=True, exist_ok=True)
        log = self.path / "relink.log"
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.old"))
        return open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8")

    def empty(self) -> None:
        """Nothing is left of it. Raises FolderInUse while anything runs on it, NotOurs where Relink never was."""
        if not self.path.exists():
            return
        with self.hold():
            for entry in self.path.iterdir():
                if entry.is_dir():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()
        self.path.rmdir()
