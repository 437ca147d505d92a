"""Apache Kafka for development and tests: one node or three, on free ports of this machine, in a folder of their own.

Nodes are children of this process and are killed with it. What they write is lost with the folder; nothing here is for
production.
"""

import asyncio
import base64
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, Self

from relink.embedded import dying_with_parent
from relink.kafka_jars import DEPLOY, KafkaFailed, jars, java
from relink.ports import free_port
from shared.ids import new_id

START_SECONDS = 300.0
WATCH_SECONDS = 1.0
STARTED = "Kafka Server started"
JVM = ("-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


@dataclass
class _Node:
    number: int
    port: int = field(default_factory=free_port)
    internal: int = field(default_factory=free_port)
    controller: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None


class EmbeddedKafka:
    """`settings` are added to every node's properties, `users` to those who may come in by SCRAM (name → password).

    Start it in the main thread: Linux ends its nodes when the *thread* that started them ends.
    """

    def __init__(
        self,
        folder: Path,
        nodes: int = 1,
        settings: Mapping[str, str] | None = None,
        users: Mapping[str, str] | None = None,
        protocol: str = "PLAINTEXT",
    ) -> None:
        self._folder = folder.absolute()
        self._settings = dict(settings or {})
        self._users = dict(users or {})
        self._protocol = protocol
        self._nodes = {number: _Node(number) for number in range(1, nodes + 1)}

    @property
    def bootstrap(self) -> str:
        """`host:port,host:port`: where clients begin."""
        return ",".join(f"127.0.0.1:{node.port}" for node in self._nodes.values())

    @property
    def nodes(self) -> list[int]:
        """The numbers of the nodes."""
        return list(self._nodes)

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._java, self._jars = java(), jars()
        self._format()
        try:
            for number in self._nodes:
                self._launch(number)
            self._wait_until_ready(self._nodes)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def until_one_ends(self) -> NoReturn:
        """Raises KafkaFailed when a node has ended that nobody killed."""
        while True:
            for node in self._nodes.values():
                if node.process is not None and node.process.poll() is not None:
                    raise KafkaFailed(f"Kafka ended by itself: see {self._log(node.number)}")
            await asyncio.sleep(WATCH_SECONDS)

    def alive(self, number: int) -> bool:
        """It has been started and has not ended."""
        process = self._nodes[number].process
        return process is not None and process.poll() is None

    def kill(self, number: int) -> None:
        """The node is gone as after a power cut."""
        process = self._nodes[number].process
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.wait()
            self._nodes[number].process = None

    def signal(self, what: signal.Signals) -> None:
        """To every node: SIGSTOP, and none answers until SIGCONT."""
        for node in self._nodes.values():
            if node.process is not None:
                node.process.send_signal(what)

    def start(self, number: int) -> None:
        """A node that was killed is back, with what it had on disk."""
        self._launch(number)
        self._wait_until_ready([number])

    def stop(self) -> None:
        """All are gone. They had nothing that anybody needs."""
        for number in self._nodes:
            self.kill(number)

    def _format(self) -> None:
        cluster, folders = _id(), {number: _id() for number in self._nodes}
        voters = ",".join(f"{n}@127.0.0.1:{self._nodes[n].controller}:{folders[n]}" for n in self._nodes)
        words = ["kafka.tools.StorageTool", "format", "--cluster-id", cluster, "--initial-controllers", voters]
        for name, password in self._users.items():
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
                words += ["--add-scram", f"{mechanism}=[name={name},password={password}]"]

        def format_one(number: int) -> subprocess.CompletedProcess[str]:
            self._properties(number).write_text(self._text(number))
            return subprocess.run(
                self._words(*words, "--config", str(self._properties(number))),
                capture_output=True, text=True, check=False,
            )  # fmt: skip

        with ThreadPoolExecutor() as pool:
            for done in pool.map(format_one, self._nodes):
                if done.returncode:
                    raise KafkaFailed(f"the folder could not be prepared: {(done.stderr or done.stdout)[-2000:]}")

    def _text(self, number: int) -> str:
        """The node's properties: what all have, and what is its own."""
        node, many = self._nodes[number], len(self._nodes) > 1
        listeners = ",".join(
            f"{name}://127.0.0.1:{port}"
            for name, port in (
                (self._protocol, node.port),
                ("INTERNAL", node.internal),
                ("CONTROLLER", node.controller),
            )
        )
        replication, in_sync = ("3", "2") if many else ("1", "1")
        own = {
            "node.id": str(number),
            "listeners": listeners,
            "advertised.listeners": listeners,
            "controller.quorum.bootstrap.servers": ",".join(
                f"127.0.0.1:{each.controller}" for each in self._nodes.values()
            ),
            "log.dirs": str(self._folder / f"data-{number}"),
            "default.replication.factor": replication,
            "offsets.topic.replication.factor": replication,
            "transaction.state.log.replication.factor": replication,
            "transaction.state.log.min.isr": in_sync,
            "share.coordinator.state.topic.replication.factor": replication,
            "share.coordinator.state.topic.min.isr": in_sync,
        }
        common = (DEPLOY / "server.properties").read_text()
        return common + "".join(f"{name}={value}\n" for name, value in (own | self._settings).items())

    def _properties(self, number: int) -> Path:
        return self._folder / f"node-{number}.properties"

    def _log(self, number: int) -> Path:
        return self._folder / f"node-{number}.log"

    def _words(self, *words: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={DEPLOY / 'log4j2.properties'}"
        return [self._java, *JVM, logging, "-cp", f"{self._jars}/*", *words]

    def _launch(self, number: int) -> None:
        with self._log(number).open("wb") as log:  # anew: the line that says it has started must be of this start
            self._nodes[number].process = subprocess.Popen(
                [*dying_with_parent("KILL"), *self._words("kafka.Kafka", str(self._properties(number)))],
                cwd=self._folder,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait_until_ready(self, numbers: Iterable[int]) -> None:
        deadline = time.monotonic() + START_SECONDS
        for number in numbers:
            process = self._nodes[number].process
            while STARTED not in self._log(number).read_text(errors="replace"):
                if process is None or process.poll() is not None:
                    raise KafkaFailed(f"Kafka ended at once: {self._log(number).read_text(errors='replace')[-2000:]}")
                if time.monotonic() > deadline:
                    raise KafkaFailed(f"Kafka does not get ready: see {self._log(number)}")
                time.sleep(0.05)


def _id() -> str:
    """An id as Kafka writes them: 16 bytes in URL-safe base64, without padding."""
    return base64.urlsafe_b64encode(new_id().bytes).decode().rstrip("=")
