"""A real Kafka for the whole test session, and a corner of it for each test."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from relink.embedded_kafka import EmbeddedKafka
from shared.ids import new_id
from shared.settings import Settings


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """Bootstrap servers: those that RELINK_TEST_KAFKA names, else one node in a temporary folder."""
    if given := os.environ.get("RELINK_TEST_KAFKA"):
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="relink-test-") as folder, EmbeddedKafka(Path(folder)) as broker:
        yield broker.bootstrap


def kafka_settings(bootstrap: str, **more: object) -> Settings:
    """Settings of a service on that broker, under a prefix that nobody else uses; small, for it is one node."""
    small = {"kafka_partitions": 3, "kafka_replication": 1, "kafka_min_insync": 1}
    own = {"service": "referral", "bus": "kafka", "kafka": bootstrap, "kafka_prefix": f"{new_id().hex}-"}
    return Settings.model_validate(own | small | more)
