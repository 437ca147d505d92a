"""What the project promises to others, as data: the OpenAPI document of each service and the schema of each event.

`python -m tests.contract.descriptions` writes them to `tests/contract/promised/`, and what partners read of the events
to `docs/`; the diff is what a reviewer reads.
"""

import json
from pathlib import Path
from typing import Any

from relink.services import SERVICES
from shared.events import event_types
from shared.settings import Settings
from tests.contract import asyncapi, event_book

PROMISED = Path(__file__).parent / "promised"
DOCS = Path(__file__).parents[2] / "docs"


def openapi() -> dict[str, dict[str, Any]]:
    """Service → its OpenAPI document. Nothing is connected for it."""
    documents = {}
    for service in SERVICES:
        settings = Settings.model_validate(
            {"service": service.name, "database_url": "postgresql://none@127.0.0.1/none"}
        )
        documents[service.name] = service.api(service.runtime(settings)).openapi()
    return documents


def events() -> dict[str, dict[str, Any]]:
    """Event type → what it is about, its key, and the JSON Schema of its data."""
    return {
        name: {"subject": event.subject_field, "key": event.key_field, "data": event.model_json_schema()}
        for name, event in sorted(event_types().items())
    }


def current() -> dict[str, Any]:
    """File name → content."""
    return {f"openapi-{name}.json": document for name, document in openapi().items()} | {"events.json": events()}


def documents() -> dict[str, str]:
    """File name in `docs/` → text."""
    return {"asyncapi.yaml": asyncapi.as_yaml(), "events.md": event_book.written()}


def promised(name: str) -> Any:
    return json.loads((PROMISED / name).read_text())


def write() -> None:
    PROMISED.mkdir(exist_ok=True)
    for name, content in current().items():
        (PROMISED / name).write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    for name, text in documents().items():
        (DOCS / name).write_text(text)


if __name__ == "__main__":
    write()
