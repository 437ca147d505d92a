"""Eligibility alone, on a real PostgreSQL: events go in as they come off the bus, everything else goes over HTTP."""

import base64
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import select, text

from relink.embedded import EmbeddedPostgres
from services.eligibility.app import service
from services.eligibility.tables import Base
from shared import clock
from shared.bus import postgres as bus
from shared.bus.consumer import Consumer
from shared.bus.envelope import to_message
from shared.events import Event
from shared.http.auth import Trust, issuer_of
from shared.ids import new_id
from shared.runtime import Runtime
from shared.settings import Settings
from tests.integration.eligibility.heard import Client
from tests.support.databases import new_database

ORIGIN = "http://eligibility.test"


@dataclass
class Eligibility:
    """The service, and what tests do with it."""

    runtime: Runtime
    key: ECKey
    consumer: Consumer
    http: httpx.AsyncClient

    async def hear(self, *events: Event) -> None:
        """These come off the bus in one batch, in this order."""
        await self.consumer.consume(
            [
                to_message(
                    f"relink.{event.speaker()}",
                    event_id=new_id(),
                    type_name=event.type_name(),
                    subject=event.subject,
                    key=event.partition_key,
                    version=event.version,
                    occurred_at=clock.now(),
                    traceparent=None,
                    data=event.model_dump_json(),
                )
                for event in events
            ]
        )

    async def request(
        self, method: str, path: str, client: Client | None, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """A request to `/eligibility/v1…` with the client's token, or without one."""
        sent = dict(headers or {})
        if client is not None:
            sent["Authorization"] = f"Bearer {self._token(client)}"
        return await self.http.request(method, f"/eligibility/v1{path}", json=body, headers=sent)

    async def post(self, path: str, client: Client | None, body: Any = None, **headers: str) -> httpx.Response:
        return await self.request("POST", path, client, body, headers)

    async def get(self, path: str, client: Client | None, **headers: str) -> httpx.Response:
        return await self.request("GET", path, client, headers=headers)

    async def rows(self, table: str) -> list[dict[str, Any]]:
        """Everything in a table."""
        async with self.runtime.sessions() as session:
            found = await session.execute(Base.metadata.tables[table].select())
            return [dict(row) for row in found.mappings()]

    async def said(self) -> list[tuple[str, dict[str, Any]]]:
        """What was published, in order: event name and data."""
        outbox = Base.metadata.tables["outbox"]
        async with self.runtime.sessions() as session:
            rows = await session.execute(select(outbox.c.type, outbox.c.data).order_by(outbox.c.seq))
            return [(row.type.rpartition(".")[2], json.loads(row.data)) for row in rows]

    async def everything(self) -> str:
        """All that stands in the service's database, as text."""
        return "\n".join([repr(await self.rows(table)) for table in Base.metadata.tables])

    def _token(self, client: Client) -> str:
        now = int(time.time())
        claims = {
            "iss": "test",
            "aud": ORIGIN,
            "sub": client.sub,
            "client_id": client.sub,
            "iat": now,
            "exp": now + 600,
        }
        claims |= {"jti": str(new_id()), "org_id": str(client.org_id), "scope": client.scope}
        if client.country:
            claims["country"] = client.country
        return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "test"}, claims, self.key)


@pytest.fixture(scope="session")
async def service_alone(postgres: EmbeddedPostgres) -> AsyncIterator[Eligibility]:
    settings = Settings.model_validate(
        {
            "service": "eligibility",
            "origin": ORIGIN,
            "database_url": await new_database(postgres, "eligibility"),
            "bus_url": await new_database(postgres, "bus"),
            "keys_url": await new_database(postgres, "eligibility_keys"),
            "key_encryption_key": base64.b64encode(bytes(range(32))).decode(),
        }
    )
    connection = await asyncpg.connect(settings.bus_url.get_secret_value())
    await connection.execute(bus.SCHEMA)
    await connection.close()
    await service.migrate(settings)
    key = ECKey.generate_key("P-256", parameters={"kid": "test"}, private=True)
    jwks = KeySet([key]).as_dict(private=False)
    trust = Trust(ORIGIN, [issuer_of({"issuer": "test", "jwks": jwks, "organizations": "*", "countries": "*"})])
    runtime = service.runtime(settings, trust)
    consumer = service.worker(runtime).consumers["projections"]
    transport = httpx.ASGITransport(service.api(runtime), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        yield Eligibility(runtime, key, consumer, http)
    await runtime.close()


@pytest.fixture
async def eligibility(service_alone: Eligibility) -> Eligibility:
    """Eligibility that has heard nothing yet."""
    async with service_alone.runtime.sessions() as session:
        await session.execute(text(f"TRUNCATE {', '.join(Base.metadata.tables)}"))
        await session.commit()
    return service_alone
