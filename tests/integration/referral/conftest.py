"""The referral service alone, for tests of everything that needs no other service."""

import base64
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from sqlalchemy import delete, text

from relink.embedded import EmbeddedPostgres
from services.referral.app import service
from shared import clock, migrations
from shared.bus import postgres as bus
from shared.db import engine_for, keys_metadata
from shared.settings import Settings
from tests.integration.referral.world import MONDAY, World
from tests.support.databases import new_database
from tests.support.tokens import ORIGIN, Issuer


@pytest.fixture(scope="session")
async def referral_alone(postgres: EmbeddedPostgres) -> AsyncIterator[World]:
    settings = Settings.model_validate(
        {
            "service": "referral",
            "origin": ORIGIN,
            "database_url": await new_database(postgres, "referral"),
            "bus_url": await new_database(postgres, "bus"),
            "keys_url": await new_database(postgres, "referral_keys"),
            "key_encryption_key": base64.b64encode(bytes(range(32))).decode(),
            "pool_size": 10,
        }
    )
    connection = await asyncpg.connect(settings.bus_url.get_secret_value())
    await connection.execute(bus.SCHEMA)
    await connection.close()
    engine = engine_for(settings.database_url.get_secret_value(), 1)
    async with engine.begin() as connected:
        await connected.run_sync(service.base.metadata.create_all)
        for statement in migrations.announce_inserts():
            await connected.execute(text(statement))
    await engine.dispose()
    assert settings.keys_url is not None
    keys_engine = engine_for(settings.keys_url.get_secret_value(), 1)
    async with keys_engine.begin() as connected:
        await connected.run_sync(keys_metadata.create_all)
    await keys_engine.dispose()
    issuer = Issuer()
    runtime = service.runtime(settings, issuer.trust())
    transport = httpx.ASGITransport(service.api(runtime), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        yield World(runtime, issuer, http)
    await runtime.close()


@pytest.fixture
async def world(referral_alone: World) -> World:
    """The referral service, on a Monday morning, without old timers. Every scene has organisations of its own."""
    clock.move_to(MONDAY)
    async with referral_alone.runtime.sessions() as session:
        await session.execute(delete(service.base.metadata.tables["timers"]))
        await session.commit()
    return referral_alone
