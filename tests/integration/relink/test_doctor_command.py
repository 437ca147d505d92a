"""`relink doctor` on real databases and both buses: it finds what is broken, says what to do, and tells no secret."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from joserfc.jwk import ECKey

from relink import doctor
from relink.demo_issuer import DemoIssuer
from relink.embedded import EmbeddedPostgres
from services.referral.app import service
from shared.bus.kafka import KafkaBus
from shared.crypto import CaseKeys
from shared.db import engine_for
from shared.events import TOPICS
from shared.ids import new_id
from shared.settings import Settings
from tests.support.brokers import kafka_settings
from tests.support.command import let_environment_be, migrated, relink
from tests.support.databases import new_database

ORIGIN = "https://relink.example"
KEY = base64.b64encode(bytes(32)).decode()
CHECKS = [
    "configuration", "trust", "database", "clock", "migrations", "keys", "topics", "relay", "listeners", "parked",
    "timers",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow a machine is, what answers is not taken for away."""
    monkeypatch.setattr(doctor, "PATIENCE", 120.0)


@pytest.fixture
async def settings(postgres: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A referral service that is well."""
    trust = tmp_path / "issuers.json"
    trust.write_text(json.dumps([DemoIssuer(ORIGIN).trust()]))
    keys_url = await new_database(postgres, "keys")
    made = await migrated(
        postgres, service, keys_url=keys_url, key_encryption_key=KEY, issuers=str(trust), origin=ORIGIN
    )
    let_environment_be(monkeypatch, made)
    return made


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    yield connection
    await connection.close()


async def lines() -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit code, and for each check its level and what it says."""
    code, said = await relink("doctor", "referral")
    found = [line.split(maxsplit=3) for line in said.splitlines()]
    assert {service for _, service, _, _ in found} == {"referral"}
    return code, {check: (level, text) for level, _, check, text in found}


async def test_a_service_that_is_well_gets_a_line_for_every_check(settings: Settings) -> None:
    code, found = await lines()
    assert code == 0, found
    assert list(found) == CHECKS
    assert {level for level, _ in found.values()} == {"ok"}


async def test_what_is_broken_is_found_with_what_to_do_and_without_a_secret(
    settings: Settings, database: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.keys_url is not None
    keys = CaseKeys(engine := engine_for(settings.keys_url.get_secret_value(), 1), bytes(32))
    await keys.create(new_id())
    await engine.dispose()
    other_key = base64.b64encode(b"another key, of the right length").decode()
    monkeypatch.setenv("RELINK_REFERRAL_KEY_ENCRYPTION_KEY", other_key)
    private = ECKey.generate_key("P-256", parameters={"kid": "k"}, private=True).as_dict(private=True)
    trust = DemoIssuer(ORIGIN).trust() | {"jwks": {"keys": [private]}}
    (tmp_path / "issuers.json").write_text(json.dumps([trust]))
    await database.execute(
        "INSERT INTO outbox (event_id, type, subject, key, version, occurred_at, written_at, data)"
        " VALUES ($1, 'x', $1, $1, 1, now(), now() - interval '1 hour', '{}')", new_id()
    )  # fmt: skip
    await database.execute(
        'INSERT INTO parked_events (listener, key, topic, partition, "offset", message, error, attempts)'
        " VALUES ('reactions', 'k', 't', 0, 1, '{}', 'LookupError', 4)"
    )
    await database.execute(
        "INSERT INTO timers (kind, aggregate_id, due_at, attempts) VALUES ('x', $1, now(), 3)", new_id()
    )
    bus = await asyncpg.connect(settings.bus_url.get_secret_value())
    await bus.execute("DELETE FROM positions")
    await bus.execute("DELETE FROM topics WHERE topic = 'relink.registry'")
    await bus.close()

    code, found = await lines()
    assert code == 1
    assert found["keys"][0] == found["trust"][0] == found["topics"][0] == "fail"
    assert "RELINK_REFERRAL_KEY_ENCRYPTION_KEY does not open these keys" in found["keys"][1]
    assert "holds a private key" in found["trust"][1]
    assert "the bus has no topic relink.registry: run migrate" in found["topics"][1]
    assert "listeners" not in found  # without topics there is nothing to be behind
    assert found["relay"][0] == found["parked"][0] == found["timers"][0] == "warn"
    assert "relink parked list referral" in found["parked"][1]
    said = str(found)
    for secret in (str(private["d"]), KEY, other_key):
        assert secret not in said


async def test_a_database_that_is_ahead_of_the_code_is_told_and_what_its_tables_hold_is_not_asked(
    settings: Settings, database: asyncpg.Connection
) -> None:
    await database.execute("UPDATE alembic_version SET version_num = '9999'")
    code, found = await lines()
    assert code == 1
    assert found["migrations"] == ("fail", "the database is ahead → start the code that migrated it")
    assert {"relay", "parked", "timers"}.isdisjoint(found)
    await database.execute("UPDATE alembic_version SET version_num = '0001'")
    assert (await lines())[1]["migrations"] == ("fail", "the database is behind → run migrate")


async def test_what_cannot_be_reached_is_told_without_its_password(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = "postgresql://relink:hush@127.0.0.1:1/nowhere"
    for name in ("DATABASE_URL", "BUS_URL", "KEYS_URL"):
        monkeypatch.setenv(f"RELINK_REFERRAL_{name}", away)
    code, found = await lines()
    assert code == 1
    told = {check: text for check, (level, text) in found.items() if level == "fail"}
    assert set(told) == {"database", "keys", "topics"}
    assert all(text.startswith("no answer (ConnectionRefusedError) → ") for text in told.values())
    assert "hush" not in str(found)


async def test_on_kafka_topics_that_are_missing_or_too_small_are_told(
    kafka: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = kafka_settings(kafka)
    bus = KafkaBus(broker)
    monkeypatch.delenv("RELINK_REFERRAL_BUS_URL")
    let_environment_be(monkeypatch, broker)
    code, found = await lines()
    assert (code, found["configuration"]) == (1, ("ok", "complete, on the kafka bus"))
    assert "relink topics create" in found["topics"][1]
    await bus.make_topics(TOPICS)
    await bus.close()
    assert (await lines())[1]["topics"][0] == "ok"
    monkeypatch.setenv("RELINK_KAFKA_PARTITIONS", "300")
    monkeypatch.delenv("RELINK_REFERRAL_KAFKA_PARTITIONS")
    assert "partitions instead of 300" in (await lines())[1]["topics"][1]
    monkeypatch.setenv("RELINK_REFERRAL_KAFKA", "127.0.0.1:1")
    level, said = (await lines())[1]["topics"]
    assert level == "fail"
    assert said.startswith("no broker lets us in")
