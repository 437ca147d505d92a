"""Monitoring alone, on a real PostgreSQL: events go in as they come off the bus, answers come out over HTTP."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import asyncpg
import httpx
import pytest
from sqlalchemy import text

from relink.demo_issuer import DemoIssuer
from relink.embedded import EmbeddedPostgres
from services.monitoring.app import service
from services.monitoring.tables import Base
from shared.bus import postgres as bus
from shared.bus.consumer import Consumer
from shared.http.auth import Trust, issuer_of
from shared.runtime import Runtime
from shared.settings import Settings
from tests.integration.monitoring.events import Said
from tests.support.databases import new_database


@dataclass
class Monitoring:
    """The service, and what tests do with it."""

    runtime: Runtime
    issuer: DemoIssuer
    consumer: Consumer
    http: httpx.AsyncClient

    async def hear(self, *said: Said) -> None:
        """These come off the bus in one batch, in this order."""
        await self.consumer.consume([each.message() for each in said])

    async def get(self, client_id: str | None, path: str, **query: str) -> httpx.Response:
        """GET `/monitoring/v1…` as a demo client, or without a token."""
        headers = {"Authorization": f"Bearer {self.issuer.token(client_id)}"} if client_id else {}
        return await self.http.get(f"/monitoring/v1{path}", params=query, headers=headers)

    async def rows(self, table: str) -> list[tuple[object, ...]]:
        """Everything in a table."""
        async with self.runtime.sessions() as session:
            found = await session.execute(Base.metadata.tables[table].select())
            return sorted((tuple(row) for row in found), key=repr)


@pytest.fixture(scope="session")
async def service_alone(postgres: EmbeddedPostgres) -> AsyncIterator[Monitoring]:
    origin = "http://monitoring.test"
    settings = Settings.model_validate(
        {
            "service": "monitoring",
            "origin": origin,
            "database_url": await new_database(postgres, "monitoring"),
            "bus_url": await new_database(postgres, "bus"),
        }
    )
    connection = await asyncpg.connect(settings.bus_url.get_secret_value())
    await connection.execute(bus.SCHEMA)
    await connection.close()
    await service.migrate(settings)
    issuer = DemoIssuer(origin)
    runtime = service.runtime(settings, Trust(origin, [issuer_of(issuer.trust())]))
    consumer = service.worker(runtime).consumers["projections"]
    transport = httpx.ASGITransport(service.api(runtime), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=origin) as http:
        yield Monitoring(runtime, issuer, consumer, http)
    await runtime.close()


@pytest.fixture
async def monitoring(service_alone: Monitoring) -> Monitoring:
    """Monitoring that has heard nothing yet."""
    async with service_alone.runtime.sessions() as session:
        await session.execute(text(f"TRUNCATE {', '.join(Base.metadata.tables)}"))
        await session.commit()
    return service_alone


@pytest.fixture
def small_cell(monitoring: Monitoring, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets the threshold below which cells are suppressed."""
    return lambda threshold: monkeypatch.setattr(monitoring.runtime.settings, "small_cell", threshold)
