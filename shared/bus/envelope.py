"""CloudEvents 1.0.2 over Kafka's protocol binding (binary mode; structured mode is read too).

Our own codec, because the common one invents a missing `id` and so silently breaks de-duplication.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.bus.interface import Message

_REQUIRED = ("specversion", "id", "type", "source")
_STRUCTURED = "application/cloudevents"


class NotACloudEvent(Exception):
    """The message cannot be read as an event; the reason is one of a few fixed words."""


@dataclass(frozen=True)
class Envelope:
    """One event on the wire. `data` is a JSON object; `id` is the outbox id of the service that said it."""

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    partitionkey: str
    aggregateversion: int
    data: dict[str, Any]
    traceparent: str | None = None

    @property
    def event_id(self) -> UUID:
        try:
            return UUID(self.id)
        except ValueError as error:
            raise NotACloudEvent("id is not a UUID") from error


def to_message(topic: str, *, event_id: UUID, type_name: str, subject: UUID, key: UUID, version: int,
               occurred_at: datetime, traceparent: str | None, data: str) -> Message:  # fmt: skip
    """An outbox row as a message of its topic."""
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": str(event_id),
        "ce_type": type_name,
        "ce_source": "/" + type_name.split(".")[1],
        "ce_subject": str(subject),
        "ce_time": occurred_at.isoformat().replace("+00:00", "Z"),
        "ce_dataschema": f"urn:relink:event:{type_name}",
        "ce_partitionkey": str(key),
        "ce_aggregateversion": str(version),
        "content-type": "application/json",
    }
    if traceparent:
        attributes |= {"ce_traceparent": traceparent, "traceparent": traceparent}
    headers: list[tuple[str, bytes | None]] = [(name, value.encode()) for name, value in attributes.items()]
    return Message(topic=topic, key=str(key).encode(), value=data.encode(), headers=headers)


def _header_text(message: Message) -> dict[str, str]:
    """The headers that are text; of one named twice, the first. Others (null, not UTF-8) are nobody's business here."""
    text: dict[str, str] = {}
    for name, value in message.headers:
        if value is not None and name.lower() not in text:
            try:
                text[name.lower()] = value.decode()
            except UnicodeDecodeError:
                continue
    return text


def _json_object(raw: bytes, what: str) -> dict[str, Any]:
    try:
        read = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise NotACloudEvent(f"{what} is not JSON") from error
    if not isinstance(read, dict):
        raise NotACloudEvent(f"{what} is not a JSON object")
    return read


def read(message: Message) -> Envelope:
    """The event in `message`; raises NotACloudEvent. `content-type` decides the mode, as the binding says."""
    headers = _header_text(message)
    if message.value is None:
        raise NotACloudEvent("no value")
    if headers.get("content-type", "").lower().startswith(_STRUCTURED):
        attributes = _json_object(message.value, "the envelope")
        data = attributes.get("data")
        if not isinstance(data, dict):
            raise NotACloudEvent("data is not a JSON object")
    else:
        attributes = {name[3:]: value for name, value in headers.items() if name.startswith("ce_")}
        data = None
    if any(not isinstance(attributes.get(name), str) or not attributes[name] for name in _REQUIRED):
        raise NotACloudEvent("a required attribute is missing")
    if attributes["specversion"] != "1.0":
        raise NotACloudEvent("specversion is not 1.0")
    if data is None:
        data = _json_object(message.value, "data")
    try:
        time = datetime.fromisoformat(str(attributes.get("time", "")))
        version = int(attributes.get("aggregateversion", 0))
    except ValueError as error:
        raise NotACloudEvent("time or aggregateversion cannot be read") from error
    return Envelope(
        id=attributes["id"],
        type=attributes["type"],
        source=attributes["source"],
        subject=str(attributes.get("subject", "")),
        time=time,
        partitionkey=str(attributes.get("partitionkey", "")),
        aggregateversion=version,
        data=data,
        traceparent=attributes.get("traceparent"),
    )
