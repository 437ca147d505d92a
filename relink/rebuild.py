"""`relink rebuild`, and `relink republish` that feeds it, on services configured by the environment."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import typer
import uvloop
from sqlalchemy.exc import DBAPIError

from relink.services import SERVICES
from shared import rebuild as rebuilding
from shared.bus import republish as republishing
from shared.bus.weather import BUS_FAULTS
from shared.garbage import keep_what_is_loaded
from shared.http.auth import Trust
from shared.runtime import Runtime
from shared.service import Service
from shared.settings import Settings

AWAY = (*BUS_FAULTS, DBAPIError)


def rebuild(name: str, noun: str) -> None:
    """Ends the process with 1 and a sentence when it cannot be done; the old tables then stand."""
    service = _service(name)

    async def work(runtime: Runtime) -> None:
        projection = rebuilding.projection_of(service, noun)
        done = await rebuilding.rebuild(projection, runtime, lambda line: typer.echo(f"{noun}: {line}"))
        rate = done.read / done.seconds
        typer.echo(f"{noun}: rebuilt from {done.read:,} events in {done.seconds:.1f} s, {rate:,.0f}/s")
        if done.left_out:
            typer.echo(f"{noun}: left out {done.left_out:,} events that are parked or were discarded")

    _run(service, work)


def republish(name: str, since: str | None, until: str | None) -> None:
    """Ends the process with 1 and a sentence when it cannot be done; running it again doubles nothing."""
    service, begin, end = _service(name), _time(since), _time(until)

    async def work(runtime: Runtime) -> None:
        url = runtime.settings.database_url.get_secret_value()
        sent = await republishing.republish(name, url, runtime.bus, begin, end, typer.echo)
        typer.echo(f"{name}: published {sent:,} events again, for rebuilds")

    _run(service, work)


def _service(name: str) -> Service:
    services = {service.name: service for service in SERVICES}
    if name not in services:
        sys.exit(f"there is no such service; there are {', '.join(services)}")
    return services[name]


def _time(said: str | None) -> datetime | None:
    """A time without a zone is UTC."""
    if said is None:
        return None
    try:
        time = datetime.fromisoformat(said)
    except ValueError:
        sys.exit("a time is written 2026-03-01 or 2026-03-01T09:00:00Z")
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _run(service: Service, work: Callable[[Runtime], Awaitable[None]]) -> None:
    async def with_runtime() -> None:
        settings = Settings.read(service.name)
        service.require(settings)
        keep_what_is_loaded()
        runtime = service.runtime(settings, Trust(settings.origin, []))
        try:
            await work(runtime)
        finally:
            await runtime.close()

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(with_runtime())
    except rebuilding.CannotRebuild as error:
        sys.exit(f"{error}. Nothing has changed.")
    except AWAY as error:
        sys.exit(f"{type(error).__name__}: the database or the bus has failed. Run it again.")
