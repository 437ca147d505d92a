"""The command `relink`, called in this process, with the environment of one service."""

import asyncio

import pytest
from typer.testing import CliRunner

from relink.cli import app
from relink.embedded import EmbeddedPostgres
from shared.service import Service
from shared.settings import Settings
from tests.support.databases import new_bus, new_database


async def relink(*words: str) -> tuple[int, str]:
    """Exit code, and everything said. In a thread: a command brings an event loop of its own."""
    done = await asyncio.to_thread(CliRunner().invoke, app, words)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


async def migrated(server: EmbeddedPostgres, service: Service, **more: object) -> Settings:
    """Settings of the service on databases of its own that are at head."""
    own: dict[str, object] = {"service": service.name, "database_url": await new_database(server, service.name)}
    if "bus" not in more:
        own["bus_url"] = await new_bus(server)
    settings = Settings.model_validate(own | more)
    await service.migrate(settings)
    return settings


def let_environment_be(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
