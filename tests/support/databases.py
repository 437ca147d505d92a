"""A real PostgreSQL for the whole test session, and fresh databases on it."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import DeclarativeBase

from relink.embedded import EmbeddedPostgres
from shared import migrations
from shared.bus import postgres as bus
from shared.db import TYPES, engine_for, service_metadata
from shared.events import TOPICS
from shared.http.auth import Trust
from shared.ids import new_id
from shared.runtime import Runtime
from shared.service import Service
from shared.settings import Settings

HASTY = {"fsync": "off", "full_page_writes": "off"}
"""Nobody kills this server; those that tests do kill are started with all their care."""


class GivenPostgres(EmbeddedPostgres):
    """A server that somebody else runs; `url` is that of a superuser."""

    def __init__(self, url: str) -> None:
        self._given = urlsplit(url)

    def url(self, database: str = "postgres", role: str = "", password: str | None = None) -> str:
        host = self._given.netloc.rpartition("@")[2]
        login = f"{role}:{password}@{host}" if role else self._given.netloc
        return self._given._replace(netloc=login, path=f"/{database}").geturl()


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """The server that RELINK_TEST_DATABASE_URL names, else an embedded one in a temporary folder that goes with it."""
    if given := os.environ.get("RELINK_TEST_DATABASE_URL"):
        yield GivenPostgres(given)
        return
    with (
        tempfile.TemporaryDirectory(prefix="relink-test-") as folder,
        EmbeddedPostgres(Path(folder), "of no use elsewhere", settings=HASTY) as server,
    ):
        yield server


async def new_database(server: EmbeddedPostgres, name: str) -> str:
    """The address of a fresh, empty database."""
    database = f"{name}_{new_id().hex}"
    connection = await asyncpg.connect(server.url())
    try:
        await connection.execute(f"CREATE DATABASE {database}")
    finally:
        await connection.close()
    return server.url(database)


@dataclass
class Probe:
    """A service with no tables but the plumbing, for tests of what all services stand on."""

    service: Service
    settings: Settings
    runtime: Runtime


def probe_service() -> Service:
    class Base(DeclarativeBase):
        metadata = service_metadata()
        type_annotation_map = TYPES

    return Service("referral", 8003, Base, [])


async def new_bus(server: EmbeddedPostgres) -> str:
    """The address of a fresh bus database."""
    url = await new_database(server, "bus")
    connection = await asyncpg.connect(url)
    await connection.execute(bus.SCHEMA)
    await connection.close()
    return url


async def start_probe(
    server: EmbeddedPostgres,
    service: Service,
    trust: Trust | None = None,
    kafka: Settings | None = None,
    prepared: bool = False,
) -> Probe:
    """The probe on databases of its own; handlers are registered on `service` before. `kafka`: settings of that bus."""
    url = await new_database(server, "probe")
    engine = engine_for(url, 1)
    async with engine.begin() as connected:
        await connected.run_sync(service.base.metadata.create_all)
        for statement in migrations.announce_inserts():
            await connected.execute(text(statement))
    await engine.dispose()
    own: dict[str, Any] = {"service": service.name, "database_url": url}
    own |= kafka.model_dump(exclude={"service", "database_url"}) if kafka else {"bus_url": await new_bus(server)}
    settings = Settings.model_validate(own)
    runtime = service.runtime(settings, trust or Trust(settings.origin, []))
    if not prepared:
        await runtime.bus.make_topics(TOPICS)
        await runtime.bus.begin_at_end([f"{service.name}.reactions"], TOPICS)
    return Probe(service, settings, runtime)


@pytest.fixture
async def probe(postgres: EmbeddedPostgres) -> AsyncIterator[Probe]:
    """A probe that hears nothing."""
    started = await start_probe(postgres, probe_service())
    yield started
    await started.runtime.close()


@dataclass
class Ground:
    """What a probe stands on: a PostgreSQL, and one kind of bus."""

    server: EmbeddedPostgres
    kafka: Settings | None = None
    prepared: bool = False
    """The topics are there, and nobody begins at their end."""

    async def start(self, service: Service, trust: Trust | None = None) -> Probe:
        """A probe of its own databases and topics."""
        return await start_probe(self.server, service, trust, self.kafka, self.prepared)
