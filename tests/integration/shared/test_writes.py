"""What a transaction gathers is written in one statement before it commits, and as it was said last."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from shared import clock, writes
from shared.actor import Actor
from shared.db import idempotency_keys, timers
from shared.errors import IdempotencyKeyInUse
from shared.http import idempotency
from shared.ids import new_id
from tests.support.databases import Probe

MONDAY = datetime(2026, 1, 5, 9, 30, 0, 123456, tzinfo=UTC)


def a_timer(aggregate_id: UUID, due_at: datetime = MONDAY, attempts: int = 0) -> dict[str, Any]:
    return {"kind": "decision", "aggregate_id": aggregate_id, "due_at": due_at, "attempts": attempts}


async def stored(probe: Probe) -> list[dict[str, Any]]:
    async with probe.runtime.sessions() as session:
        return [dict(row) for row in (await session.execute(select(timers))).mappings()]


async def test_of_several_changes_of_one_row_the_last_is_done(probe: Probe) -> None:
    moved, cleared, set_again = new_id(), new_id(), new_id()
    async with probe.runtime.sessions() as session:
        writes.upsert(session, timers, a_timer(moved))
        writes.upsert(session, timers, a_timer(moved, MONDAY + timedelta(days=1)))
        writes.upsert(session, timers, a_timer(cleared))
        writes.delete(session, timers, {"kind": "decision", "aggregate_id": cleared})
        writes.delete(session, timers, {"kind": "decision", "aggregate_id": set_again})
        writes.upsert(session, timers, a_timer(set_again))
        await session.commit()
    found = {row["aggregate_id"]: row["due_at"] for row in await stored(probe)}
    assert found == {moved: MONDAY + timedelta(days=1), set_again: MONDAY}


async def test_a_row_that_is_there_is_replaced_or_deleted_only_where_the_condition_holds(probe: Probe) -> None:
    kept, replaced, deleted = new_id(), new_id(), new_id()
    async with probe.runtime.sessions() as session:
        for aggregate_id, attempts in ((kept, 9), (replaced, 0), (deleted, 0)):
            writes.insert(session, timers, a_timer(aggregate_id, attempts=attempts))
        await session.commit()
    async with probe.runtime.sessions() as session:
        for aggregate_id in (kept, replaced):
            writes.upsert(session, timers, a_timer(aggregate_id, attempts=1), only="timers.attempts = 0")
        key = {"kind": "decision", "aggregate_id": deleted}
        writes.delete(session, timers, key, only="timers.attempts = 0")
        await session.commit()
    assert {row["aggregate_id"]: row["attempts"] for row in await stored(probe)} == {kept: 9, replaced: 1}


async def test_what_is_rolled_back_or_never_committed_is_not_written(probe: Probe) -> None:
    async with probe.runtime.sessions() as session:
        writes.insert(session, timers, a_timer(new_id()))
        await session.rollback()
        await session.commit()
    async with probe.runtime.sessions() as session:
        writes.insert(session, timers, a_timer(new_id()))
    async with probe.runtime.sessions() as session:
        savepoint = await session.begin_nested()
        writes.insert(session, timers, a_timer(new_id()))
        await savepoint.rollback()
        await session.commit()
    assert await stored(probe) == []


async def test_a_savepoint_that_is_released_keeps_what_was_gathered_in_it(probe: Probe) -> None:
    before, inside = new_id(), new_id()
    async with probe.runtime.sessions() as session:
        writes.insert(session, timers, a_timer(before))
        async with session.begin_nested():
            writes.insert(session, timers, a_timer(inside))
        await session.commit()
    assert {row["aggregate_id"] for row in await stored(probe)} == {before, inside}


async def test_a_flush_writes_what_was_gathered_until_then(probe: Probe) -> None:
    async with probe.runtime.sessions() as session:
        writes.insert(session, timers, a_timer(new_id()))
        await session.flush()
        assert len(list(await session.execute(select(timers)))) == 1
        assert not writes.are_waiting(session)


def an_answer(**changes: Any) -> dict[str, Any]:
    return {
        "org_id": new_id(),
        "client_id": 'o\'neill \\ "quoted" :colon',
        "route": "/ü/漢字/{id}",
        "key": "k",
        "request_hash": bytes(range(256)),
        "status": 201,
        "headers": {"etag": '"1"', "nested": {"none": None, "list": [1, "zwei"]}},
        "body": b'{"text":"\\u00fc \xc3\xbc \\\\ \\n"}',
        "case_id": None,
        "kept_at": MONDAY,
    } | changes


async def test_texts_bytes_documents_and_nothing_come_back_as_they_were(probe: Probe) -> None:
    answers = [an_answer(), an_answer(case_id=new_id(), headers={}, body=b"", key="other")]
    async with probe.runtime.sessions() as session:
        for answer in answers:
            writes.insert(session, idempotency_keys, answer)
        await session.commit()
    async with probe.runtime.sessions() as session:
        rows = await session.execute(select(idempotency_keys).order_by(idempotency_keys.c.key))
        assert [dict(row) for row in rows.mappings()] == answers


async def test_of_two_who_use_a_key_at_once_the_slower_is_told_and_nothing_of_it_is_written(probe: Probe) -> None:
    actor = Actor("counsellor", "be-return", new_id(), frozenset())
    claim = idempotency.Claim(actor.org_id, actor.client_id, "/things", "k", b"hash")
    async with probe.runtime.sessions() as slower:
        assert await idempotency.kept_answer(slower, claim) is None
        # As if the faster one had kept its answer after the slower one looked, and before that held the key.
        row = an_answer(org_id=claim.org_id, client_id=claim.client_id, route=claim.route, key=claim.key)
        async with probe.runtime.sessions() as faster:
            writes.insert(faster, idempotency_keys, row)
            await faster.commit()
        writes.upsert(slower, timers, a_timer(new_id()))
        writes.insert(slower, idempotency_keys, row | {"kept_at": clock.now()})
        with pytest.raises(IdempotencyKeyInUse), idempotency.first_use():
            await slower.commit()
    assert await stored(probe) == []
