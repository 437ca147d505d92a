"""What partners read of the events is what the code says, whole and sound."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from relink.services import SERVICES
from shared import clock
from shared.bus.envelope import to_message
from shared.events import SPEAKERS, TOPICS, Part, event_types, topic_of
from shared.ids import new_id
from tests.contract import descriptions

DOCUMENT: dict[str, Any] = yaml.safe_load((descriptions.DOCS / "asyncapi.yaml").read_text())
BOOK = (descriptions.DOCS / "events.md").read_text()
WRITTEN = descriptions.documents()


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_what_is_written_is_what_the_code_says(name: str) -> None:
    assert (descriptions.DOCS / name).read_text() == WRITTEN[name], "run `make promises` and read the diff"


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for each in part.values():
            yield from references(each)
    elif isinstance(part, list):
        for each in part:
            yield from references(each)


def resolve(reference: str) -> Any:
    found: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert found
    for reference in found:
        assert reference.startswith("#/"), reference
        assert resolve(reference), reference


def test_the_asyncapi_document_has_the_shape_of_version_3() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    addresses = [channel["address"] for channel in DOCUMENT["channels"].values()]
    assert addresses == [topic_of(speaker) for speaker in SPEAKERS]
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in {"send", "receive"}
        channel = operation["channel"]["$ref"]
        assert all(message["$ref"].startswith(f"{channel}/messages/") for message in operation["messages"])
    for message in DOCUMENT["components"]["messages"].values():
        assert {"name", "summary", "headers", "payload", "bindings"} <= message.keys()
        assert message["bindings"]["kafka"]["key"]["format"] == "uuid"


def test_every_event_has_its_channel_its_speaker_and_its_hearers() -> None:
    messages = DOCUMENT["components"]["messages"]
    assert {message["name"] for message in messages.values()} == set(event_types())
    for event in event_types().values():
        speaker, name = event.speaker(), event.__name__
        here = {"$ref": f"#/channels/{speaker}/messages/{name}"}
        assert name in DOCUMENT["channels"][speaker]["messages"]
        assert here in DOCUMENT["operations"][f"{speaker}.says"]["messages"]
        for service in SERVICES:
            hears = event in service.projections.handlers or event in service.reactions.handlers
            operation = DOCUMENT["operations"].get(f"{service.name}.hears.{speaker}", {"messages": []})
            assert (here in operation["messages"]) == hears, f"{service.name} and {name}"


def test_what_is_said_of_headers_is_what_the_relay_sends() -> None:
    headers = resolve("#/components/schemas/Headers")
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    for traceparent, more in ((None, set()), (trace, {"ce_traceparent", "traceparent"})):
        sent = to_message(
            TOPICS[0], event_id=new_id(), type_name="relink.registry.AgreementEnded", subject=new_id(), key=new_id(),
            version=1, occurred_at=clock.now(), traceparent=traceparent, data="{}",
        )  # fmt: skip
        assert {name for name, _ in sent.headers} == set(headers["required"]) | more
    assert set(headers["properties"]) == set(headers["required"]) | {"ce_traceparent", "traceparent"}


def models() -> dict[str, type[BaseModel]]:
    return {model.__name__: model for model in [*event_types().values(), *Part.__subclasses__()]}


def test_every_field_says_what_it_means() -> None:
    silent = [
        f"{name}.{field}"
        for name, model in models().items()
        for field, info in model.model_fields.items()
        if not info.description and not field.endswith("_id")
    ]
    assert silent == [], "a docstring under the field says it; `…_id` speaks for itself"


def test_the_book_has_a_page_for_every_event_and_every_field() -> None:
    headings = set(re.findall(r"^### (.+)$", BOOK, re.MULTILINE))
    assert set(models()) - headings == set()
    assert all(f"## {speaker}\n" in BOOK for speaker in SPEAKERS)
    for name, model in models().items():
        for field in model.model_fields:
            assert f"| `{field}` |" in BOOK, f"{name}.{field}"


def test_every_link_within_the_book_leads_to_a_heading() -> None:
    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", BOOK, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", BOOK)) <= anchors
