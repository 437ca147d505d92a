"""The database that the migrations make is the one that the models describe."""

from services.monitoring.tables import Base
from shared.migrations import differences
from tests.integration.monitoring.conftest import Monitoring


async def test_the_migrations_make_what_the_models_say(monitoring: Monitoring) -> None:
    assert await differences(monitoring.runtime.engine, Base.metadata) == []
