"""Traced: what a collector receives from a running system, over the real exporter and the real wire."""

import asyncio
import tempfile
from pathlib import Path

import pytest

from relink import demo_data
from relink.demo_data import in_days
from relink.partner import partners_of
from relink.system import running_system
from shared.ids import new_id
from tests.support.collector import Collector, Received, collecting

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CASE = {
    "reference": "BXL-TRACED-1",
    "country_of_origin": "NG",
    "area": "NG012012",
    "return_type": "voluntary",
    "planned_arrival_on": in_days(30),
    "arrival_certainty": "fixed",
    "members": [{"sex": "female", "age_band": "25-34"}],
    "identity": {"name": "Somebody Invented", "contacts": [{"kind": "phone", "value": "+234 000 000 0001"}]},
}
SECRETS = ("BXL-TRACED-1", "Somebody Invented", "+234", "secret-of-a-query")


async def _spans(collector: Collector, *wanted: tuple[str, str]) -> dict[tuple[str, str], Received]:
    """(service, name) → span of our trace, once all that are wanted have come."""
    async with asyncio.timeout(60):
        while True:
            found = {(span.service, span.name): span for span in list(collector.spans) if span.trace_id == TRACE}
            if found.keys() >= set(wanted):
                return found
            await asyncio.sleep(0.02)


async def test_one_trace_goes_from_the_request_over_the_bus_to_the_projection(monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as collector, tempfile.TemporaryDirectory(prefix="relink-test-") as folder:
        monkeypatch.setenv("RELINK_OTLP_ENDPOINT", collector.endpoint)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")  # milliseconds: the SDK's own five seconds are long
        async with running_system(Path(folder), port=0) as system:
            async with partners_of(system, "bootstrap", "registry-manager") as (bootstrap, curator):
                await demo_data.enter_organizations(bootstrap, curator)
            async with system.client("be-return") as belgium:
                headers = {
                    "traceparent": f"00-{TRACE}-{CALLER}-01",
                    "Idempotency-Key": str(new_id()),
                    "Relink-After": ", ".join(system.written),
                }
                refused = await belgium.get("/referral/v1/cases?name=secret-of-a-query", headers=headers)
                made = await belgium.post("/referral/v1/cases", json=CASE, headers=headers)
                assert (refused.status_code, made.status_code) == (422, 201), made.text
            request, sent = ("relink-referral", "POST /cases"), "relink.referral.CaseRegistered"
            relayed, projected = ("relink-referral", f"send {sent}"), ("relink-monitoring", f"process {sent}")
            spans = await _spans(collector, request, relayed, projected, ("relink-eligibility", f"process {sent}"))
    assert (spans[request].kind, spans[request].parent_id) == (2, CALLER)
    assert spans[request].attributes["http.response.status_code"] == "201"
    assert (spans[relayed].kind, spans[relayed].parent_id) == (4, spans[request].span_id)
    assert (spans[projected].kind, spans[projected].parent_id) == (5, spans[request].span_id)
    event_id = made.headers["Relink-Event"].partition(":")[2]
    assert {spans[each].attributes["messaging.message.id"] for each in (relayed, projected)} == {event_id}
    assert not any(secret.encode() in body for secret in SECRETS for body in collector.bodies)
