"""A service with everything a service map can say, and what tests do with services."""

from typing import Any

import httpx

from services.registry.app import service
from shared import clock
from shared.bus.consumer import Consumer
from shared.bus.envelope import to_message
from shared.events import Event
from shared.ids import new_id
from tests.integration.registry.conftest import ORGANIZATIONS, Json, Registry

PROVIDER = ORGANIZATIONS["ng-provider"]
BARE: Json = {
    "name": "Welding course",
    "organization_id": PROVIDER,
    "type": "vocational_training",
    "dimension": "economic",
    "level": "individual",
    "areas": ["NG012"],
    "places": {"set_aside": 3},
}
MAPPED: Json = {
    "description": "Twelve weeks with a start-up kit.",
    "locations": [
        {"name": "Workshop", "address": "Ring Road", "area": "NG012001", "latitude": 6.335, "longitude": 5.627}
    ],
    "total_places": 20,
    "funded_places": 12,
    "waiting_days": 14,
    "languages": ["eng"],
    "required_documents": ["Any proof of identity"],
    "contacts": [{"name": "Desk", "phone": "+234 000 000 0000"}],
    "schedules": [
        {"weekdays": ["MO", "WE"], "opens_at": "08:30", "closes_at": "13:00", "valid_from": "2026-01-05"},
        {"rule": "FREQ=MONTHLY;BYDAY=1SA", "note": {"eng": "Open day"}},
    ],
    "free": False,
    "costs": [{"option": {"eng": "Registration"}, "amount": {"amount": "5.00", "currency": "EUR"}}],
    "excluded_groups": ["people_without_documents"],
    "locals_take_part": True,
    "green_job": True,
    "environmental_screening": {"done_on": "2026-02-01", "result": "risk_with_measures", "measures": {"eng": "Masks"}},
    "service_map": {
        "waiting": {"eng": "Two weeks, longer before the harvest"},
        "inclusion": {"eng": "Returned within two years"},
        "exclusion": {"eng": "No former participants"},
        "payment_rules": {"eng": "In cash on the first day"},
        "accessibility": {"eng": "Ground floor, wide doors"},
        "safety": {"eng": "Do not walk there after dark"},
        "transport": {"eng": "Bus to Ring Road"},
        "barriers": [{"kind": "money", "text": {"eng": "The bus fare"}}],
        "implications": [{"kind": "gender", "text": {"eng": "Mixed groups"}}],
        "quality": {"eng": "Certified teachers"},
        "experience_with_returnees": {"eng": "Since 2019"},
        "community_trust": {"eng": "Well known"},
        "gaps": {"eng": "No course for beginners"},
    },
}


async def enter(registry: Registry, client_id: str = "ng-provider", **changed: Any) -> httpx.Response:
    return await registry.make(client_id, "/services", BARE | changed)


async def publish(registry: Registry, **changed: Any) -> tuple[str, httpx.Response]:
    """A published service: its address and the answer; what was said about it is forgotten."""
    made = await enter(registry, **changed)
    path = f"/services/{made.json()['service_id']}"
    answer = await registry.act("registry-manager", made, f"{path}/publish")
    await registry.said()
    return path, answer


async def hear(registry: Registry, *events: Event) -> None:
    """These come off the bus in one batch, in this order."""
    runtime = registry.runtime
    consumer = Consumer("registry", "projections", service.projections, runtime.bus, runtime.sessions, None)
    await consumer.consume(
        [
            to_message(
                f"relink.{event.speaker()}",
                event_id=new_id(),
                type_name=event.type_name(),
                subject=event.subject,
                key=event.partition_key,
                version=event.version,
                occurred_at=clock.now(),
                traceparent=None,
                data=event.model_dump_json(),
            )
            for event in events
        ]
    )
