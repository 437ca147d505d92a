"""Seen from outside: `/metrics` and `/health` tell the same facts, in bounded words, whatever is away."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from relink.embedded import EmbeddedPostgres
from shared import clock, outbox
from shared.actor import Actor
from shared.bus import consumer as consuming
from shared.db import timers
from shared.events.referral import PlacesChanged
from shared.http import Router, Transaction, needs
from shared.http.worker_port import application, seen_from_outside
from shared.ids import new_id
from tests.support.databases import Probe, probe_service, start_probe
from tests.support.tokens import Issuer

NOBODY = "postgresql://nobody@127.0.0.1:1/nothing"
router = Router(tags=["things"])


@router.get("/things/{thing_id}")
async def get_thing(thing_id: UUID, session: Transaction, actor: Annotated[Actor, needs("cases:read")]) -> None:
    """Nothing much."""


def places(service_id: UUID, version: int = 1) -> PlacesChanged:
    return PlacesChanged(
        version=version, service_id=service_id, set_aside=1, held=0, offered=0, used=0, queued=0, free=1
    )


async def say(probe: Probe, *events: PlacesChanged) -> str:
    async with probe.runtime.sessions() as session:
        for event in events:
            await outbox.publish(session, event)
        await session.commit()
        return outbox.last_event(session) or ""


def asking(app: FastAPI | Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000", timeout=60)


Sample = tuple[str, frozenset[tuple[str, str]]]


def read(text: str) -> dict[Sample, float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def sample(name: str, **labels: str) -> Sample:
    return name, frozenset({"service": "referral", **labels}.items())


def value(found: dict[Sample, float], name: str, **labels: str) -> float:
    return found[sample(name, **labels)]


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def probed(
    server: EmbeddedPostgres, **settings: object
) -> AsyncIterator[tuple[Probe, Issuer, httpx.AsyncClient]]:
    """A probe with one route and a client of its API; `settings` are changed before its runtime opens."""
    issuer, service = Issuer(), probe_service()
    service.routers.append(router)
    service.projections.on(PlacesChanged)(_remember)
    probe = await start_probe(server, service, issuer.trust())
    if settings:
        await probe.runtime.close()
        changed = probe.settings.model_copy(update=settings)
        probe = Probe(service, changed, service.runtime(changed, issuer.trust()))
    async with asking(service.api(probe.runtime)) as http:
        yield probe, issuer, http
    await probe.runtime.close()


async def _remember(session: AsyncSession, event: PlacesChanged) -> None:
    if event.set_aside is None:
        raise LookupError("a text that holds data")


async def test_requests_are_counted_by_route_and_never_by_address(postgres: EmbeddedPostgres) -> None:
    async with probed(postgres) as (_, issuer, http):
        token = issuer.headers("be-return", "cases:read")
        ids = [new_id() for _ in range(3)]
        for thing_id in ids:
            assert (await http.get(f"/referral/v1/things/{thing_id}", headers=token)).status_code == 200
        assert (await http.get(f"/referral/v1/things/{ids[0]}")).status_code == 401
        assert (await http.get("/referral/v1/Amina-Okoro?name=Amina")).status_code == 404
        assert (await http.request("BREW", f"/referral/v1/things/{ids[0]}")).status_code == 405
        page = await http.get("/referral/metrics")
        assert page.headers["content-type"].startswith("text/plain; version=")
        found = read(page.text)
    route = "/things/{thing_id}"
    assert value(found, "relink_requests_total", method="GET", route=route, status="2xx") == 3
    assert value(found, "relink_requests_total", method="GET", route=route, status="4xx") == 1
    assert value(found, "relink_requests_total", method="GET", route="nowhere", status="4xx") == 1
    assert value(found, "relink_requests_total", method="other", route=route, status="4xx") == 1
    assert value(found, "relink_request_seconds_count", method="GET", route=route) == 4
    assert "Amina" not in page.text
    assert not any(str(thing_id) in page.text for thing_id in ids)


async def test_several_services_in_one_process_do_not_mix(postgres: EmbeddedPostgres) -> None:
    async with probed(postgres) as (_, _, one), probed(postgres) as (_, _, other):
        await one.get("/referral/livez")
        asked = read((await other.get("/referral/metrics")).text)
    assert not any(dict(labels).get("route") == "/livez" for _, labels in asked)


async def test_health_and_metrics_tell_the_same_facts(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "RETRIES", (0.0, 0.0))
    async with probed(postgres) as (probe, issuer, http):
        bad = PlacesChanged(
            version=1, service_id=new_id(), set_aside=None, held=0, offered=0, used=0, queued=0, free=None
        )
        async with probe.runtime.sessions() as session:
            late = {"kind": "none", "aggregate_id": new_id(), "due_at": clock.now(), "attempts": 2}
            await session.execute(insert(timers), late)
            await session.commit()
        await say(probe, places(new_id()))
        before = read((await http.get("/referral/metrics")).text)
        working = asyncio.create_task(probe.service.worker(probe.runtime).run())
        try:
            await say(probe, bad, places(bad.service_id, 2), places(new_id()))

            async def done_with() -> bool:
                now = read((await http.get("/referral/metrics")).text)
                lag = value(now, "relink_listener_lag", listener="projections", topic="relink.referral")
                return (
                    lag == 0 and value(now, "relink_outbox_unsent") == 0 and value(now, "relink_relay_sent_total") == 4
                )

            await until(done_with)
            found = read((await http.get("/referral/metrics")).text)
            answer = await http.get("/referral/health", headers=issuer.headers("ops", "ops:health"))
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
    assert value(before, "relink_outbox_unsent") == 1
    assert value(before, "relink_outbox_oldest_seconds") > 0
    assert value(found, "relink_relay_sent_total") == 4
    # All but the one that was parked; what waits behind it went through the inbox too.
    assert value(found, "relink_listener_applied_total", listener="projections") == 3
    assert value(found, "relink_listener_retries_total", listener="projections") == 2
    assert value(found, "relink_listener_parked_total", listener="projections") == 1
    for where, name, check in (
        (found, "relink_timers_due", "timers:due"),
        (found, "relink_timers_failing", "timers:failing"),
        (found, "relink_outbox_unsent", "relay:lag"),
        (found, "relink_outbox_oldest_seconds", "outbox:oldestUnpublished"),
    ):
        assert answer.json()["checks"][check][0]["observedValue"] == value(where, name), name
    checks = answer.json()["checks"]
    lags = [number for (name, labels), number in found.items() if name == "relink_listener_lag"]
    assert checks["projections:lag"][0]["observedValue"] == sum(lags) == 0
    assert value(found, "relink_parked_keys", listener="projections") == checks["parked:keys"][0]["observedValue"] == 1
    assert value(found, "relink_parked_events", listener="projections") == 2
    assert checks["parked:events"][0]["observedValue"] == 2
    assert checks["projections:retries"][0]["status"] == checks["relay:retries"][0]["status"] == "pass"
    assert value(found, "relink_failures_in_a_row", part="relay") == 0
    assert (answer.status_code, answer.json()["status"]) == (200, "warn")


async def test_a_part_that_waits_for_its_database_is_seen_to_fail(postgres: EmbeddedPostgres) -> None:
    async with probed(postgres, database_url=SecretStr(NOBODY)) as (probe, _, http):
        working = asyncio.create_task(probe.service.worker(probe.runtime).run())
        try:

            async def failing_again() -> bool:
                return probe.runtime.metrics.failing.get("relay", 0) >= 2

            await until(failing_again)
            found = read((await http.get("/referral/metrics")).text)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
    assert value(found, "relink_failures_in_a_row", part="relay") >= 2
    assert value(found, "relink_back_offs_total", part="relay") >= 2


async def test_a_database_that_is_away_fails_and_the_rest_is_said(postgres: EmbeddedPostgres) -> None:
    async with probed(postgres, database_url=SecretStr(NOBODY)) as (_, issuer, http):
        answer = await http.get("/referral/health", headers=issuer.headers("ops", "ops:health"))
        found = read((await http.get("/referral/metrics")).text)
    assert answer.status_code == 503
    checks = answer.json()["checks"]
    assert checks["database:connection"][0]["status"] == "fail"
    assert checks["projections:lag"][0]["status"] == "pass"
    assert (value(found, "relink_database_up"), value(found, "relink_bus_up")) == (0, 1)
    assert not any(name == "relink_outbox_unsent" for name, _ in found)


@pytest.mark.parametrize("bus", ["postgresql", "kafka"])
async def test_a_bus_that_never_answers_holds_nobody_up(postgres: EmbeddedPostgres, bus: str) -> None:
    """Without a limit of our own, the client of the bus would wait a minute for its connection."""

    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    deaf = await asyncio.start_server(silence, "127.0.0.1", 0)
    port = deaf.sockets[0].getsockname()[1]
    addresses: dict[str, dict[str, object]] = {
        "postgresql": {"bus_url": SecretStr(f"postgresql://none@127.0.0.1:{port}/none")},
        "kafka": {"kafka": f"127.0.0.1:{port}"},
    }
    async with probed(postgres, bus=bus, **addresses[bus]) as (_, issuer, http):
        began = time.monotonic()
        answer = await http.get("/referral/health", headers=issuer.headers("ops", "ops:health"))
        took = time.monotonic() - began
    deaf.close()
    assert answer.status_code == 503
    assert answer.json()["checks"]["bus:connection"][0]["status"] == "fail"
    assert answer.json()["checks"]["outbox:oldestUnpublished"][0]["status"] == "pass"
    assert took < 30


async def test_a_worker_answers_on_a_port_of_its_own(probe: Probe) -> None:
    runtime = probe.service.runtime(probe.settings.model_copy(update={"metrics_port": 0}))
    async with httpx.AsyncClient(timeout=60) as http:

        async def lives() -> bool:
            try:
                return bool((await http.get(f"{address}/livez")).json() == {"status": "pass"})
            except httpx.TransportError:
                return False

        async with seen_from_outside(runtime) as port:
            address = f"http://127.0.0.1:{port}"
            await until(lives)
            assert value(read((await http.get(f"{address}/metrics")).text), "relink_database_up") == 1
            assert (await http.get(f"{address}/health")).json()["checks"]["outbox:oldestUnpublished"]
        assert not await lives()
    await runtime.close()


async def test_the_port_of_a_worker_offers_nothing_else(probe: Probe) -> None:
    async with asking(application(probe.runtime)) as http:
        assert (await http.get("/referral/v1/things")).status_code == 404
