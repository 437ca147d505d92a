"""Timers run once, and keys of cases open only what was sealed with them."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from relink.embedded import EmbeddedPostgres
from shared import clock, timers
from shared.crypto import CaseKeys, KeyDestroyed
from shared.db import engine_for, keys_metadata
from shared.db import timers as table
from shared.ids import new_id
from shared.timers import Timer
from tests.support.databases import new_database, probe_service, start_probe

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


async def test_a_timer_runs_when_its_time_has_come_and_only_once(postgres: EmbeddedPostgres) -> None:
    service = probe_service()
    ran: list[Timer] = []

    @service.timers.on("decision")
    async def _(_: AsyncSession, timer: Timer) -> None:
        ran.append(timer)

    probe = await start_probe(postgres, service)
    worker = service.worker(probe.runtime)
    clock.move_to(START)
    aggregate_id = new_id()
    async with probe.runtime.sessions() as session:
        await timers.set(session, "decision", aggregate_id, START + timedelta(days=1))
        await timers.set(session, "decision", aggregate_id, START + timedelta(days=3))  # moved, not doubled
        await timers.set(session, "decision", new_id(), START + timedelta(days=9))
        await session.commit()
    clock.move_to(START + timedelta(days=2))
    assert await worker.run_due_timers() == 0
    clock.move_to(START + timedelta(days=4))
    assert await worker.run_due_timers() == 1
    assert await worker.run_due_timers() == 0
    assert [timer.aggregate_id for timer in ran] == [aggregate_id]
    await probe.runtime.close()


async def test_a_timer_that_was_cleared_meanwhile_has_no_effect(postgres: EmbeddedPostgres) -> None:
    service = probe_service()
    aggregate_id, other = new_id(), new_id()

    @service.timers.on("decision")
    async def _(session: AsyncSession, timer: Timer) -> None:
        async with probe.runtime.sessions() as elsewhere:  # an action that answers just now
            await timers.clear(elsewhere, aggregate_id)
            await elsewhere.commit()
        await timers.set(session, "effect", other, clock.now())

    probe = await start_probe(postgres, service)
    async with probe.runtime.sessions() as session:
        await timers.set(session, "decision", aggregate_id, clock.now() - timedelta(seconds=1))
        await session.commit()
    await service.worker(probe.runtime).run_due_timers()
    async with probe.runtime.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(table)) == 0
    await probe.runtime.close()


async def test_a_timer_that_fails_is_tried_later_and_holds_up_no_other(postgres: EmbeddedPostgres) -> None:
    service = probe_service()
    ran: list[str] = []

    @service.timers.on("bad")
    async def _(_: AsyncSession, timer: Timer) -> None:
        raise LookupError

    @service.timers.on("good")
    async def _(_: AsyncSession, timer: Timer) -> None:
        ran.append(timer.kind)

    probe = await start_probe(postgres, service)
    async with probe.runtime.sessions() as session:
        for kind in ("bad", "good"):
            await timers.set(session, kind, new_id(), clock.now() - timedelta(seconds=1))
        await session.commit()
    await service.worker(probe.runtime).run_due_timers()
    assert ran == ["good"]
    async with probe.runtime.sessions() as session:
        row = (await session.execute(select(table))).one()
    assert (row.kind, row.attempts) == ("bad", 1)
    await probe.runtime.close()


async def test_a_destroyed_key_opens_nothing_and_is_not_made_again(postgres: EmbeddedPostgres) -> None:
    engine = engine_for(await new_database(postgres, "keys"), 2)
    async with engine.begin() as connection:
        await connection.run_sync(keys_metadata.create_all)
    keys = CaseKeys(engine, bytes(range(32)))
    case_id, other_id = new_id(), new_id()
    cipher = await keys.create(case_id)
    sealed = cipher.seal({"name": "Invented Person"}, "cases.identity")
    assert b"Invented" not in sealed
    assert (await keys.cipher(case_id)).open(sealed, "cases.identity") == {"name": "Invented Person"}
    assert sealed != cipher.seal({"name": "Invented Person"}, "cases.identity")
    with pytest.raises(InvalidTag):
        cipher.open(sealed, "cases.reference")
    with pytest.raises(InvalidTag):
        (await keys.create(other_id)).open(sealed, "cases.identity")
    with pytest.raises(InvalidTag):
        await CaseKeys(engine, bytes(32)).cipher(case_id)
    await keys.destroy(case_id)
    for attempt in (keys.cipher, keys.create):
        with pytest.raises(KeyDestroyed):
            await attempt(case_id)
    assert keys.blind("REF-1", "reference") == keys.blind("REF-1", "reference") != keys.blind("REF-1", "name")
    await engine.dispose()
