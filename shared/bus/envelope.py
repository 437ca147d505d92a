"""CloudEvents 1.0.2 over Kafka's protocol binding (binary mode; structured mode is read too).

Our own codec, because the common one invents a missing `id` and so silently breaks de-duplication.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from shared.bus.interface import Message

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


class Head(NamedTuple):
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
        *_same_for(type_name),
        ("ce_id", str(event_id).encode()),
        ("ce_subject", str(subject).encode()),
        ("ce_time", occurred_at.isoformat().replace("+00:00", "Z").encode()),
        ("ce_partitionkey", key_text),
        ("ce_aggregateversion", str(version).encode()),
    ]
    if traceparent:
        headers += [("ce_traceparent", traceparent.encode()), ("traceparent", traceparent.encode())]
    return Message(topic=topic, key=key_text, value=data.encode(), headers=headers)


@cache
def _same_for(type_name: str) -> tuple[tuple[str, bytes], ...]:
    """The headers that all events of a type have in common."""
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", type_name.encode()),
        ("ce_source", f"/{type_name.split('.')[1]}".encode()),
        ("ce_dataschema", f"urn:relink:event:{type_name}".encode()),
        ("content-type", b"application/json"),
    )


def _json_object(raw: bytes, what: str) -> dict[str, Any]:
    try:
        read = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise NotACloudEvent(f"{what} is not JSON") from error
    if not isinstance(read, dict):
        raise NotACloudEvent(f"{what} is not a JSON object")
    return read


class _Opened:
    """A message whose mode is known: its attributes, the required ones among them, and its data.

    `content-type` decides the mode, as the binding says; of a header named twice the first counts. `data` is read in
    structured mode, else as it came.
    """

    __slots__ = ("_attributes", "_prefix", "data", "id", "source", "type")

    def __init__(self, message: Message) -> None:
        if message.value is None:
            raise NotACloudEvent("no value")
        attributes: dict[str, Any] = dict(reversed(message.headers))
        if "ce_id" not in attributes or "content-type" not in attributes:  # ours are in lower case, others' need not be
            attributes = {name.lower(): value for name, value in reversed(message.headers)}
        self._prefix = "ce_"
        self.data: dict[str, Any] | bytes = message.value
        if _text(attributes.get("content-type")).lower().startswith(_STRUCTURED):
            attributes, self._prefix = _json_object(message.value, "the envelope"), ""
            if not isinstance(data := attributes.get("data"), dict):
                raise NotACloudEvent("data is not a JSON object")
            self.data = data
        self._attributes = attributes
        self.id, self.type, self.source = self.text("id"), self.text("type"), self.text("source")
        if not (self.id and self.type and self.source and (specversion := self.text("specversion"))):
            raise NotACloudEvent("a required attribute is missing")
        if specversion != "1.0":
            raise NotACloudEvent("specversion is not 1.0")

    def text(self, name: str) -> str:
        """The attribute; empty when it is not there or is no text."""
        return _text(self._attributes.get(self._prefix + name))

    @property
    def version(self) -> int:
        value = self._attributes.get(f"{self._prefix}aggregateversion", 0)
        return value if isinstance(value, int) else int(value or 0)


def _text(value: object) -> str:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return ""
    return value if isinstance(value, str) else ""


def head(message: Message) -> Head:
    """What is needed to decide what to do with `message`; its data stay unread. Raises NotACloudEvent."""
    opened = _Opened(message)
    data = opened.data if isinstance(opened.data, bytes) else json.dumps(opened.data).encode()
    return Head(_uuid(opened.id), opened.type, opened.text("traceparent") or None, data)


def read(message: Message) -> Envelope:
    """The whole event in `message`; raises NotACloudEvent."""
    opened = _Opened(message)
    try:
        time, version = datetime.fromisoformat(opened.text("time")), opened.version
    except (TypeError, ValueError) as error:
        raise NotACloudEvent("time or aggregateversion cannot be read") from error
    return Envelope(
        id=opened.id,
        type=opened.type,
        source=opened.source,
        subject=opened.text("subject"),
        time=time,
        partitionkey=opened.text("partitionkey"),
        aggregateversion=version,
        data=opened.data if isinstance(opened.data, dict) else _json_object(opened.data, "data"),
        traceparent=opened.text("traceparent") or None,
    )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotACloudEvent("id is not a UUID") from error
