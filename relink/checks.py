"""What `relink doctor` looks at, one function a check: it says what is well, or raises what is not.

None means that there is nothing to look at. What a check asks in vain is told by the table in `relink.doctor`.
"""

import enum
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from cryptography.exceptions import InvalidTag
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import SecretStr
from sqlalchemy import func, select, text

from shared import crypto
from shared.bus import brake
from shared.db import case_keys, outbox, parked_events, timers
from shared.http.auth import LEEWAY, issuer_of
from shared.http.health import LAG_WARN, OUTBOX_WARN_SECONDS
from shared.migrations import REMEDIES, State, state_in
from shared.runtime import Runtime
from shared.service import Service
from shared.settings import Settings

SKEW_WARN = 2.0
"""Seconds by which the clocks of this machine and of the database may differ before somebody should look."""
KEY_BYTES = 32


class Level(enum.StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Unwell(Exception):
    """What was found, and what to do about it, in one line."""

    def __init__(self, level: Level, found: str, remedy: str | None = None) -> None:
        super().__init__(f"{found} → {remedy}" if remedy else found)
        self.level = level


@dataclass(frozen=True)
class Patient:
    """A service as this machine's environment configures it. Only the first check may come without a runtime."""

    service: Service
    settings: Settings
    runtime: Runtime


def configuration(service: Service, settings: Settings) -> str:
    """Before anything is opened: every variable that is needed is there, and can be what it must be."""
    prefix = f"RELINK_{service.name.upper()}_"
    if faults := service.faults(settings):
        raise Unwell(Level.FAIL, "; ".join(faults), "correct the variables of this process")
    addresses = {"DATABASE_URL": settings.database_url, "KEYS_URL": settings.keys_url}
    if settings.bus == "postgresql":
        addresses["BUS_URL"] = settings.bus_url
    foreign = [prefix + name for name, url in addresses.items() if url and not _names_postgresql(url)]
    if foreign:
        raise Unwell(
            Level.FAIL, f"not understood: {', '.join(foreign)}", "write postgresql://role:password@host:port/database"
        )
    if settings.key_encryption_key is not None and not _is_key(settings.key_encryption_key):
        raise Unwell(Level.FAIL, f"{prefix}KEY_ENCRYPTION_KEY is no key", f"it is {KEY_BYTES} bytes in base64")
    return f"complete, on the {settings.bus} bus"


def _names_postgresql(url: SecretStr) -> bool:
    return url.get_secret_value().startswith("postgresql://")


def _is_key(encoded: SecretStr) -> bool:
    try:
        return len(crypto.decode_key(encoded.get_secret_value())) == KEY_BYTES
    except ValueError:
        return False


async def trust(patient: Patient) -> str:
    """The file of issuers can be read, every issuer has keys, and none of them is a private one."""
    path, origin = patient.settings.issuers, patient.settings.origin
    if path is None:
        raise Unwell(Level.FAIL, "RELINK_ISSUERS is not set: every request is refused", "name the file of issuers")
    try:
        issuers = await _issuers(path)
    except OSError as error:
        raise Unwell(
            Level.FAIL, f"RELINK_ISSUERS cannot be read ({type(error).__name__})", "is it there, and may this user?"
        ) from error
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unwell(
            Level.FAIL,
            f"the file of issuers cannot be used ({type(error).__name__})",
            "it is a list of issuer, jwks or jwks_uri, organizations, countries",
        ) from error
    except httpx.HTTPError as error:
        raise Unwell(
            Level.FAIL, f"the keys of an issuer cannot be fetched ({type(error).__name__})", "is its jwks_uri right?"
        ) from error
    if any(key.is_private for keys in issuers for key in keys.keys):
        raise Unwell(Level.FAIL, "the file of issuers holds a private key", "replace that key: it is known now")
    if "origin" not in patient.settings.model_fields_set:
        raise Unwell(Level.WARN, f"RELINK_ORIGIN is not set: tokens must be for {origin}", "set it to the public one")
    return f"{len(issuers)} issuers, for {origin}"


async def _issuers(path: Path) -> list[KeySet]:
    """The keys of every issuer in the file, fetched where they are at an address."""
    found = []
    for entry in _entries(path):
        issuer = issuer_of(entry)
        found.append(issuer.keys or await _fetched(str(issuer.jwks_uri)))
    return found


def _entries(path: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(path.read_text())
    return entries


async def _fetched(address: str) -> KeySet:
    async with httpx.AsyncClient(timeout=5) as client:
        document: Any = (await client.get(address)).raise_for_status().json()
    return KeySet.import_key_set(document)


async def database(patient: Patient) -> str:
    async with patient.runtime.engine.connect() as connection:
        version = await connection.scalar(text("SHOW server_version"))
    return f"PostgreSQL {version}"


async def clock(patient: Patient) -> str:
    async with patient.runtime.engine.connect() as connection:
        before = time.time()
        there = float(await connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())")) or 0)
        after = time.time()
    return judge_clock(before, there, after)


def judge_clock(before: float, there: float, after: float) -> str:
    """The database's clock said `there` at some moment between `before` and `after` of this machine."""
    skew = max(before - there, there - after, 0.0)
    if skew > SKEW_WARN:
        level = Level.FAIL if skew > LEEWAY else Level.WARN
        raise Unwell(level, f"{skew:.1f} s from the database's clock", "let both machines keep time (NTP)")
    return f"within {max(skew, after - before):.1f} s of the database's clock"


async def migrations(patient: Patient) -> str:
    async with patient.runtime.engine.connect() as connection:
        state = await state_in(connection, patient.service.name)
    if state is not State.AT_HEAD:
        raise Unwell(Level.FAIL, f"the database is {state}", REMEDIES[state])
    return "at head"


async def keys(patient: Patient) -> str | None:
    """The database of keys answers, and the configured key opens what is in it."""
    if patient.runtime.keys_engine is None:
        return None
    kept = select(case_keys.c.case_id).where(case_keys.c.wrapped.is_not(None)).limit(1)
    async with patient.runtime.keys_engine.connect() as connection:
        case_id = await connection.scalar(kept)
    if case_id is None:
        return "no keys yet"
    async with patient.runtime.sessions() as session:
        try:
            await crypto.case_keys(session).cipher(case_id)
        except InvalidTag as error:
            name = f"RELINK_{patient.service.name.upper()}_KEY_ENCRYPTION_KEY"
            raise Unwell(
                Level.FAIL, f"{name} does not open these keys", "put back the one that they were wrapped with"
            ) from error
    return "opened one"


async def topics(patient: Patient) -> str:
    """The bus answers, and what this service says and hears has its topic there."""
    heard = {topic for topics in patient.service.hears.values() for topic in topics}
    wanted = sorted(heard | {f"relink.{patient.service.name}"})
    if faults := await patient.runtime.bus.topic_faults(wanted):
        raise Unwell(Level.FAIL, "; ".join(faults))  # each says what to do
    return f"{len(wanted)} topics as configured"


async def relay(patient: Patient) -> str:
    waiting = select(func.extract("epoch", func.clock_timestamp() - func.min(outbox.c.written_at)))
    async with patient.runtime.sessions() as session:
        age = float(await session.scalar(waiting.where(outbox.c.published_at.is_(None))) or 0)
    if age > OUTBOX_WARN_SECONDS:
        raise Unwell(
            Level.WARN, f"an event waits since {age:.0f} s to be sent", "does a worker run? its log says why it waits"
        )
    return "nothing waits to be sent" if age == 0 else f"the oldest event waits since {age:.1f} s"


async def listeners(patient: Patient) -> str | None:
    hears = patient.service.hears
    lags = {name: await patient.runtime.bus.lag(f"{patient.service.name}.{name}", hears[name]) for name in hears}
    found = ", ".join(f"{name} {lag} events behind" for name, lag in lags.items())
    if max(lags.values(), default=0) > LAG_WARN:
        raise Unwell(Level.WARN, found, "does a worker run? its log says what holds it")
    return found or None


async def parked(patient: Patient) -> str:
    name = patient.service.name
    counted = select(func.count(), func.count(parked_events.c.key.distinct())).select_from(parked_events)
    async with patient.runtime.sessions() as session:
        events, by_key = (await session.execute(counted)).one()
        stopped = [f"{name}.{listener}" for listener in patient.service.hears if await brake.reached(session, listener)]
    remedy = f"relink parked list {name}; mend what they show, then redrive them"
    if stopped:
        raise Unwell(Level.FAIL, f"the brake is on: {', '.join(stopped)}", f"go back to the former version; {remedy}")
    if events:
        raise Unwell(Level.WARN, f"{events} events are parked, under {by_key} keys", remedy)
    return "nothing"


async def deadlines(patient: Patient) -> str:
    async with patient.runtime.sessions() as session:
        failing = await session.scalar(select(func.count()).select_from(timers).where(timers.c.attempts > 0))
    if failing:
        raise Unwell(Level.WARN, f"{failing} timers fail and are tried again", "the worker's log says which and why")
    return "none fails"
