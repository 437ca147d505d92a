"""Migrations: one way for every service. Each keeps its revisions in `services/<service>/migrations`."""

import enum
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.db import NOTIFY_TRIGGERS

HERE = Path(__file__).parent


def _config(service: str, **attributes: Any) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("version_locations", str(HERE.parent.parent / "services" / service / "migrations"))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(attributes)
    return config


@cache
def head_of(service: str) -> str | None:
    """The newest revision the code knows."""
    return ScriptDirectory.from_config(_config(service)).get_current_head()


async def version_in(connection: AsyncConnection) -> str | None:
    """The revision the database is at."""
    return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


class State(enum.StrEnum):
    """How a database stands to the code."""

    EMPTY = "empty"
    BEHIND = "behind"
    AT_HEAD = "at head"
    AHEAD = "ahead"


REMEDIES = {
    State.EMPTY: "run migrate",
    State.BEHIND: "run migrate",
    State.AHEAD: "start the code that migrated it",
}


async def state_in(connection: AsyncConnection, service: str) -> State:
    """A revision that the code does not know was made by newer code: the database is ahead."""
    version = await version_in(connection)
    if version is None:
        return State.EMPTY
    if version == head_of(service):
        return State.AT_HEAD
    known = {each.revision for each in ScriptDirectory.from_config(_config(service)).walk_revisions()}
    return State.BEHIND if version in known else State.AHEAD


async def upgrade(service: str, engine: AsyncEngine, metadata: MetaData) -> None:
    """Bring the database to the newest revision; nothing happens when it is there."""
    async with engine.begin() as connection:
        if await version_in(connection) == head_of(service):
            return

        def run(sync: Connection) -> None:
            command.upgrade(_config(service, connection=sync, metadata=metadata), "heads")

        await connection.run_sync(run)


async def revise(service: str, engine: AsyncEngine, metadata: MetaData, message: str) -> None:
    """Write a new revision with what distinguishes the models from a database that is at head."""
    async with engine.begin() as connection:

        def run(sync: Connection) -> None:
            config = _config(service, connection=sync, metadata=metadata)
            number = f"{len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1:04}"
            command.revision(config, message, autogenerate=True, rev_id=number)

        await connection.run_sync(run)


async def differences(engine: AsyncEngine, metadata: MetaData) -> list[Any]:
    """What the models have and the database has not, or the other way round; empty when they agree."""
    async with engine.connect() as connection:
        return await connection.run_sync(
            lambda sync: list(compare_metadata(MigrationContext.configure(sync, opts={"compare_type": True}), metadata))
        )


def announce_inserts() -> list[str]:
    """The statements that let inserts into the plumbing tables wake whoever listens, for a first revision."""
    statements = []
    for table, channel in NOTIFY_TRIGGERS.items():
        statements += [
            f"CREATE FUNCTION announce_{table}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN PERFORM pg_notify('{channel}', ''); RETURN NULL; END $$",
            f"CREATE TRIGGER announced AFTER INSERT OR UPDATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION announce_{table}()"
            if table == "timers"
            else f"CREATE TRIGGER announced AFTER INSERT ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION announce_{table}()",
        ]
    return statements
