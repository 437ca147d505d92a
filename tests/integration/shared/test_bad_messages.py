"""What others put on our topics: newer than we are, under a foreign key, twice, far too large."""

from dataclasses import replace

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from relink.embedded import EmbeddedPostgres
from shared import clock
from shared.bus.envelope import to_message
from shared.bus.interface import Message
from shared.db import parked_events
from shared.events.referral import PlacesChanged
from shared.ids import new_id
from tests.integration.shared.speaking import heard_by, listening, places, say, send
from tests.support.brokers import kafka_settings
from tests.support.databases import Ground, Probe

TOPIC = "relink.referral"
LARGE = 10_000_000


class Ears:
    """A projection that keeps the versions it heard."""

    def __init__(self) -> None:
        self.heard: list[int] = []

    async def hear(self, _: AsyncSession, event: PlacesChanged) -> None:
        self.heard.append(event.version)


def message(version: int) -> Message:
    """PlacesChanged as its own service would send it."""
    event = places(new_id(), version)
    return to_message(
        TOPIC, event_id=new_id(), type_name=event.type_name(), subject=event.subject, key=event.partition_key,
        version=version, occurred_at=clock.now(), traceparent=None, data=event.model_dump_json(),
    )  # fmt: skip


def with_header(of: Message, name: str, value: str) -> Message:
    return replace(of, headers=[*[each for each in of.headers if each[0] != name], (name, value.encode())])


async def parked(probe: Probe) -> list[str]:
    """The errors of what is parked."""
    async with probe.runtime.sessions() as session:
        return list(await session.scalars(select(parked_events.c.error).order_by(parked_events.c.parked_id)))


async def test_an_event_of_a_newer_release_is_read_as_far_as_we_know_it(ground: Ground) -> None:
    ears = Ears()
    newer = message(1)
    newer = replace(newer, value=(newer.value or b"").replace(b"{", b'{"invented_later": [1, {"deep": null}], ', 1))
    newer = with_header(with_header(newer, "ce_inventedlater", "x"), "ce_dataschema", "urn:relink:event:another")
    async with listening(ground, projection=ears.hear) as probe:
        await send(probe, newer)
        await heard_by(probe.runtime, await say(probe, places(new_id(), 2)))
        assert ears.heard == [1, 2]
        assert await parked(probe) == []


async def test_an_event_in_a_form_that_nobody_knows_yet_is_set_aside(ground: Ground) -> None:
    ears = Ears()
    async with listening(ground, projection=ears.hear) as probe:
        await send(probe, with_header(message(1), "ce_specversion", "2.0"))
        await heard_by(probe.runtime, await say(probe, places(new_id(), 2)))
        assert ears.heard == [2]
        assert [error.partition(" at ")[0] for error in await parked(probe)] == ["NotACloudEvent"]


async def test_an_event_that_comes_twice_and_under_a_foreign_key_is_applied_once(ground: Ground) -> None:
    ears = Ears()
    event = message(1)
    async with listening(ground, projection=ears.hear) as probe:
        await send(probe, event, replace(event, key=b"of somebody else"), event)
        await send(probe, replace(event, key=None))
        await heard_by(probe.runtime, await say(probe, places(new_id(), 2)))
        assert ears.heard == [1, 2]
        assert await parked(probe) == []


async def test_a_message_of_ten_megabytes_is_set_aside_and_holds_nobody_up(
    postgres: EmbeddedPostgres, kafka: str
) -> None:
    """Our topics take a tenth of that. Somebody has widened one, and its neighbours have messages too."""
    ears = Ears()
    settings = kafka_settings(kafka)
    topic = settings.kafka_prefix + TOPIC
    async with listening(Ground(postgres, settings), projection=ears.hear) as probe:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        wide = ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": str(2 * LARGE)})
        await admin.alter_configs([wide])
        await admin.close()
        async with AIOKafkaProducer(bootstrap_servers=kafka, max_request_size=2 * LARGE) as producer:
            for partition in range(settings.kafka_partitions):
                await producer.send_and_wait(topic, b"x" * LARGE, b"key %d" % partition, partition)
        last = await say(probe, *[places(new_id(), version) for version in range(1, 31)])
        await heard_by(probe.runtime, last)
        for _ in range(settings.kafka_partitions):  # the last event says nothing of the other partitions
            await heard_by(probe.runtime, await say(probe, places(new_id(), 31)))
        assert set(range(1, 31)) <= set(ears.heard)
        assert len(await parked(probe)) == settings.kafka_partitions
