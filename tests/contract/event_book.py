"""`docs/events.md`: every event for people to read, made from the event classes and from who hears them."""

from collections.abc import Iterator
from inspect import get_annotations
from typing import Any

from pydantic import BaseModel

from shared.events import SPEAKERS, Event, event_types
from tests.contract.asyncapi import heard_by

Schema = dict[str, Any]
BEGINNING = """\
# Events

What the services tell each other, made from `shared/events` by `make promises`: do not edit. For programs the same
is in [asyncapi.yaml](asyncapi.yaml).

An event is a CloudEvent 1.0 in Kafka's binary mode, in the topic `relink.<service>`. Its `type` is
`relink.<service>.<name>`, its `id` the same however often it comes, `partitionkey` (the message's key) what it stays in
order with, and `aggregateversion` the version of what it is about after the change. It comes at least once, in order
for each key; nothing is promised across topics. An event changes by addition: ignore fields and types you do not know.
It holds ids, codes, numbers and dates, and never identity.
"""
TYPES = {"uuid": "UUID", "date": "date", "date-time": "time"}


def written() -> str:
    return "\n".join([BEGINNING, *_chapters()]).rstrip() + "\n"


def _chapters() -> Iterator[str]:
    for speaker in SPEAKERS:
        said = [event for event in event_types().values() if event.speaker() == speaker]
        yield f"## {speaker}\n"
        if not said:
            yield "Says nothing yet.\n"
            continue
        shared = list(dict.fromkeys(base for event in said for base in reversed(_bases(event))))
        for base in shared:
            yield f"### {_called(base)}\n"
            yield f"In every event that names it{_and_above(base)}.\n"
            yield from _table(base, base.model_json_schema())
        for event in said:
            yield from _page(event)
        yield from _parts(said)


def _bases(event: type[BaseModel]) -> list[type[BaseModel]]:
    """What the event shares with others, nearest first."""
    return [base for base in event.__mro__[1:] if issubclass(base, Event) and base is not Event]


def _called(base: type[BaseModel]) -> str:
    """`_CaseState` → Fields of case state."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in base.__name__.strip("_"))
    return f"Fields of {words.strip()}"


def _and_above(model: type[BaseModel]) -> str:
    above = _bases(model)
    return f", with the {_link(above[0])}" if above else ""


def _link(base: type[BaseModel]) -> str:
    called = _called(base)
    return f"[{called[0].lower()}{called[1:]}](#{called.lower().replace(' ', '-')})"


def _page(event: type[Event]) -> Iterator[str]:
    heard = heard_by(event)
    who = ", ".join(f"{service} ({' and '.join(listeners)})" for service, listeners in heard.items()) or "nobody yet"
    yield f"### {event.__name__}\n"
    yield f"{event.__doc__}\n"
    about = f"About `{event.subject_field}`"
    order = "" if event.key_field == event.subject_field else f", in order with everything of its `{event.key_field}`"
    yield f"{about}{order}. Heard by: {who}.\n"
    above = _bases(event)
    if above:
        yield f"Has the {_link(above[0])}{', and' if _own(event) else '.'}\n"
    yield from _table(event, event.model_json_schema())


def _own(model: type[BaseModel]) -> list[str]:
    return [name for name in get_annotations(model) if name in model.model_fields]


def _table(model: type[BaseModel], schema: Schema) -> Iterator[str]:
    fields = _own(model)
    if model.__mro__[1] is Event:
        fields = [*fields, "version"]
    if not fields:
        return
    yield "| field | type | meaning |\n| --- | --- | --- |"
    for name in fields:
        said = schema["properties"][name]
        yield f"| `{name}` | {_type(said)} | {_meaning(name, said.get('description', ''))} |"
    yield ""


def _meaning(name: str, words: str) -> str:
    if not words and name.endswith("_id"):
        words = f"The {name.removesuffix('_id').replace('_', ' ').replace('organization', 'organisation')}."
    return " ".join(words.replace("None", "null").split()).replace("|", "\\|")


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}"
    if schema["type"] == "object":
        return f"object of {_type(schema['additionalProperties'])}"
    return TYPES.get(schema.get("format", ""), str(schema["type"]))


def _parts(said: list[type[Event]]) -> Iterator[str]:
    """What fields of these events are made of."""
    parts: Schema = {}
    for event in said:
        parts |= event.model_json_schema().get("$defs", {})
    for name, part in parts.items():
        yield f"### {name}\n"
        yield f"{' '.join(part.get('description', 'Part of an event.').split())}\n"
        yield "| field | type | meaning |\n| --- | --- | --- |"
        for field, said_of in part["properties"].items():
            yield f"| `{field}` | {_type(said_of)} | {_meaning(field, said_of.get('description', ''))} |"
        yield ""
