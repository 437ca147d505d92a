"""What a process holds for one service while it runs: engines, sessions, bus, keys, trust."""

from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from shared.bus.interface import Bus
from shared.bus.kafka import KafkaBus
from shared.bus.postgres import PostgresBus
from shared.crypto import CaseKeys, decode_key
from shared.db import engine_for
from shared.ears import Ears
from shared.http.auth import Trust
from shared.metrics import Metrics
from shared.outbox import RelinkSession
from shared.settings import Settings
from shared.traces import Traces, open_traces


@dataclass
class Runtime:
    """Opened by `open_runtime`, closed by `close`."""

    settings: Settings
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    bus: Bus
    trust: Trust
    ears: Ears
    metrics: Metrics
    traces: Traces
    hears: dict[str, list[str]] = field(default_factory=dict)
    """Listener (`projections`, `reactions`) → topics it reads."""
    keys_engine: AsyncEngine | None = None

    async def close(self) -> None:
        await self.ears.close()
        await self.bus.close()
        await self.engine.dispose()
        if self.keys_engine is not None:
            await self.keys_engine.dispose()
        await self.traces.close()


def open_runtime(settings: Settings, hears: dict[str, list[str]], trust: Trust | None = None) -> Runtime:
    """Nothing is connected yet: engines connect when they are first used."""
    if trust is None:
        issuers = settings.issuers
        trust = Trust.from_file(issuers, settings.origin) if issuers else Trust(settings.origin, [])
    url = settings.database_url.get_secret_value()
    engine = engine_for(url, settings.pool_size)
    info: dict[str, object] = {}
    keys_engine = None
    if settings.keys_url is not None and settings.key_encryption_key is not None:
        keys_engine = engine_for(settings.keys_url.get_secret_value(), 2)
        info["case keys"] = CaseKeys(keys_engine, decode_key(settings.key_encryption_key.get_secret_value()))
    sessions = async_sessionmaker(engine, expire_on_commit=False, sync_session_class=RelinkSession, info=info)
    return Runtime(
        settings,
        engine,
        sessions,
        open_bus(settings),
        trust,
        Ears(url),
        Metrics(settings.service),
        open_traces(settings.service, settings.otlp_endpoint),
        hears,
        keys_engine,
    )


def open_bus(settings: Settings) -> Bus:
    """The bus that the configuration names; it connects when it is first used."""
    if settings.bus == "kafka":
        return KafkaBus(settings)
    return PostgresBus(settings.bus_url.get_secret_value())
