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
        return _uuid(self.id)


@dataclass(frozen=True, slots=True)
class Head:
    """As much of an event as a listener must know before it reads `data`, the JSON text of an object."""

    event_id: UUID
    type: str
    traceparent: str | None
    data: bytes


def to_message(topic: str, *, event_id: UUID, type_name: str, subject: UUID, key: UUID, version: int,
               occurred_at: datetime, traceparent: str | None, data: str) -> Message:  # fmt: skip
    """An outbox row as a message of its topic."""
    key_text = str(key).encode()
    headers: list[tuple[str, bytes | None]] = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(event_id).encode()),
        ("ce_type", type_name.encode()),
        ("ce_source", f"/{type_name.split('.')[1]}".encode()),
        ("ce_subject", str(subject).encode()),
        ("ce_time", occurred_at.isoformat().replace("+00:00", "Z").encode()),
        ("ce_dataschema", f"urn:relink:event:{type_name}".encode()),
        ("ce_partitionkey", key_text),
        ("ce_aggregateversion", str(version).encode()),
        ("content-type", b"application/json"),
    ]
    if traceparent:
        headers += [("ce_traceparent", traceparent.encode()), ("traceparent", traceparent.encode())]
    return Message(topic=topic, key=key_text, value=data.encode(), headers=headers)


def _json_object(raw: bytes, what: str) -> dict[str, Any]:
    try:
        read = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise NotACloudEvent(f"{what} is not JSON") from error
    if not isinstance(read, dict):
        raise NotACloudEvent(f"{what} is not a JSON object")
    return read


def _text(value: Any) -> str:
    """A header's or an attribute's text; empty when it is not there or is no text."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return ""
    return value if isinstance(value, str) else ""


def _open(message: Message) -> tuple[dict[str, Any], dict[str, Any] | bytes]:
    """The attributes, the required ones among them, and the data: read in structured mode, else as they came.

    `content-type` decides the mode, as the binding says; of a header named twice the first counts.
    """
    if message.value is None:
        raise NotACloudEvent("no value")
    headers = {name.lower(): value for name, value in reversed(message.headers) if value is not None}
    data: dict[str, Any] | bytes = message.value
    if _text(headers.get("content-type")).lower().startswith(_STRUCTURED):
        attributes = _json_object(message.value, "the envelope")
        if not isinstance(data := attributes.get("data", b""), dict):
            raise NotACloudEvent("data is not a JSON object")
    else:
        attributes = {name[3:]: value for name, value in headers.items() if name.startswith("ce_")}
    for name in _REQUIRED:
        attributes[name] = _text(attributes.get(name))
        if not attributes[name]:
            raise NotACloudEvent("a required attribute is missing")
    if attributes["specversion"] != "1.0":
        raise NotACloudEvent("specversion is not 1.0")
    return attributes, data


def head(message: Message) -> Head:
    """What is needed to decide what to do with `message`; its data stay unread. Raises NotACloudEvent."""
    attributes, data = _open(message)
    return Head(
        event_id=_uuid(attributes["id"]),
        type=attributes["type"],
        traceparent=_text(attributes.get("traceparent")) or None,
        data=data if isinstance(data, bytes) else json.dumps(data).encode(),
    )


def read(message: Message) -> Envelope:
    """The whole event in `message`; raises NotACloudEvent."""
    attributes, data = _open(message)
    try:
        time = datetime.fromisoformat(_text(attributes.get("time")))
        version = int(_text(attributes.get("aggregateversion")) or attributes.get("aggregateversion", 0))
    except (TypeError, ValueError) as error:
        raise NotACloudEvent("time or aggregateversion cannot be read") from error
    return Envelope(
        id=attributes["id"],
        type=attributes["type"],
        source=attributes["source"],
        subject=_text(attributes.get("subject")),
        time=time,
        partitionkey=_text(attributes.get("partitionkey")),
        aggregateversion=version,
        data=data if isinstance(data, dict) else _json_object(data, "data"),
        traceparent=_text(attributes.get("traceparent")) or None,
    )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotACloudEvent("id is not a UUID") from error
