"""Shadow tables: copies of a projection's tables in a schema of their own, filled there and then put in their place.

Whoever reads goes on with the old tables until the moment of the exchange and finds the new ones after it, under the
same names and with the same keys, indexes, rights and settings: prepared statements survive it. A process that dies
before the exchange has changed nothing; what it leaves in the schema goes when the next one begins.
"""

from collections.abc import Sequence

import asyncpg

SCHEMA = "rebuild"
WRITERS_GO_SECONDS = 5
READERS_GO_MILLISECONDS = 800
"""Less than a second, after which PostgreSQL looks for deadlocks: of two who wait for each other, it is us who yield,
never a request that reads these tables in another order."""
IN_USE = (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)

DROP = f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"
NOT_CARRIED_OVER = """
SELECT c.relname || ' has ' || what FROM pg_class c CROSS JOIN LATERAL (
    SELECT 'a trigger' AS what FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal
    UNION ALL SELECT 'a foreign key' FROM pg_constraint WHERE contype = 'f' AND c.oid IN (conrelid, confrelid)
    UNION ALL SELECT 'a view on it' FROM pg_depend WHERE refobjid = c.oid AND classid = 'pg_rewrite'::regclass
    UNION ALL SELECT 'rights on single columns' FROM pg_attribute WHERE attrelid = c.oid AND attacl IS NOT NULL
    UNION ALL SELECT 'row security' WHERE c.relrowsecurity
    UNION ALL SELECT 'a publication' FROM pg_publication_rel WHERE prrelid = c.oid) found
WHERE c.oid = ANY($1::text[]::regclass[]) ORDER BY 1 LIMIT 1
"""
SAME_TABLE = (
    "SELECT format('CREATE TABLE %I.%I (LIKE %s INCLUDING ALL EXCLUDING INDEXES)', $2::text, relname, oid::regclass)"
    " FROM pg_class WHERE oid = ANY($1::text[]::regclass[])",
    "SELECT format('ALTER TABLE %I.%I SET (%s)', $2::text, relname, array_to_string(reloptions, ', '))"
    " FROM pg_class WHERE oid = ANY($1::text[]::regclass[]) AND reloptions IS NOT NULL",
    "SELECT format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', $2::text, relname, conname, pg_get_constraintdef(k.oid))"
    " FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x')"
    " WHERE c.oid = ANY($1::text[]::regclass[])",
)
"""Statements that make the tables with their settings, and the keys that handlers rely on."""
SAME_REST = (
    "SELECT replace(pg_get_indexdef(indexrelid), format(' ON %I.%I ', nspname, relname),"
    "               format(' ON %I.%I ', $2::text, relname))"
    " FROM pg_index JOIN pg_class c ON c.oid = indrelid JOIN pg_namespace n ON n.oid = relnamespace"
    " WHERE c.oid = ANY($1::text[]::regclass[]) AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)",
    "SELECT format('GRANT %s ON %I.%I TO %s%s', privilege_type, $2::text, relname,"
    "              CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,"
    "              CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)"
    " FROM pg_class c, aclexplode(relacl) WHERE c.oid = ANY($1::text[]::regclass[]) AND grantee <> relowner",
    "SELECT format('ANALYZE %I.%I', $2::text, relname) FROM pg_class WHERE oid = ANY($1::text[]::regclass[])",
)
"""Indexes, which are made faster of a full table; the rights of others; what the planner must know from the start."""


class CannotBeExchanged(Exception):
    """A table has something that its copy would not have."""


async def make(connection: asyncpg.Connection, tables: Sequence[str]) -> None:
    """Empty copies of `tables` with their keys stand in the schema, whatever stood there before."""
    if reason := await connection.fetchval(NOT_CARRIED_OVER, tables):
        raise CannotBeExchanged(f"{reason}, which would be lost")
    async with connection.transaction():
        await connection.execute(DROP)
        await connection.execute(f"CREATE SCHEMA {SCHEMA}")
        await _run(connection, SAME_TABLE, tables)


async def complete(connection: asyncpg.Connection, tables: Sequence[str]) -> None:
    """The copies have everything that the tables have."""
    await _run(connection, SAME_REST, tables)


async def drop(connection: asyncpg.Connection) -> None:
    """Nothing of the schema is left."""
    await connection.execute(DROP)


async def keep_writers_out(connection: asyncpg.Connection, tables: Sequence[str]) -> None:
    """Until the transaction ends nobody else writes to the tables; everybody reads. Raises one of IN_USE."""
    await _lock(connection, tables, "SHARE ROW EXCLUSIVE", f"{WRITERS_GO_SECONDS}s")


async def exchange(connection: asyncpg.Connection, tables: Sequence[str]) -> None:
    """When the transaction commits the copies stand in the tables' places. Raises one of IN_USE."""
    await _lock(connection, tables, "ACCESS EXCLUSIVE", f"{READERS_GO_MILLISECONDS}ms")
    home = await connection.fetchval("SELECT quote_ident(current_schema())")
    for table in tables:
        await connection.execute(f"DROP TABLE {home}.{table}")
        await connection.execute(f"ALTER TABLE {SCHEMA}.{table} SET SCHEMA {home}")


async def _lock(connection: asyncpg.Connection, tables: Sequence[str], mode: str, patience: str) -> None:
    await connection.execute(f"SET LOCAL statement_timeout = '{patience}'")
    await connection.execute(f"LOCK TABLE {', '.join(tables)} IN {mode} MODE")
    await connection.execute("SET LOCAL statement_timeout = 0")


async def _run(connection: asyncpg.Connection, statements: Sequence[str], tables: Sequence[str]) -> None:
    for statement in statements:
        for row in await connection.fetch(statement, tables, SCHEMA):
            await connection.execute(row[0])
