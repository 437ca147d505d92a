"""A service is a declaration: its name, its tables and its modules. All that services have in common is here."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import uvicorn
import uvloop
from fastapi import APIRouter, FastAPI
from pydantic import SecretStr
from sqlalchemy.orm import DeclarativeBase

from shared import clock, migrations, telemetry
from shared.bus.interface import Bus
from shared.bus.listeners import Projections, Reactions
from shared.bus.postgres import PostgresBus
from shared.db import engine_for, keys_metadata
from shared.events import TOPICS
from shared.garbage import keep_what_is_loaded
from shared.http.auth import Trust
from shared.http.health import offer_health
from shared.http.parked import parked_router
from shared.http.problems import describe_problems, speak_problems
from shared.http.request_context import RequestContext
from shared.http.worker_port import seen_from_outside
from shared.runtime import Runtime, open_runtime
from shared.settings import BadSettings, Settings
from shared.timers import Timers
from shared.worker import Worker, exit_code_of


class Service:
    """`modules` are packages; of each the rooms that `ROOMS` names are used if they are there."""

    def __init__(
        self,
        name: str,
        port: int,
        base: type[DeclarativeBase],
        modules: Sequence[str],
        keeps_keys: bool = False,
        description: str = "",
    ) -> None:
        self.name = name
        self.port = port
        self.base = base
        self.keeps_keys = keeps_keys
        self.description = description
        self.modules = tuple(modules)
        self.routers: list[APIRouter] = []
        self.projections = Projections()
        self.reactions = Reactions()
        self.timers = Timers()
        for module in modules:
            self._move_in(module)

    def _move_in(self, module: str) -> None:
        rooms = {room: import_module(f"{module}.{room}") for room in ROOMS if find_spec(f"{module}.{room}") is not None}
        if "api" in rooms:
            self.routers.append(rooms["api"].router)
        if "projections" in rooms:
            self.projections.add(rooms["projections"].projections)
        if "reactions" in rooms:
            self.reactions.add(rooms["reactions"].reactions)
        if "timers" in rooms:
            for kind, handler in rooms["timers"].timers.handlers.items():
                self.timers.on(kind)(handler)

    @property
    def hears(self) -> dict[str, list[str]]:
        """Listener → topics, for those listeners that this service has."""
        both = {"projections": self.projections, "reactions": self.reactions}
        return {name: listeners.topics() for name, listeners in both.items() if listeners.handlers}

    def runtime(self, settings: Settings, trust: Trust | None = None) -> Runtime:
        return open_runtime(settings, self.hears, trust)

    def api(self, runtime: Runtime) -> FastAPI:
        """The service's HTTP application; it closes nothing, `runtime` belongs to the caller."""
        app = FastAPI(
            title=f"Relink {self.name}",
            description=self.description,
            version="1",
            openapi_url=f"/{self.name}/openapi.json",
            docs_url=f"/{self.name}/docs",
            redoc_url=None,
            swagger_ui_oauth2_redirect_url=None,
        )
        app.state.runtime = runtime
        speak_problems(app)
        describe_problems(app)
        for router in (*self.routers, parked_router(runtime, self.worker(runtime).consumers)):
            app.include_router(router, prefix=f"/{self.name}/v1")
        offer_health(app, self.name, runtime)
        app.add_middleware(RequestContext, metrics=runtime.metrics, traces=runtime.traces)
        return app

    def worker(self, runtime: Runtime) -> Worker:
        return Worker(self.name, runtime, self.projections, self.reactions, self.timers)

    async def migrate(self, settings: Settings) -> None:
        """Tables at head, keys database ready, topics made, and reactions that are new begin at the present end."""
        engine = engine_for(settings.database_url.get_secret_value(), 1)
        try:
            await migrations.upgrade(self.name, engine, self.base.metadata)
        finally:
            await engine.dispose()
        if settings.keys_url is not None:
            keys_engine = engine_for(settings.keys_url.get_secret_value(), 1)
            try:
                async with keys_engine.begin() as connection:
                    await connection.run_sync(keys_metadata.create_all)
            finally:
                await keys_engine.dispose()
        runtime = self.runtime(settings, Trust(settings.origin, []))
        try:
            await self._prepare_bus(runtime.bus)
        finally:
            await runtime.close()

    async def _prepare_bus(self, bus: Bus) -> None:
        """Topics of a broker are made by its operators (`relink topics create`), those of one machine here."""
        if isinstance(bus, PostgresBus):
            await bus.make_topics(TOPICS)
        elif faults := await bus.topic_faults(TOPICS):
            sys.exit("\n".join(faults))
        if self.reactions.handlers:
            await bus.begin_at_end([f"{self.name}.reactions"], self.reactions.topics())

    def main(self, arguments: Sequence[str] | None = None) -> None:
        """`api`, `worker`, `migrate` or `revise MESSAGE`, configured by the environment (`shared.settings`)."""
        words = list(sys.argv[1:] if arguments is None else arguments)
        telemetry.log_as_json()
        try:
            settings = Settings.read(self.name)
        except BadSettings as error:
            sys.exit(str(error))
        self.require(settings)
        match words:
            case ["api"]:
                asyncio.run(self._serve(settings))
            case ["worker"]:
                sys.exit(uvloop.run(self._work(settings)))
            case ["migrate"]:
                asyncio.run(self.migrate(settings))
            case ["revise", message]:
                engine = engine_for(settings.database_url.get_secret_value(), 1)
                asyncio.run(migrations.revise(self.name, engine, self.base.metadata, message))
            case _:
                sys.exit(f"usage: python -m services.{self.name} api | worker | migrate | revise MESSAGE")

    def faults(self, settings: Settings) -> list[str]:
        """What is wrong with the configuration, a sentence each."""
        needed: dict[str, SecretStr | None] = {"DATABASE_URL": settings.database_url}
        needed |= {"KAFKA": SecretStr(settings.kafka)} if settings.bus == "kafka" else {"BUS_URL": settings.bus_url}
        if self.keeps_keys:
            needed |= {"KEYS_URL": settings.keys_url, "KEY_ENCRYPTION_KEY": settings.key_encryption_key}
        missing = [name for name, value in needed.items() if not (value and value.get_secret_value())]
        faults = [f"RELINK_{self.name.upper()}_{name} is not set" for name in missing]
        for name in ("issuers", "kafka_ca", "kafka_certificate", "kafka_key"):
            if (path := getattr(settings, name)) is not None and not path.is_file():
                faults.append(f"RELINK_{name.upper()} names no file")
        if settings.local_clock is not None and not settings.on_loopback:
            faults.append("RELINK_LOCAL_CLOCK is for local mode, and that for loopback only: RELINK_HOST is not")
        return faults

    def require(self, settings: Settings) -> None:
        """Say what is wrong with the configuration, before anything else complains about it."""
        if faults := self.faults(settings):
            sys.exit("\n".join(faults))
        if settings.local_clock is not None:
            clock.follow(settings.local_clock)

    @asynccontextmanager
    async def _runtime(self, settings: Settings) -> AsyncIterator[Runtime]:
        runtime = self.runtime(settings)
        try:
            yield runtime
        finally:
            await runtime.close()

    async def _serve(self, settings: Settings) -> None:
        async with self._runtime(settings) as runtime:
            await server(self.api(runtime), settings.port or self.port, settings.host).serve()

    async def _work(self, settings: Settings) -> int:
        """The exit code of a worker that has ended."""
        keep_what_is_loaded()
        async with self._runtime(settings) as runtime, seen_from_outside(runtime):
            task = asyncio.create_task(exit_code_of(self.worker(runtime)))
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, task.cancel)
            try:
                return await task
            except asyncio.CancelledError:
                return 0


ROOMS = ("models", "api", "projections", "reactions", "timers")


def server(app: Any, port: int, host: str = "127.0.0.1") -> uvicorn.Server:
    """Uvicorn as every process runs it: our own logs, no access log, no version header."""
    return uvicorn.Server(
        uvicorn.Config(
            app, host=host, port=port, log_config=None, access_log=False, server_header=False, lifespan="off"
        )
    )
