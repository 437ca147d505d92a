"""A projection is filled anew from the bus while the service goes on, and is the same afterwards."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import func, select

from relink.embedded import EmbeddedPostgres
from services.monitoring.app import service
from shared import migrations, shadow
from shared.bus import claiming, discards, parked, parking
from shared.bus.interface import Message
from shared.db import parked_events
from shared.ids import new_id
from shared.rebuild import CannotRebuild, Rebuilt, projection_of, rebuild
from tests.integration.monitoring.events import PROVIDER, case, delivered_and_confirmed, organization
from tests.integration.monitoring.events import service as published
from tests.support.living import Living, living, settings_of
from tests.support.processes import running

TIMELINE = ("timeline_entries", "timeline_participants", "timeline_referrals")
KNOWN = ("known_case_states", "known_organizations", "known_services")
TABLES = {"timeline": TIMELINE, "known": KNOWN}


@pytest.fixture
async def monitoring(postgres: EmbeddedPostgres) -> AsyncIterator[Living]:
    async with living(service, await settings_of(postgres, "monitoring")) as alive:
        yield alive


@pytest.fixture(params=["postgresql", "kafka"])
async def on_either_bus(request: pytest.FixtureRequest, postgres: EmbeddedPostgres) -> AsyncIterator[Living]:
    kafka = request.getfixturevalue("kafka") if request.param == "kafka" else None
    async with living(service, await settings_of(postgres, "monitoring", kafka)) as alive:
        yield alive


def history(referrals: int) -> list[Message]:
    """So many referrals of which each is told from its sending to the acknowledged outcome, and what they refer to."""
    said = [organization(PROVIDER, "Provider", version) for version in (1, 2)]
    for _ in range(referrals):
        journey = delivered_and_confirmed()
        said += [case(journey.case_id), case(journey.case_id, 2, area=None), published(journey.service_id)]
        said += journey.said
    return [each.message() for each in said]


async def again(monitoring: Living, noun: str) -> Rebuilt:
    return await rebuild(projection_of(service, noun), monitoring.runtime)


async def shadows(monitoring: Living) -> int:
    connection = await asyncpg.connect(monitoring.url)
    found: int = await connection.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname = $1", shadow.SCHEMA)
    await connection.close()
    return found


async def test_a_rebuilt_projection_is_the_one_that_listening_makes(on_either_bus: Living) -> None:
    monitoring = on_either_bus
    messages = history(30)
    await monitoring.send(*messages, *messages[::-1][:20])  # some of them twice, and late
    await monitoring.hear_all()
    heard = await monitoring.rows(*TIMELINE, *KNOWN)
    assert {row[0] for row in heard} == {*TIMELINE, *KNOWN}
    for noun, tables in TABLES.items():
        await monitoring.execute(f"TRUNCATE {', '.join(tables)}")
        done = await again(monitoring, noun)
        assert done.left_out == 0
        assert done.read >= 30 * 7
    assert await monitoring.rows(*TIMELINE, *KNOWN) == heard
    assert await migrations.differences(monitoring.runtime.engine, service.base.metadata) == []
    assert not await shadows(monitoring)


async def test_the_service_answers_and_listens_while_its_timeline_is_rebuilt(
    on_either_bus: Living, postgres: EmbeddedPostgres
) -> None:
    monitoring = on_either_bus
    first = delivered_and_confirmed()
    said = [*history(100), *[each.message() for each in first.said]]
    await monitoring.send(*said)
    stop = asyncio.Event()
    answers: set[tuple[int, int]] = set()

    async def ask() -> None:
        while not stop.is_set():
            answer = await monitoring.get("be-return", f"/referrals/{first.referral_id}")
            answers.add((answer.status_code, len(answer.json().get("timeline", []))))

    async def talk() -> None:
        while not stop.is_set():
            said.extend(more := history(1))
            await monitoring.send(*more)

    async with monitoring.working():
        await monitoring.until_heard()
        others = [asyncio.create_task(ask()), asyncio.create_task(talk())]
        for _ in range(3):  # what is prepared on their connections has seen several tables by then
            await again(monitoring, "timeline")
        stop.set()
        await asyncio.gather(*others)
        await monitoring.send(*(more := history(1)))
        said.extend(more)
        await monitoring.until_heard()
    assert answers == {(200, len(first.said))}
    async with living(service, await settings_of(postgres, "monitoring")) as other:
        await other.service.worker(other.runtime).consumers["projections"].consume(said)
        assert await monitoring.rows(*TIMELINE) == await other.rows(*TIMELINE)


@contextlib.asynccontextmanager
async def held(monitoring: Living) -> AsyncIterator[asyncpg.Connection]:
    """Somebody reads the timeline in a transaction that does not end."""
    connection = await asyncpg.connect(monitoring.url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT * FROM timeline_entries")
            yield connection
    finally:
        await connection.close()


async def test_a_killed_rebuild_changes_nothing_and_two_do_not_run_at_once(monitoring: Living, tmp_path: Path) -> None:
    await monitoring.send(*history(20))
    await monitoring.hear_all()
    await monitoring.execute("DELETE FROM timeline_participants")  # so that one sees whether it was rebuilt
    before = await monitoring.rows(*TIMELINE)
    environment = {
        "RELINK_MONITORING_DATABASE_URL": monitoring.url,
        "RELINK_MONITORING_BUS_URL": monitoring.runtime.settings.bus_url.get_secret_value(),
    }
    words = ("-m", "relink", "rebuild", "monitoring", "timeline")
    async with held(monitoring):
        with running(*words, log=tmp_path / "output", **environment) as process:
            await asyncio.to_thread(process.wait_for_words, "in use, trying again")
            with pytest.raises(CannotRebuild, match="another rebuild is running"):
                await again(monitoring, "known")
            process.stop(signal.SIGKILL)
        assert await monitoring.rows(*TIMELINE) == before
        assert await shadows(monitoring)
    await again(monitoring, "timeline")
    assert len(await monitoring.rows(*TIMELINE)) > len(before)
    assert not await shadows(monitoring)


async def test_writers_go_on_when_readers_do_not_let_the_tables_go(
    monitoring: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.rebuild.PATIENCE_SECONDS", 0)
    await monitoring.send(*history(1))
    async with held(monitoring) as connection:
        with pytest.raises(CannotRebuild, match="look for a transaction that does not end"):
            await again(monitoring, "timeline")
        await connection.execute("DELETE FROM timeline_entries")
    await monitoring.hear_all()
    assert await monitoring.rows(*TIMELINE)


async def park(monitoring: Living, *messages: Message) -> None:
    """The projections could not apply these."""
    async with monitoring.runtime.sessions() as session:
        for message in messages:
            event_id = dict(message.headers)["ce_id"]
            assert event_id is not None
            await parking.park(session, "projections", message, None, ValueError(), 4)
            await claiming.enter(session, "projections", UUID(event_id.decode()))
        await session.commit()


async def on_the_bus(monitoring: Living, key: str) -> list[Message]:
    reading = await monitoring.runtime.bus.replay(["relink.referral"])
    try:
        return [message for message in await reading.poll(1000, 1) if message.key == key.encode()]
    finally:
        await reading.close()


async def test_what_is_parked_is_left_out_and_what_is_redriven_meanwhile_is_not(monitoring: Living) -> None:
    one, other = delivered_and_confirmed(), delivered_and_confirmed()
    await monitoring.send(*[each.message() for each in (*one.said, *other.said)])
    await monitoring.hear_all()
    stuck = (await on_the_bus(monitoring, str(one.case_id)))[2:]
    await park(monitoring, *stuck)
    in_use = asyncio.Event()

    def listen(line: str) -> None:
        if "in use" in line:
            in_use.set()

    async with held(monitoring):
        task = asyncio.create_task(rebuild(projection_of(service, "timeline"), monitoring.runtime, listen))
        async with asyncio.timeout(60):
            await in_use.wait()
        await monitoring.execute('DELETE FROM parked_events WHERE "offset" = (SELECT min("offset") FROM parked_events)')
    done = await task
    versions = [row[2] for row in await monitoring.rows("timeline_entries") if row[1] == one.referral_id]
    assert versions == [1, 2, 3]
    assert len(await monitoring.rows("timeline_entries")) == 3 + len(other.said)
    assert (done.read, done.left_out) == (len(one.said) + len(other.said), len(stuck) - 1)
    # What comes later of a parked key is parked behind it, so it must not be in the tables before.
    await monitoring.send(one.acknowledged().said[-1].message())
    assert (await again(monitoring, "timeline")).left_out == len(stuck)
    async with monitoring.runtime.sessions() as session:
        first = await session.scalar(select(func.min(parked_events.c.parked_id)))
        assert first is not None
        key = await parked.find(session, first)
        assert key is not None
        await discards.discard(session, key, discards.Decision("operator", "not worth it"), whole_key=True)
        await session.commit()
    assert (await again(monitoring, "timeline")).left_out == len(stuck) - 1  # what came later is parked no more


async def test_an_event_that_fails_and_is_not_parked_stops_the_rebuild(monitoring: Living) -> None:
    await monitoring.send(*history(1))
    await monitoring.hear_all()
    before = await monitoring.rows(*TIMELINE)
    await monitoring.execute("DELETE FROM inbox")
    await monitoring.send(Message("relink.referral", b"key", b"of a person", []))
    with pytest.raises(CannotRebuild) as refused:
        await again(monitoring, "timeline")
    assert "NotACloudEvent at " in str(refused.value)
    assert "relink.referral, partition 0, offset" in str(refused.value)
    assert "person" not in str(refused.value)
    assert await monitoring.rows(*TIMELINE) == before
    assert not await shadows(monitoring)


async def test_a_table_that_a_copy_cannot_stand_for_is_refused(monitoring: Living) -> None:
    for addition, reason in (
        ("CREATE TABLE more (referral_id uuid REFERENCES timeline_referrals)", "referrals has a foreign key"),
        ("ALTER TABLE timeline_referrals ENABLE ROW LEVEL SECURITY", "referrals has row security"),
        ("CREATE VIEW seen AS SELECT * FROM timeline_participants", "participants has a view on it"),
        ("GRANT SELECT (status) ON timeline_entries TO PUBLIC", "entries has rights on single columns"),
    ):
        await monitoring.execute("DROP TABLE IF EXISTS more", "DROP VIEW IF EXISTS seen", addition)
        with pytest.raises(CannotRebuild, match=reason):
            await again(monitoring, "timeline")
        await monitoring.execute("ALTER TABLE timeline_referrals DISABLE ROW LEVEL SECURITY")


async def test_rights_and_settings_of_the_tables_survive(monitoring: Living) -> None:
    role = f"reader_{new_id().hex}"
    await monitoring.execute(
        f"CREATE ROLE {role}",
        f"GRANT SELECT, INSERT ON timeline_entries TO {role}",
        "ALTER TABLE timeline_entries SET (fillfactor = 70, autovacuum_enabled = false)",
        "CREATE INDEX by_hand ON timeline_entries (status) WHERE reason IS NOT NULL",
    )
    facts = """
        SELECT relacl::text, reloptions::text, (SELECT array_agg(indexdef ORDER BY indexdef)::text FROM pg_indexes
               WHERE tablename = relname AND schemaname = 'public'),
               (SELECT array_agg(conname || pg_get_constraintdef(k.oid) ORDER BY conname)::text FROM pg_constraint k
                WHERE conrelid = c.oid)
        FROM pg_class c WHERE oid = 'timeline_entries'::regclass"""
    connection = await asyncpg.connect(monitoring.url)
    before = await connection.fetchrow(facts)
    await again(monitoring, "timeline")
    assert await connection.fetchrow(facts) == before
    await connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
    await connection.close()
