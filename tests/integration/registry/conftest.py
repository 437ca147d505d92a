"""The registry alone, on a real PostgreSQL: requests over HTTP, timers that run when a test says so."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from sqlalchemy import select

from relink.demo_issuer import CLIENTS, DemoIssuer
from relink.embedded import EmbeddedPostgres
from services.registry.app import service
from shared import clock
from shared.bus import postgres as bus
from shared.db import outbox
from shared.http.auth import Trust, issuer_of
from shared.ids import new_id
from shared.runtime import Runtime
from shared.settings import Settings
from shared.worker import Worker
from tests.support.databases import new_database
from tests.support.system import at

Json = dict[str, Any]
ORGANIZATIONS = {client_id: str(client.org_id) for client_id, client in CLIENTS.items()}
DETAILS = {
    "registry-manager": ("Registry desk", "public_authority", "NG"),
    "be-return": ("Return agency", "public_authority", "BE"),
    "de-return": ("Rückkehrstelle", "public_authority", "DE"),
    "ng-hub": ("Hub Benin City", "ngo", "NG"),
    "ng-provider": ("Skills workshop", "private", "NG"),
}


@dataclass
class Registry:
    """The service, and what tests do with it."""

    runtime: Runtime
    worker: Worker
    issuer: DemoIssuer
    http: httpx.AsyncClient
    seen: set[UUID] = field(default_factory=set)

    async def ask(self, method: str, client_id: str | None, path: str, **options: Any) -> httpx.Response:
        """A request under `/registry/v1` as a demo client, or without a token."""
        headers = dict(options.pop("headers", {}))
        if client_id:
            headers["Authorization"] = f"Bearer {self.issuer.token(client_id)}"
        return await self.http.request(method, f"/registry/v1{path}", headers=headers, **options)

    async def get(self, client_id: str | None, path: str, **query: Any) -> httpx.Response:
        return await self.ask("GET", client_id, path, params=query)

    async def post(self, client_id: str | None, path: str, body: Json | None = None, **options: Any) -> httpx.Response:
        return await self.ask("POST", client_id, path, **({"json": body} if body is not None else {}), **options)

    async def make(self, client_id: str, path: str, body: Json) -> httpx.Response:
        """POST what is expected to be created."""
        answer = await self.post(client_id, path, body)
        assert answer.status_code == 201, answer.text
        return answer

    async def act(self, client_id: str, answer: httpx.Response, path: str) -> httpx.Response:
        """An action on what `answer` showed, which is expected to succeed."""
        acted = await self.post(client_id, path, headers=at(answer))
        assert acted.status_code == 200, acted.text
        return acted

    async def patch(self, client_id: str | None, answer: httpx.Response, path: str, patch: Json) -> httpx.Response:
        return await self.ask("PATCH", client_id, path, json=patch, headers=at(answer))

    async def said(self) -> list[tuple[str, Json]]:
        """Events written since this was last asked: name and data."""
        async with self.runtime.sessions() as session:
            rows = (
                await session.execute(select(outbox.c.event_id, outbox.c.type, outbox.c.data).order_by(outbox.c.seq))
            ).all()
        new = [row for row in rows if row.event_id not in self.seen]
        self.seen |= {row.event_id for row in new}
        return [(row.type.rpartition(".")[2], json.loads(row.data)) for row in new]

    async def work(self) -> int:
        """Run the timers that are due; how many ran."""
        return await self.worker.run_due_timers()

    async def move_to(self, now: datetime) -> int:
        clock.move_to(now)
        return await self.work()

    async def organization(self, **changed: Any) -> str:
        """A fresh confirmed organisation."""
        body = {"name": f"Organisation {new_id().hex}", "kind": "ngo", "country": "NG"} | changed
        return str((await self.make("registry-manager", "/organizations", body)).json()["organization_id"])


@pytest.fixture(scope="session")
async def running_registry(postgres: EmbeddedPostgres) -> AsyncIterator[Registry]:
    url, bus_url = await new_database(postgres, "registry"), await new_database(postgres, "registry_bus")
    connection = await asyncpg.connect(bus_url)
    await connection.execute(bus.SCHEMA)
    await connection.close()
    origin = "http://registry.test"
    settings = Settings.model_validate(
        {"service": "registry", "origin": origin, "database_url": url, "bus_url": bus_url}
    )
    await service.migrate(settings)
    issuer = DemoIssuer(origin)
    runtime = service.runtime(settings, Trust(origin, [issuer_of(issuer.trust())]))
    transport = httpx.ASGITransport(service.api(runtime))
    async with httpx.AsyncClient(transport=transport, base_url=origin) as http:
        registry = Registry(runtime, service.worker(runtime), issuer, http)
        for client_id, (name, kind, country) in DETAILS.items():
            body = {"id": ORGANIZATIONS[client_id], "name": name, "kind": kind, "country": country}
            await registry.make("bootstrap", "/organizations", body)
        for code, level, name, parent in (
            ("NG012", 1, "Edo", "NG"),
            ("NG012001", 2, "Oredo", "NG012"),
            ("NG025", 1, "Lagos", "NG"),
        ):
            area: Json = {"code": code, "level": level, "name": name, "parent": parent, "country": "NG"}
            await registry.make("bootstrap", "/areas", area)
        yield registry
    await runtime.close()


@pytest.fixture
async def registry(running_registry: Registry) -> Registry:
    """The registry, with every event so far forgotten."""
    await running_registry.said()
    return running_registry
