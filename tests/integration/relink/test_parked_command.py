"""`relink parked` on a service's own database, and a worker that the brake or foreign tables keep from starting."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from relink.embedded import EmbeddedPostgres
from services.monitoring.app import service
from shared import clock
from shared.bus import brake, parking
from shared.bus.envelope import to_message
from shared.bus.interface import Message
from shared.events.registry import OrganizationChanged
from shared.http.auth import Trust
from shared.ids import new_id
from shared.runtime import Runtime
from shared.settings import Settings
from tests.support.command import let_environment_be, migrated, relink
from tests.support.processes import running

UNREADABLE = Message("relink.registry", b"key \x1b[2J", b"not json", offset=7)
"""Its key would clear the screen."""


@pytest.fixture
async def settings(postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> Settings:
    made = await migrated(postgres, service)
    let_environment_be(monkeypatch, made)
    return made


@pytest.fixture
async def runtime(settings: Settings) -> AsyncIterator[Runtime]:
    opened = service.runtime(settings, Trust(settings.origin, []))
    yield opened
    await opened.close()


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    yield connection
    await connection.close()


async def park(runtime: Runtime, *messages: Message, event_id: UUID | None = None) -> None:
    """As the listener does after its last attempt."""
    async with runtime.sessions() as session:
        for message in messages:
            await parking.park(session, "projections", message, event_id, LookupError(), 4)
        await session.commit()


def organization(organization_id: UUID, event_id: UUID) -> Message:
    event = OrganizationChanged(version=1, organization_id=organization_id, name="Desk", kind="ngo", country="NG")
    return to_message(
        "relink.registry", event_id=event_id, type_name=event.type_name(), subject=event.subject,
        key=event.partition_key, version=1, occurred_at=clock.now(), traceparent=None, data=event.model_dump_json(),
    )  # fmt: skip


async def test_parked_keys_are_listed_redriven_and_discarded(runtime: Runtime, database: asyncpg.Connection) -> None:
    organization_id, event_id = new_id(), new_id()
    await park(runtime, organization(organization_id, event_id), event_id=event_id)
    await park(runtime, UNREADABLE)

    code, said = await relink("parked", "list", "monitoring")
    heading, first, second = said.splitlines()
    assert code == 0
    assert heading.split() == ["number", "listener", "key", "events", "since", "attempts", "error", "types"]
    assert first.split()[:4] == ["1", "projections", str(organization_id), "1"]
    assert first.endswith("LookupError  relink.registry.OrganizationChanged")
    assert "'key \\x1b[2J'" in second
    assert "Desk" not in said

    code, said = await relink("parked", "redrive", "monitoring", "--all")
    assert code == 1
    assert said.splitlines()[0] == "1: 1 applied, 0 left"
    assert said.splitlines()[1].startswith("2: 0 applied, 1 left, stopped by NotACloudEvent at ")
    assert await database.fetchval("SELECT name FROM known_organizations") == "Desk"

    code, said = await relink("parked", "discard", "monitoring", "2", "--reason", "nobody of ours", "--by", "night")
    assert (code, said) == (0, "2: 1 discarded, 0 left\n")
    kept = await database.fetchrow('SELECT discarded_by, reason, org_id, "offset" FROM discarded_events')
    assert kept is not None
    assert tuple(kept) == ("night", "nobody of ours", None, 7)
    assert await relink("parked", "list", "monitoring") == (0, "Nothing is parked.\n")
    assert await relink("parked", "redrive", "monitoring", "--all") == (0, "")


async def test_what_cannot_be_done_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = "Nothing is parked under the number 9: see `relink parked list`\n"
    assert await relink("parked", "redrive", "monitoring", "9") == (1, nothing)
    assert await relink("parked", "discard", "monitoring", "9", "--reason", "x") == (1, nothing)
    assert (await relink("parked", "discard", "monitoring", "9", "--reason", " "))[0] == 2
    assert (await relink("parked", "redrive", "monitoring"))[0] == 2
    code, said = await relink("parked", "list", "nobody")
    assert (code, said) == (1, "There is no such service; there are registry, eligibility, referral, monitoring\n")
    monkeypatch.setenv("RELINK_MONITORING_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    code, said = await relink("parked", "list", "monitoring")
    assert (code, said) == (1, "The database does not answer (ConnectionRefusedError): see `relink doctor`\n")


async def test_a_worker_that_a_supervisor_starts_again_ends_while_the_brake_is_on(
    settings: Settings, runtime: Runtime, tmp_path: Path
) -> None:
    enough = brake.LIMITS[-1].keys  # for the limit of an hour: no machine takes that long to start a worker
    bad = [Message("relink.registry", str(new_id()).encode(), b"{}", offset=number) for number in range(enough)]
    await park(runtime, *bad)
    with running("-m", "services.monitoring", "worker", log=tmp_path / "log", **settings.environment()) as worker:
        assert worker.wait() == 1
    assert "monitoring.projections: stopped, " in worker.output
    assert "Traceback" not in worker.output
    assert (await relink("parked", "list", "monitoring"))[1].startswith("monitoring.projections is stopped: ")


async def test_a_worker_does_not_touch_a_database_that_is_ahead_of_its_code(
    settings: Settings, database: asyncpg.Connection, tmp_path: Path
) -> None:
    await database.execute("UPDATE alembic_version SET version_num = '9999'")
    with running("-m", "services.monitoring", "worker", log=tmp_path / "log", **settings.environment()) as worker:
        assert worker.wait() == 1
    assert "monitoring: not started, the database is ahead: start the code that migrated it" in worker.output
    assert "Traceback" not in worker.output
