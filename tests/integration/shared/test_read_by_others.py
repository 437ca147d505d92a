"""Our messages read by others and theirs by us: kcat and the CloudEvents SDK, over a real Kafka."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from cloudevents.core.bindings import kafka as sdk
from cloudevents.core.v1.event import CloudEvent

from shared import clock, outbox
from shared.bus.envelope import read
from shared.bus.interface import Bus, Message
from shared.bus.relay import send_unpublished
from shared.db import outbox as outbox_table
from shared.events import TOPICS
from shared.events.referral import ContactRecorded
from shared.ids import new_id
from shared.runtime import open_bus
from shared.settings import Settings
from tests.support.brokers import kafka_settings
from tests.support.databases import Probe
from tests.support.kcat import read_all

TOPIC = "relink.referral"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass
class Corner:
    """Of the broker: a bus of our own on it."""

    settings: Settings
    bus: Bus

    @property
    def topic(self) -> str:
        return f"{self.settings.kafka_prefix}{TOPIC}"


@pytest.fixture
async def corner(kafka: str) -> AsyncIterator[Corner]:
    settings = kafka_settings(kafka)
    bus = open_bus(settings)
    await bus.make_topics(TOPICS)
    yield Corner(settings, bus)
    await bus.close()


def contact() -> ContactRecorded:
    return ContactRecorded(
        version=7, referral_id=new_id(), case_id=new_id(), occurred_at=clock.now(), status="accepted",
        service_id=new_id(), need="vocational_training", priority="normal", owner_id=new_id(),
        organization_id=new_id(), leg=2, place="held", contacted_on=clock.today(), channel="phone", result="reached",
    )  # fmt: skip


async def say(probe: Probe, bus: Bus, event: ContactRecorded) -> dict[str, str]:
    """What the relay makes of an outbox row, on Kafka; and what the row says it is."""
    async with probe.runtime.sessions() as session:
        with probe.runtime.traces.span("internal", "test", TRACE):
            await outbox.publish(session, event)
        await session.commit()
        row = (await session.execute(outbox_table.select())).one()
    connection = await asyncpg.connect(probe.settings.database_url.get_secret_value())
    sender = await bus.sender()
    assert await send_unpublished(connection, sender) == 1
    await sender.close()
    await connection.close()
    return {
        "specversion": "1.0",
        "id": str(row.event_id),
        "type": "relink.referral.ContactRecorded",
        "source": "/referral",
        "subject": str(event.referral_id),
        "time": row.occurred_at.isoformat().replace("+00:00", "Z"),
        "dataschema": "urn:relink:event:relink.referral.ContactRecorded",
        "partitionkey": str(event.case_id),
        "aggregateversion": "7",
        "traceparent": row.traceparent,
    }


async def take(bus: Bus) -> Message:
    """The one message on the topic."""
    subscription = await bus.replay([TOPIC])
    try:
        async with asyncio.timeout(60):
            while True:
                if batch := await subscription.poll(10, 1.0):
                    (message,) = batch
                    return message
    finally:
        await subscription.close()


async def test_kcat_reads_our_message_and_its_headers(kcat: str, probe: Probe, corner: Corner) -> None:
    event = contact()
    said = await say(probe, corner.bus, event)
    (message,) = await asyncio.to_thread(read_all, kcat, corner.settings.kafka, corner.topic)
    assert message["key"] == said["partitionkey"]
    assert json.loads(message["payload"]) == event.model_dump(mode="json")
    headers = {f"ce_{name}": text for name, text in said.items()} | {"traceparent": said["traceparent"]}
    assert message["headers"] == headers | {"content-type": "application/json"}


async def test_the_cloudevents_sdk_reads_our_message(probe: Probe, corner: Corner) -> None:
    event = contact()
    said = await say(probe, corner.bus, event)
    message = await take(corner.bus)
    headers = {name: value for name, value in message.headers if value is not None}
    theirs = sdk.from_kafka_event(sdk.KafkaMessage(headers, message.key, message.value or b""))
    found = theirs.get_attributes()
    time = theirs.get_time()
    assert time is not None
    assert time.isoformat().replace("+00:00", "Z") == said.pop("time")
    assert {name: found[name] for name in said} == said
    assert found["datacontenttype"] == "application/json"
    assert theirs.get_data() == event.model_dump(mode="json")


@pytest.mark.parametrize("write", [sdk.to_binary_event, sdk.to_structured_event], ids=["binary", "structured"])
async def test_we_read_what_the_cloudevents_sdk_writes(corner: Corner, write: Any) -> None:
    event = contact()
    attributes = {
        "id": str(new_id()),
        "type": event.type_name(),
        "source": "/referral",
        "subject": str(event.referral_id),
        "time": clock.now(),
        "datacontenttype": "application/json",
        "partitionkey": str(event.case_id),
        "aggregateversion": "7",
        "traceparent": TRACE,
    }
    theirs = write(CloudEvent(attributes=attributes, data=event.model_dump(mode="json")))
    sender = await corner.bus.sender()
    await sender.send([Message(TOPIC, theirs.key.encode(), theirs.value, list(theirs.headers.items()))])
    await sender.close()
    ours = read(await take(corner.bus))
    assert (ours.id, ours.type, ours.source, ours.subject) == tuple(
        attributes[name] for name in ("id", "type", "source", "subject")
    )
    assert (ours.time, ours.partitionkey, ours.aggregateversion) == (attributes["time"], str(event.case_id), 7)
    assert ours.traceparent == TRACE
    assert ContactRecorded.model_validate(ours.data) == event
