"""One trace goes from a request over the bus to the projection, and on with the reaction."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from relink.embedded import EmbeddedPostgres
from shared import clock, outbox, telemetry
from shared.actor import Actor
from shared.bus import consumer as consuming
from shared.events import TOPICS
from shared.events.referral import CaseErased, PlacesChanged
from shared.http import Router, Transaction, needs
from shared.ids import new_id
from shared.otlp import OtlpTraces
from tests.support.brokers import kafka_settings
from tests.support.collector import Collector, Received, collecting
from tests.support.databases import Probe, probe_service, start_probe
from tests.support.tokens import Issuer

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
ERASED, PLACES = "relink.referral.CaseErased", "relink.referral.PlacesChanged"
Handler = Callable[..., Any]
Named = tuple[str, str]
HEARD: dict[Named, int] = {
    ("POST /erasures", ""): 1,
    (f"send {ERASED}", ""): 3,
    (f"process {ERASED}", "projections"): 3,
    (f"process {ERASED}", "reactions"): 3,
}
ANSWERED: dict[Named, int] = {(f"send {PLACES}", ""): 3, (f"process {PLACES}", "projections"): 3}
router = Router(tags=["things"])


@router.post("/erasures")
async def erase(session: Transaction, actor: Annotated[Actor, needs("cases:write")]) -> None:
    """Three cases are erased."""
    for _ in range(3):
        await outbox.publish(session, CaseErased(version=1, case_id=new_id(), occurred_at=clock.now()))


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as taking:
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")  # milliseconds: the SDK's own five seconds are long
        yield taking


@asynccontextmanager
async def erasing(
    server: EmbeddedPostgres, collector: Collector, reaction: Handler, kafka: str = ""
) -> AsyncIterator[Probe]:
    """A probe on one of the buses, after one POST: its projections hear both events, its reaction erased cases."""
    issuer, service = Issuer(), probe_service()
    service.routers.append(router)
    service.projections.on(CaseErased, PlacesChanged)(nothing)
    service.reactions.on(CaseErased)(reaction)
    probe = await start_probe(server, service, issuer.trust())
    await probe.runtime.close()
    changed = {"otlp_endpoint": collector.endpoint}
    if kafka:
        said = kafka_settings(kafka)
        changed |= {name: getattr(said, name) for name in said.model_fields_set if name != "service"}
    runtime = service.runtime(probe.settings.model_copy(update=changed), issuer.trust())
    await runtime.bus.make_topics(TOPICS)
    working = asyncio.create_task(service.worker(runtime).run())
    transport = httpx.ASGITransport(service.api(runtime))
    headers = issuer.headers("be-return", "cases:write") | {"traceparent": f"00-{TRACE}-{CALLER}-01"}
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
            assert (await http.post("/referral/v1/erasures", headers=headers)).status_code == 200
        yield probe
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await runtime.close()


async def nothing(*_: Any) -> None: ...


async def received(collector: Collector, wanted: dict[Named, int]) -> dict[Named, list[Received]]:
    """(Name, listener or nothing) → the spans of our trace, once there are as many of each as wanted."""
    found: dict[Named, list[Received]] = {}
    until = time.monotonic() + 60
    while {named: len(spans) for named, spans in found.items()} != wanted:
        assert time.monotonic() < until, {named: len(spans) for named, spans in found.items()}
        await asyncio.sleep(0.02)
        found = {}
        for span in list(collector.spans):
            if span.trace_id == TRACE:
                group = span.attributes.get("messaging.consumer.group.name", "")
                found.setdefault((span.name, group.rpartition(".")[2]), []).append(span)
    return found


@pytest.mark.parametrize("bus", ["postgresql", "kafka"])
async def test_one_trace_goes_over_the_bus_to_the_projection_and_on_with_the_reaction(
    postgres: EmbeddedPostgres, collector: Collector, bus: str, request: pytest.FixtureRequest
) -> None:
    async def react(session: AsyncSession, _: CaseErased) -> None:
        places = PlacesChanged(version=1, service_id=new_id(), set_aside=1, held=0, offered=0, used=0, queued=0, free=1)
        await outbox.publish(session, places)

    kafka: str = request.getfixturevalue("kafka") if bus == "kafka" else ""
    async with erasing(postgres, collector, react, kafka):
        found = await received(collector, HEARD | ANSWERED)
    (asked,) = found["POST /erasures", ""]
    assert (asked.kind, asked.parent_id) == (2, CALLER)
    for does, listener, kind in (("send", "", 4), ("process", "projections", 5), ("process", "reactions", 5)):
        spans = found[f"{does} {ERASED}", listener]
        assert [(span.kind, span.parent_id) for span in spans] == [(kind, asked.span_id)] * 3
    reacted = {span.span_id for span in found[f"process {ERASED}", "reactions"]}
    assert {span.parent_id for span in found[f"send {PLACES}", ""]} == reacted
    assert {span.parent_id for span in found[f"process {PLACES}", "projections"]} == reacted
    assert {span.service for span in collector.spans} == {"relink-referral"}


async def test_a_handler_that_fails_is_seen_by_the_class_of_its_error(
    postgres: EmbeddedPostgres, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "RETRIES", ())

    async def fail(*_: Any) -> None:
        raise LookupError("Somebody Invented")

    async with erasing(postgres, collector, fail):
        found = await received(collector, HEARD)
    failed = found[f"process {ERASED}", "reactions"]
    assert [(span.failed, span.attributes["error.type"]) for span in failed] == [(True, "LookupError")] * 3
    assert not any(b"Somebody" in body for body in collector.bodies)


async def test_a_collector_that_is_away_holds_nobody_up() -> None:
    traces = OtlpTraces("referral", "http://127.0.0.1:1")
    with traces.span("internal", "nobody sees this"):
        assert telemetry.traceparent()
    async with asyncio.timeout(60):
        await traces.close()


def test_without_a_collector_the_sdk_is_not_even_loaded() -> None:
    program = (
        "import sys; import shared.service; from shared.traces import open_traces; open_traces('registry', '');"
        "sys.exit(any(name.startswith('opentelemetry.sdk') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
