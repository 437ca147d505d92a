"""Relink as a deployment on one machine: eight processes behind the local gateway, which this process is."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from relink import databases, local_clock
from relink.data_folder import DataFolder
from relink.demo_issuer import DemoIssuer
from relink.embedded import SUPERUSER, EmbeddedPostgres
from relink.embedded_kafka import EmbeddedKafka
from relink.gateway import Gateway
from relink.local_mode import local_mode
from relink.ports import bound, free_ports
from relink.processes import Processes
from relink.running import Running
from relink.services import SERVICES
from relink.serving import HOST, serving
from relink.upstream import behind
from shared import clock
from shared.events import TOPICS
from shared.runtime import open_bus
from shared.settings import Settings

ONE_BROKER = {"kafka_replication": 1, "kafka_min_insync": 1}


@dataclass
class Deployment(Running):
    """Eight running processes. Nobody restarts one that ends: whoever plays with them wants to see that it did."""

    processes: Processes
    settings: dict[str, Settings]
    clock: Path
    watches: Sequence[Callable[[], Coroutine[Any, Any, NoReturn]]]
    """Each raises when its part has ended."""

    async def move_clock(self, now: datetime) -> int:
        databases = [each.database_url.get_secret_value() for each in self.settings.values()]
        return await local_clock.move_to(now, self.clock, databases)

    async def until_it_fails(self) -> None:
        watching = [asyncio.create_task(watch()) for watch in self.watches]
        try:
            for ended in (await asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED))[0]:
                await ended
        finally:
            for each in watching:
                each.cancel()


@asynccontextmanager
async def running_deployment(
    folder: Path, bus: Mapping[str, Any] | None = None, port: int = 0
) -> AsyncIterator[Deployment]:
    """Inside, everything runs and answers on 127.0.0.1; afterwards nothing of it is left but the data.

    `bus` are the settings (`shared.settings`) of one that runs already; without them a Kafka broker is started, whose
    messages are lost at the end, so that the folder is good for once. Port 0 takes any free one.
    Raises PortInUse, FolderInUse, PostgresFailed, KafkaFailed or PartFailed.
    """
    async with AsyncExitStack() as at_the_end:
        data = at_the_end.enter_context(DataFolder(folder).hold())
        listener = at_the_end.enter_context(bound(HOST, port))
        postgres = at_the_end.enter_context(EmbeddedPostgres(data.path, data.keyring.password(SUPERUSER)))
        watches = [postgres.until_it_ends]
        if bus is None:
            broker = at_the_end.enter_context(EmbeddedKafka(data.path / "kafka"))
            watches.append(broker.until_one_ends)
            bus = {"bus": "kafka", "kafka": broker.bootstrap} | ONE_BROKER
        origin = f"http://{HOST}:{listener.getsockname()[1]}"
        issuer = DemoIssuer(origin)
        settings = await _settings(data, postgres, issuer, bus)
        await _prepare(settings)
        processes = Processes(settings.values(), data.path)
        at_the_end.push_async_callback(processes.stop)
        processes.start()
        deployment = Deployment(
            origin, issuer, processes, settings, data.path / "clock", [*watches, processes.until_one_ends]
        )
        clock.follow(deployment.clock)
        at_the_end.callback(clock.reset)
        applications = await at_the_end.enter_async_context(behind(processes.addresses))
        applications["dev"] = local_mode(HOST, issuer, deployment.move_clock)
        await at_the_end.enter_async_context(serving(Gateway(applications), listener))
        await processes.ready()
        yield deployment


async def _settings(
    data: DataFolder, postgres: EmbeddedPostgres, issuer: DemoIssuer, bus: Mapping[str, Any]
) -> dict[str, Settings]:
    """What each service is told: its databases, whom to trust, where to listen, which time it is."""
    issuers, local_clock_file = data.path / "issuers.json", data.path / "clock"
    issuers.write_text(json.dumps([issuer.trust()]))
    local_clock_file.unlink(missing_ok=True)  # each start begins at the time of the machine
    prepared = await databases.prepare(postgres, data.keyring, issuer.origin)
    ports = free_ports(len(prepared))
    return {
        name: each.model_copy(update={**bus, "issuers": issuers, "port": port, "local_clock": local_clock_file})
        for (name, each), port in zip(prepared.items(), ports, strict=True)
    }


async def _prepare(settings: Mapping[str, Settings]) -> None:
    """Topics are made and every service is migrated, here: a process for each would load everything once more."""
    bus = open_bus(next(iter(settings.values())))
    try:
        await bus.make_topics(TOPICS)
    finally:
        await bus.close()
    for service in SERVICES:
        await service.migrate(settings[service.name])
