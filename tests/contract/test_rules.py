"""Rules about the code that no import contract can state."""

import re
from pathlib import Path

import pytest

from relink.services import SERVICES
from shared.events import Event, event_types
from shared.service import Service
from tests.contract import descriptions

ROOT = Path(__file__).parents[2]
SOURCES = [path for folder in ("services", "shared", "relink") for path in (ROOT / folder).rglob("*.py")]
PUBLIC = {"livez", "readyz"}
OPERATIONS = [
    (service, path, method, operation)
    for service, document in descriptions.openapi().items()
    for path, methods in document["paths"].items()
    for method, operation in methods.items()
]
SCOPES = {
    "registry:read", "registry:write", "registry:publish", "eligibility:evaluate", "eligibility:write",
    "eligibility:validate", "cases:read", "cases:write", "referrals:create", "referrals:read", "referrals:respond",
    "indicators:read", "ops:health", "ops:manage",
}  # fmt: skip


def test_every_operation_names_a_scope_that_exists() -> None:
    for service, path, method, operation in OPERATIONS:
        if path.rpartition("/")[2] in PUBLIC:
            assert "security" not in operation
            continue
        named = {scope for entry in operation["security"] for scopes in entry.values() for scope in scopes}
        assert named, f"{service}: {method} {path}"
        assert named <= SCOPES, f"{service}: {method} {path}"


def test_every_address_is_versioned_and_below_its_service() -> None:
    for service, path, _, _ in OPERATIONS:
        assert path.startswith(f"/{service}/v1/") or path in {f"/{service}/{name}" for name in (*PUBLIC, "health")}


def test_every_operation_says_what_it_does() -> None:
    silent = [f"{method} {path}" for _, path, method, operation in OPERATIONS if not operation.get("description")]
    assert silent == []


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_projections_publish_nothing(service: Service) -> None:
    for path in (ROOT / "services" / service.name).rglob("projections.py"):
        assert "outbox" not in path.read_text(), f"{path.name} of {path.parent.name} publishes"


def test_every_event_has_its_docstring_and_its_subject() -> None:
    for name, event in event_types().items():
        assert event.__doc__, name
        assert event.__doc__ != Event.__doc__, name
        assert {event.subject_field, event.key_field} <= set(event.model_fields), name


def test_events_have_no_field_for_identity() -> None:
    forbidden = {"first_name", "birth_date", "born_on", "contacts", "documents", "reference", "text", "notes", "email"}
    for name, event in event_types().items():
        if event.speaker() != "registry":
            assert not forbidden & set(event.model_fields), name


def test_nobody_else_commits() -> None:
    """One request, one transaction: the route, the listener (or who fills its tables anew), the timer runner."""
    allowed = {"route.py", "consumer.py", "filling.py", "worker.py"}
    found = {path.name for path in SOURCES if re.search(r"\.commit\(\)", path.read_text()) and "bus" not in path.parts}
    assert found <= allowed


def test_no_module_is_feared() -> None:
    long = {str(path.relative_to(ROOT)): n for path in SOURCES if (n := len(path.read_text().splitlines())) > 450}
    assert {name for name in long if "migrations" not in name} == set()


def test_the_project_names_no_index_and_no_machine() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert "--hash=sha256:" in lock
