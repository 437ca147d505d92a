"""Kafka with TLS, SASL and access control: what the runbook grants is enough, and what it does not is refused."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from relink import topics
from relink.embedded import EmbeddedPostgres
from shared.bus.interface import Bus, Message
from shared.bus.weather import BUS_FAULTS
from shared.events import TOPICS
from shared.events.referral import PlacesChanged
from shared.ids import new_id
from shared.runtime import open_bus
from shared.settings import Settings
from tests.integration.shared.speaking import heard_by, listening, places, say
from tests.support.databases import Ground
from tests.support.guarded import PASSWORD, Authority, Guarded, rights_of

PATIENCE = 60.0


def environment(settings: Settings) -> dict[str, str]:
    """As an operator sets it for `relink topics`."""
    files = {"CA": settings.kafka_ca, "CERTIFICATE": settings.kafka_certificate, "KEY": settings.kafka_key}
    return {
        "RELINK_KAFKA": settings.kafka,
        "RELINK_KAFKA_PREFIX": settings.kafka_prefix,
        "RELINK_KAFKA_SECURITY": "SASL_SSL",
        "RELINK_KAFKA_USERNAME": "topics",
        "RELINK_KAFKA_PASSWORD": PASSWORD,
        "RELINK_KAFKA_REPLICATION": "1",
        "RELINK_KAFKA_MIN_INSYNC": "1",
        "RELINK_KAFKA_PARTITIONS": "3",
    } | {f"RELINK_KAFKA_{name}": str(path) for name, path in files.items()}


@pytest.fixture(scope="module")
async def prepared(one_guarded: Guarded) -> Settings:
    """Of the referral service, with topics made by `relink topics`: each has the rights that the runbook grants it."""
    settings = one_guarded.up().settings("referral")
    await one_guarded.grant("topics", rights_of("`relink topics`", prefix=settings.kafka_prefix))
    await one_guarded.grant("referral", rights_of("a service", "referral", settings.kafka_prefix))
    words = [sys.executable, "-m", "relink", "topics", "create"]
    own = os.environ | environment(settings)
    done = subprocess.run(words, env=own, capture_output=True, text=True, check=False)  # noqa: ASYNC221
    assert (done.returncode, done.stdout) == (0, "All topics are as configured.\n"), done.stderr
    return settings


@pytest.fixture
def settings(prepared: Settings, guarded: Guarded) -> Settings:
    """The same, of a broker that is there."""
    return prepared


@pytest.fixture
async def bus(settings: Settings) -> AsyncIterator[Bus]:
    bus = open_bus(settings)
    yield bus
    await bus.close()


async def test_a_service_with_the_rights_of_the_runbook_can_do_all_that_it_must(bus: Bus) -> None:
    assert await bus.topic_faults(TOPICS) == []
    await bus.begin_at_end(["referral.reactions"], TOPICS)
    sender = await bus.sender()
    await sender.send([Message("relink.referral", b"key", b"{}")])
    await sender.close()
    for reading in (await bus.subscribe("referral.projections", TOPICS), await bus.replay(TOPICS)):
        async with asyncio.timeout(PATIENCE):
            while not (polled := await reading.poll(10, 1)):
                continue
        await reading.commit(polled)
        await reading.close()
    assert await bus.lag("referral.projections", TOPICS) == 0
    assert await bus.lag("referral.reactions", TOPICS) == 1


async def test_a_service_can_neither_speak_nor_listen_for_another(bus: Bus) -> None:
    sender = await bus.sender()
    with pytest.raises(BUS_FAULTS):
        await sender.send([Message("relink.registry", b"key", b"{}")])
    await sender.close()
    with pytest.raises(BUS_FAULTS):
        await bus.subscribe("registry.projections", TOPICS)
    with pytest.raises(BUS_FAULTS):
        await bus.lag("registry.projections", TOPICS)


@pytest.fixture
def operator(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of `relink topics`, to be changed."""
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_topics_that_are_not_as_configured_are_said_to_be(operator: pytest.MonkeyPatch) -> None:
    assert topics.check() == []
    operator.setenv("RELINK_KAFKA_PARTITIONS", "5")
    operator.setenv("RELINK_KAFKA_RETENTION_DAYS", "500")
    said = "\n".join(topics.check())
    assert "relink.registry has 3 partitions instead of 5: add some" in said
    assert "retention.ms=34560000000 instead of 43200000000: run kafka-configs" in said
    assert "set offsets.retention.minutes=720000" in said


def test_who_has_another_password_is_told_that_nobody_lets_them_in(operator: pytest.MonkeyPatch) -> None:
    operator.setenv("RELINK_KAFKA_PASSWORD", "wrong")
    (said,) = topics.check()
    assert "no broker lets us in" in said


def test_who_trusts_another_authority_does_not_speak_with_the_broker(
    operator: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    operator.setenv("RELINK_KAFKA_CA", str(Authority(tmp_path, "stranger").file))
    (said,) = topics.check()
    assert "no broker lets us in" in said


def test_who_has_no_right_is_told_where_they_are_listed(operator: pytest.MonkeyPatch) -> None:
    operator.setenv("RELINK_KAFKA_USERNAME", "registry")
    operator.setenv("RELINK_KAFKA_PREFIX", "of-nobody-")
    (said,) = topics.check()
    assert said == "the brokers refuse us a topic: grant what docs/runbook.md lists for this user"


def refused_ones(caplog: pytest.LogCaptureFixture) -> set[str]:
    """Who has told of a refusal."""
    said = [record.getMessage() for record in caplog.records]
    return {line.partition(":")[0] for line in said if "AuthorizationFailedError" in line}


async def test_a_worker_that_was_refused_goes_on_by_itself_once_it_has_the_rights(
    guarded: Guarded, settings: Settings, postgres: EmbeddedPostgres, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []

    async def hear(_: AsyncSession, event: PlacesChanged) -> None:
        heard.append(event.version)

    refused = guarded.settings("registry")
    admin = open_bus(guarded.settings("admin", kafka_prefix=refused.kafka_prefix))
    await admin.make_topics(TOPICS)
    await admin.close()
    async with listening(Ground(postgres, refused, prepared=True), projection=hear) as probe:
        last = await say(probe, *[places(new_id(), version) for version in range(1, 4)])
        async with asyncio.timeout(PATIENCE):
            while not refused_ones(caplog) >= {"relay", "referral.projections"}:  # noqa: ASYNC110  # it only logs
                await asyncio.sleep(0.1)
        assert heard == []
        await guarded.grant("registry", rights_of("a service", "referral", refused.kafka_prefix))
        await heard_by(probe.runtime, last)
        assert sorted(heard) == [1, 2, 3]
