"""A real service on a bus of its own, with its worker when a test wants it: events go in on the bus."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import httpx
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from pydantic import SecretStr

from relink.demo_issuer import DemoIssuer
from relink.embedded import EmbeddedPostgres
from shared.bus import postgres as bus
from shared.bus.interface import Message
from shared.events import TOPICS
from shared.http.auth import Trust, issuer_of
from shared.runtime import Runtime, open_bus
from shared.service import Service
from shared.settings import Settings
from tests.support.brokers import kafka_settings
from tests.support.databases import new_database

ORIGIN = "http://living.test"
PATIENCE = 60.0


@dataclass
class Living:
    """The service, and what tests do with it."""

    service: Service
    runtime: Runtime
    issuer: DemoIssuer
    http: httpx.AsyncClient

    @property
    def url(self) -> str:
        return self.runtime.settings.database_url.get_secret_value()

    async def send(self, *messages: Message) -> None:
        """These are on the bus."""
        await send(self.runtime.settings, *messages)

    async def until_heard(self) -> None:
        """The projections have done with all that is on the bus."""
        until = time.monotonic() + PATIENCE
        while await self.runtime.bus.lag(f"{self.service.name}.projections", self.service.projections.topics()):
            assert time.monotonic() < until, "the projections do not catch up"
            await asyncio.sleep(0.02)

    async def hear_all(self) -> None:
        """The worker ran until the projections had heard everything."""
        async with self.working():
            await self.until_heard()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Its worker runs."""
        task = asyncio.create_task(self.service.worker(self.runtime).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def rows(self, *tables: str) -> list[tuple[object, ...]]:
        """Everything in the tables, in an order of its own."""
        async with self.runtime.sessions() as session:
            found: list[tuple[object, ...]] = []
            for table in tables:
                rows = await session.execute(self.service.base.metadata.tables[table].select())
                found += [(table, *row) for row in rows]
        return sorted(found, key=repr)

    async def execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def get(self, client_id: str, path: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.issuer.token(client_id)}"}
        return await self.http.get(f"/{self.service.name}/v1{path}", headers=headers)


async def settings_of(postgres: EmbeddedPostgres, name: str, kafka: str | None = None) -> Settings:
    """A service on a database of its own and on a new bus, which has its topics; `kafka`: where a broker is."""
    own = {"service": name, "origin": ORIGIN, "database_url": await new_database(postgres, name)}
    if kafka is not None:
        settings = kafka_settings(kafka, **own)
    else:
        bus_url = await new_database(postgres, "bus")
        connection = await asyncpg.connect(bus_url)
        await connection.execute(bus.SCHEMA)
        await connection.close()
        settings = Settings.model_validate(own | {"bus_url": bus_url})
    opened = open_bus(settings)
    await opened.make_topics(TOPICS)
    await opened.close()
    return settings


async def beside(postgres: EmbeddedPostgres, name: str, other: Settings) -> Settings:
    """Another service, on the bus of `other`."""
    return other.model_copy(update={"service": name, "database_url": SecretStr(await new_database(postgres, name))})


async def send(settings: Settings, *messages: Message) -> None:
    """These are on the bus."""
    opened = open_bus(settings)
    sender = await opened.sender()
    try:
        await sender.send(messages)
    finally:
        await sender.close()
        await opened.close()


async def expire(settings: Settings, *topics: str) -> None:
    """The retention of these topics has passed: the bus holds nothing of them any more."""
    if settings.bus == "kafka":
        await _expire_on_kafka(settings, topics)
        return
    connection = await asyncpg.connect(settings.bus_url.get_secret_value())
    await connection.execute("DELETE FROM messages WHERE topic = ANY($1)", topics)
    await connection.close()


async def _expire_on_kafka(settings: Settings, topics: Sequence[str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        await admin.delete_records(
            {
                TopicPartition(settings.kafka_prefix + topic, partition): RecordsToDelete(before_offset=-1)
                for topic in topics
                for partition in range(settings.kafka_partitions)
            }
        )
    finally:
        await admin.close()


@asynccontextmanager
async def living(service: Service, settings: Settings) -> AsyncIterator[Living]:
    """The service after its first `migrate`."""
    await service.migrate(settings)
    issuer = DemoIssuer(ORIGIN)
    runtime = service.runtime(settings, Trust(ORIGIN, [issuer_of(issuer.trust())]))
    transport = httpx.ASGITransport(service.api(runtime), raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
            yield Living(service, runtime, issuer, http)
    finally:
        await runtime.close()
