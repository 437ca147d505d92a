"""The migrations make what the models say, in every service."""

import pytest

from relink.embedded import EmbeddedPostgres
from relink.services import SERVICES
from shared import migrations
from shared.db import engine_for
from shared.service import Service
from tests.support.databases import new_database


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
async def test_a_migrated_database_is_the_one_the_models_describe(postgres: EmbeddedPostgres, service: Service) -> None:
    engine = engine_for(await new_database(postgres, service.name), 1)
    for _ in range(2):  # a second time changes nothing
        await migrations.upgrade(service.name, engine, service.base.metadata)
    assert await migrations.differences(engine, service.base.metadata) == []
    async with engine.connect() as connection:
        assert await migrations.version_in(connection) == migrations.head_of(service.name)
    await engine.dispose()
