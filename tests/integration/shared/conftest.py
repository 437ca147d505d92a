"""Both buses, for tests of what stands on either."""

import pytest

from relink.embedded import EmbeddedPostgres
from tests.support.brokers import kafka_settings
from tests.support.databases import Ground


@pytest.fixture(params=["postgresql", "kafka"])
def ground(request: pytest.FixtureRequest, postgres: EmbeddedPostgres) -> Ground:
    """Each bus in turn, with one partition a topic: what these tests tell across keys is in order too."""
    if request.param == "postgresql":
        return Ground(postgres)
    return Ground(postgres, kafka_settings(request.getfixturevalue("kafka"), kafka_partitions=1))
