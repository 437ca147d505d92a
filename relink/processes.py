"""The eight processes of a deployment on one machine: an API and a worker of each service, as operators start them."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NoReturn

import httpx

from relink.embedded import dying_with_parent
from relink.failures import PartFailed
from shared.settings import Settings

KINDS = ("api", "worker")
LOOK_AGAIN = 0.05
READY_SECONDS = 180.0
STOP_SECONDS = 20.0


class Process:
    """One process, its output in a file of its own. Start it in the main thread: it ends with the *thread* that did."""

    def __init__(self, name: str, words: Iterable[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self._words = tuple(words)
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """It has been started, or started again; whether it works is another question."""
        with open(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
            self._process = subprocess.Popen(
                [*dying_with_parent("TERM"), sys.executable, *self._words],
                env=os.environ | self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C reaches us alone: we say who stops when
            )

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return None if self._process is None else self._process.poll()

    @property
    def number(self) -> int:
        """The process id of its present start."""
        return 0 if self._process is None else self._process.pid

    def kill(self) -> None:
        """It is gone as after a power cut."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def ask_to_stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    async def stop(self) -> None:
        """It has finished what it was doing; one that takes too long is ended."""
        self.ask_to_stop()
        with_patience = asyncio.get_running_loop().time() + STOP_SECONDS
        while self._process is not None and self._process.poll() is None:
            if asyncio.get_running_loop().time() > with_patience:
                self.kill()
            await asyncio.sleep(LOOK_AGAIN)


class Processes:
    """An API and a worker for each of the services with these settings, by `(service, kind)`; none runs yet."""

    def __init__(self, settings: Iterable[Settings], logs: Path) -> None:
        self._settings = {each.service: each for each in settings}
        self.of = {
            (name, kind): Process(
                f"{name} {kind}", ("-m", f"services.{name}", kind), each.environment(), logs / f"{name}-{kind}.log"
            )
            for name, each in self._settings.items()
            for kind in KINDS
        }

    def address(self, service: str) -> str:
        """Where the service's API answers."""
        settings = self._settings[service]
        return f"http://{settings.host}:{settings.port}"

    @property
    def addresses(self) -> dict[str, str]:
        return {name: self.address(name) for name in self._settings}

    def start(self) -> None:
        for process in self.of.values():
            process.start()

    async def ready(self) -> None:
        """Every API says that it is ready. Raises PartFailed when a process ends, or takes too long."""
        waiting = {name: f"{address}/{name}/readyz" for name, address in self.addresses.items()}
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
            while waiting:
                self._all_run()
                for name in [name for name, address in waiting.items() if await _answers(http, address)]:
                    del waiting[name]
                if asyncio.get_running_loop().time() > deadline:
                    raise PartFailed(f"not ready in time: {', '.join(waiting)}: see the logs")
                await asyncio.sleep(LOOK_AGAIN)

    async def until_one_ends(self) -> NoReturn:
        """Raises PartFailed when a process has ended that nobody stopped."""
        while True:
            self._all_run()
            await asyncio.sleep(LOOK_AGAIN)

    def _all_run(self) -> None:
        for process in self.of.values():
            if process.exit_code is not None:
                raise PartFailed(f"{process.name} has ended by itself ({process.exit_code}): see {process.log}")

    async def stop(self) -> None:
        """All have ended: first those that take requests, then those that deal with what the requests left."""
        for kind in KINDS:
            await asyncio.gather(*[process.stop() for (_, of_kind), process in self.of.items() if of_kind == kind])


async def _answers(http: httpx.AsyncClient, address: str) -> bool:
    try:
        return (await http.get(address)).is_success
    except httpx.TransportError:
        return False
