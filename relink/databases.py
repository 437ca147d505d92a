"""Roles and databases of all services on the embedded PostgreSQL: one of each per service, closed to the others."""

import asyncpg
from pydantic import SecretStr

from relink.data_folder import Keyring
from relink.embedded import EmbeddedPostgres
from relink.services import SERVICES
from shared.bus import postgres as bus
from shared.service import Service
from shared.settings import Settings

BUS = "relink_bus"


def role_of(service: Service) -> str:
    """The name of a service's role and of its database."""
    return f"relink_{service.name}"


def keys_of(service: Service) -> str:
    """The name of the database that holds the keys of the service's cases."""
    return f"{role_of(service)}_keys"


async def prepare(server: EmbeddedPostgres, keyring: Keyring, origin: str) -> dict[str, Settings]:
    """What is missing has been made; the answer is the settings of each service, by its name.

    Only its own role connects to a service's databases; the bus belongs to a role of its own, and every service's role
    may write messages to it and read them, and no more.
    """
    guests = [role_of(service) for service in SERVICES]
    owners = {BUS: BUS} | {role: role for role in guests}
    owners |= {keys_of(service): role_of(service) for service in SERVICES if service.keeps_keys}
    connection = await asyncpg.connect(server.url())
    try:
        await _make_roles(connection, keyring, set(owners.values()))
        await _make_databases(connection, owners)
        await connection.execute(f"GRANT CONNECT ON DATABASE {BUS} TO {', '.join(guests)}")
    finally:
        await connection.close()
    await _prepare_bus(server.url(BUS, BUS, keyring.password(BUS)), guests)
    return {service.name: _settings(server, keyring, service, origin) for service in SERVICES}


async def _make_roles(connection: asyncpg.Connection, keyring: Keyring, wanted: set[str]) -> None:
    there = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    for role in sorted(wanted - there):
        # Neither can be a parameter of the statement; both are ours, and a password is URL-safe base64.
        await connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{keyring.password(role)}'")


async def _make_databases(connection: asyncpg.Connection, owners: dict[str, str]) -> None:
    there = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
    for database, owner in owners.items():
        if database not in there:
            await connection.execute(f"CREATE DATABASE {database} OWNER {owner}")
    # Done at every start: a start that was interrupted between the two must leave no door open.
    for database in (*owners, "postgres"):
        await connection.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")


async def _prepare_bus(url: str, guests: list[str]) -> None:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute(bus.SCHEMA)
            for role in guests:
                await connection.execute(bus.GRANTS.format(role=role))
    finally:
        await connection.close()


def _settings(server: EmbeddedPostgres, keyring: Keyring, service: Service, origin: str) -> Settings:
    role = role_of(service)
    password = keyring.password(role)
    keeps_keys = service.keeps_keys
    return Settings(
        service=service.name,
        origin=origin,
        issuers=None,  # local mode trusts its own issuer and nobody else
        database_url=SecretStr(server.url(role, role, password)),
        bus_url=SecretStr(server.url(BUS, role, password)),
        keys_url=SecretStr(server.url(keys_of(service), role, password)) if keeps_keys else None,
        key_encryption_key=SecretStr(keyring.key(role)) if keeps_keys else None,
    )
