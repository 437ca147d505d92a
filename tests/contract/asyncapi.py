"""The events as an AsyncAPI 3.0 document: a channel for each topic, a message for each event, who says and hears it."""

from typing import Any

import yaml

from relink.services import SERVICES
from shared.events import SPEAKERS, Event, event_types

Document = dict[str, Any]
WORDS = (
    "What the services of Relink tell each other: CloudEvents 1.0 in Kafka's binary mode. Ids, codes, numbers and"
    " dates; no identity. At least once on the wire, in order for each key, nothing promised across topics. An event"
    " changes by addition; readers ignore fields and types that they do not know."
)
UUID_TEXT = {"type": "string", "format": "uuid"}
TRACEPARENT = {"type": "string", "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"}
HEADERS: Document = {
    "type": "object",
    "description": "What every message has: the CloudEvents attributes as Kafka headers.",
    "required": [
        "content-type", "ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time", "ce_dataschema",
        "ce_partitionkey", "ce_aggregateversion",
    ],
    "properties": {
        "content-type": {"const": "application/json"},
        "ce_specversion": {"const": "1.0"},
        "ce_id": UUID_TEXT | {"description": "Of the event, wherever it is read; the same one when it comes again."},
        "ce_type": {"type": "string"},
        "ce_source": {"enum": [f"/{speaker}" for speaker in SPEAKERS]},
        "ce_subject": UUID_TEXT | {"description": "What it is about."},
        "ce_time": {"type": "string", "format": "date-time", "description": "When it was said, in UTC."},
        "ce_dataschema": {"type": "string"},
        "ce_partitionkey": UUID_TEXT | {"description": "The message's key: what it stays in order with."},
        "ce_aggregateversion": {
            "type": "string",
            "pattern": "^[0-9]+$",
            "description": "Of what it is about, after the change. Of two events the higher is newer.",
        },
        "ce_traceparent": TRACEPARENT | {"description": "The trace it was said in (W3C Trace Context)."},
        "traceparent": TRACEPARENT,
    },
}  # fmt: skip


def heard_by(event: type[Event]) -> dict[str, list[str]]:
    """Service → those of its listeners that hear the event."""
    heard = {
        service.name: [
            name
            for name, listeners in (("projections", service.projections), ("reactions", service.reactions))
            if event in listeners.handlers
        ]
        for service in SERVICES
    }
    return {service: listeners for service, listeners in heard.items() if listeners}


def document() -> Document:
    """Made from the event classes and from what the services' listeners hear."""
    events = list(event_types().values())
    schemas: Document = {"Headers": HEADERS}
    for event in events:
        schema = event.model_json_schema(ref_template="#/components/schemas/{model}")
        for name, part in schema.pop("$defs", {}).items():
            if schemas.setdefault(name, part) != part:
                raise ValueError(f"two different parts of events are called {name}")
        schemas[event.__name__] = schema
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Relink events",
            "version": "1",
            "description": WORDS,
            "license": {"name": "EUPL-1.2", "url": "https://eupl.eu/1.2/en/"},
        },
        "defaultContentType": "application/json",
        "channels": {speaker: _channel(speaker, events) for speaker in SPEAKERS},
        "operations": dict(_operations(events)),
        "components": {"messages": {event.__name__: _message(event) for event in events}, "schemas": schemas},
    }


def _said_by(speaker: str, events: list[type[Event]]) -> list[type[Event]]:
    return [event for event in events if event.speaker() == speaker]


def _channel(speaker: str, events: list[type[Event]]) -> Document:
    return {
        "address": f"relink.{speaker}",
        "description": f"What the {speaker} service says.",
        "messages": {
            event.__name__: {"$ref": f"#/components/messages/{event.__name__}"} for event in _said_by(speaker, events)
        },
        "bindings": {"kafka": {"topic": f"relink.{speaker}", "bindingVersion": "0.5.0"}},
    }


def _operations(events: list[type[Event]]) -> list[tuple[str, Document]]:
    listed = []
    for speaker in SPEAKERS:
        said = _said_by(speaker, events)
        if said:
            listed.append((f"{speaker}.says", _operation("send", speaker, f"What {speaker} says.", said)))
        for service in SERVICES:
            heard = [event for event in said if service.name in heard_by(event)]
            if heard:
                words = f"What {service.name} hears of {speaker}."
                listed.append((f"{service.name}.hears.{speaker}", _operation("receive", speaker, words, heard)))
    return listed


def _operation(action: str, channel: str, summary: str, events: list[type[Event]]) -> Document:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{event.__name__}"} for event in events],
    }


def _message(event: type[Event]) -> Document:
    own = {
        "ce_type": {"const": event.type_name()},
        "ce_source": {"const": f"/{event.speaker()}"},
        "ce_dataschema": {"const": f"urn:relink:event:{event.type_name()}"},
        "ce_subject": {"description": f"The event's `{event.subject_field}`."},
    }
    headers = {"allOf": [{"$ref": "#/components/schemas/Headers"}, {"type": "object", "properties": own}]}
    key = UUID_TEXT | {"description": f"The event's `{event.key_field}`."}
    return {
        "name": event.type_name(),
        "title": event.__name__,
        "summary": event.__doc__,
        "contentType": "application/json",
        "headers": headers,
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "bindings": {"kafka": {"key": key, "bindingVersion": "0.5.0"}},
    }


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def as_yaml() -> str:
    text: str = yaml.dump(document(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)
    return text
