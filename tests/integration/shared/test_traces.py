"""Spans of what is done with events: a reaction goes on with the trace, a failure tells its class and nothing more."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from relink.embedded import EmbeddedPostgres
from shared import clock, outbox, telemetry
from shared.bus import consumer as consuming
from shared.events.referral import CaseErased, PlacesChanged
from shared.ids import new_id
from shared.otlp import OtlpTraces
from tests.support.collector import Collector, Received, collecting
from tests.support.databases import Probe, probe_service, start_probe


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Any:
    with collecting() as taking:
        monkeypatch.setenv("RELINK_OTLP_ENDPOINT", taking.endpoint)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        yield taking


def erased() -> CaseErased:
    return CaseErased(version=1, case_id=new_id(), occurred_at=clock.now())


def places() -> PlacesChanged:
    return PlacesChanged(version=1, service_id=new_id(), set_aside=1, held=0, offered=0, used=0, queued=0, free=1)


@asynccontextmanager
async def working(
    server: EmbeddedPostgres, projection: Callable[..., Any], reaction: Callable[..., Any]
) -> AsyncIterator[Probe]:
    """A probe whose worker runs: the projection hears both events, the reaction erased cases."""
    service = probe_service()
    service.projections.on(CaseErased, PlacesChanged)(projection)
    service.reactions.on(CaseErased)(reaction)
    probe = await start_probe(server, service)
    task = asyncio.create_task(service.worker(probe.runtime).run())
    try:
        yield probe
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await probe.runtime.close()


async def say(probe: Probe, *events: CaseErased) -> str:
    """Each in a trace of its own; the id of the first one's."""
    traces = []
    async with probe.runtime.sessions() as session:
        for event in events:
            with probe.runtime.traces.span("internal", "test"):
                traces.append((telemetry.traceparent() or "").split("-")[1])
                await outbox.publish(session, event)
        await session.commit()
    return traces[0]


async def spans(collector: Collector, count: int, trace_id: str) -> dict[str, Received]:
    """Name → span of the trace, once so many have come."""
    async with asyncio.timeout(60):
        while True:
            found = [span for span in list(collector.spans) if span.trace_id == trace_id]
            if len(found) >= count:
                return {
                    f"{span.name} {span.attributes.get('messaging.consumer.group.name', '')}": span for span in found
                }
            await asyncio.sleep(0.02)


async def nothing(*_: Any) -> None: ...


async def test_what_a_reaction_says_belongs_to_the_trace_of_what_it_heard(
    postgres: EmbeddedPostgres, collector: Collector
) -> None:
    async def react(session: AsyncSession, _: CaseErased) -> None:
        await outbox.publish(session, places())

    async with working(postgres, nothing, react) as probe:
        trace_id = await say(probe, erased(), erased(), erased())
        found = await spans(collector, 6, trace_id)
    said, heard, then = "relink.referral.CaseErased", "relink.referral.PlacesChanged", "referral.reactions"
    begun = found["test "]
    assert begun.parent_id == ""
    assert found[f"send {said} "].parent_id == begun.span_id
    assert found[f"process {said} referral.projections"].parent_id == begun.span_id
    reacted = found[f"process {said} {then}"]
    assert (reacted.kind, reacted.parent_id) == (5, begun.span_id)
    assert found[f"send {heard} "].parent_id == reacted.span_id
    assert found[f"process {heard} referral.projections"].parent_id == reacted.span_id


async def test_a_handler_that_fails_is_seen_by_the_class_of_its_error(
    postgres: EmbeddedPostgres, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "RETRIES", ())

    async def fail(*_: Any) -> None:
        raise LookupError("Somebody Invented")

    async with working(postgres, nothing, fail) as probe:
        trace_id = await say(probe, erased())
        found = await spans(collector, 4, trace_id)
    failed = found["process relink.referral.CaseErased referral.reactions"]
    assert failed.failed
    assert failed.attributes["error.type"] == "LookupError"
    assert not any(b"Somebody" in body for body in collector.bodies)


async def test_a_collector_that_is_away_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    traces = OtlpTraces("referral", "http://127.0.0.1:1")
    with traces.span("internal", "nobody sees this"):
        assert telemetry.traceparent()
    async with asyncio.timeout(60):
        await traces.close()


def test_without_a_collector_the_sdk_is_not_even_loaded() -> None:
    program = "import sys, services.registry.app, shared.service; sys.exit('opentelemetry.sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
