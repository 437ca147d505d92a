"""`relink doctor`: what is wrong with a deployment, seen from where its processes run, and what to do about it.

It reads the variables that the processes read, asks their databases and their bus, and changes nothing. A line says
what was found; none holds a password, a key or anything of a person.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import typer
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from relink import checks
from relink.checks import Level, Patient, Unwell
from relink.configured import service_named
from relink.services import SERVICES
from shared.bus.weather import BUS_FAULTS
from shared.http.auth import Trust
from shared.service import Service
from shared.settings import BadSettings, Settings

PATIENCE = 10.0
"""Seconds that one check may take."""


@dataclass(frozen=True)
class Check:
    """`remedy` is for when what was asked did not answer; `after` names the check without which this one is idle."""

    name: str
    look: Callable[[Patient], Awaitable[str | None]]
    remedy: str
    after: str | None = None


DATABASE = "does PostgreSQL run there, and are host, role and password in DATABASE_URL right?"
BUS = "does the bus run, and are its address and the rights of this role right?"
CHECKS = (
    Check("trust", checks.trust, "is the file of issuers as the runbook says?"),
    Check("database", checks.database, DATABASE),
    Check("clock", checks.clock, DATABASE, after="database"),
    Check("migrations", checks.migrations, DATABASE, after="database"),
    Check("keys", checks.keys, "does the database in KEYS_URL run, and was migrate run?"),
    Check("topics", checks.topics, BUS),
    Check("relay", checks.relay, DATABASE, after="migrations"),
    Check("listeners", checks.listeners, BUS, after="topics"),
    Check("parked", checks.parked, DATABASE, after="migrations"),
    Check("timers", checks.deadlines, DATABASE, after="migrations"),
)


@dataclass(frozen=True)
class Finding:
    service: str
    check: str
    level: Level
    text: str

    def line(self) -> str:
        return f"{self.level:4}  {self.service:11}  {self.check:13}  {self.text}"


def examine(names: Sequence[str]) -> bool:
    """Print a line for every check of these services (all, if none is named); say whether nothing fails."""
    services = [service_named(name) for name in names] or list(SERVICES)
    findings = asyncio.run(_examine_all(services))
    for finding in findings:
        typer.echo(finding.line())
    return all(finding.level is not Level.FAIL for finding in findings)


async def _examine_all(services: Sequence[Service]) -> list[Finding]:
    found = await asyncio.gather(*[_examine(service) for service in services])
    return [finding for each in found for finding in each]


def _admit(service: Service) -> tuple[Patient, str]:
    """The service, opened, and what is well about its configuration; raises Unwell."""
    try:
        settings = Settings.read(service.name)
        well = checks.configuration(service, settings)
        return Patient(service, settings, service.runtime(settings, Trust(settings.origin, []))), well
    except BadSettings as error:
        raise Unwell(Level.FAIL, "; ".join(str(error).splitlines()), "correct it") from error
    except (ValueError, SQLAlchemyError) as error:  # an address that only looks like one
        raise Unwell(Level.FAIL, f"an address cannot be used ({type(error).__name__})", "correct it") from error


async def _examine(service: Service) -> list[Finding]:
    try:
        patient, well = _admit(service)
    except Unwell as unwell:
        return [_finding(service, "configuration", unwell)]
    findings = [Finding(service.name, "configuration", Level.OK, well)]
    failed: set[str | None] = set()
    try:
        for check in CHECKS:
            if check.after in failed:
                failed.add(check.name)
            elif (finding := await _look(check, patient)) is not None:
                findings.append(finding)
                if finding.level is Level.FAIL:
                    failed.add(check.name)
    finally:
        await patient.runtime.close()
    return findings


async def _look(check: Check, patient: Patient) -> Finding | None:
    try:
        async with asyncio.timeout(PATIENCE):
            well = await check.look(patient)
    except Unwell as unwell:
        return _finding(patient.service, check.name, unwell)
    except (*BUS_FAULTS, SQLAlchemyError) as error:
        return _finding(patient.service, check.name, Unwell(Level.FAIL, f"no answer ({_kind(error)})", check.remedy))
    return None if well is None else Finding(patient.service.name, check.name, Level.OK, well)


def _kind(error: BaseException) -> str:
    """The class of the error, below what SQLAlchemy wraps around it. Its text may hold an address."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig.__cause__ or error.orig
    return type(error).__name__


def _finding(service: Service, check: str, unwell: Unwell) -> Finding:
    return Finding(service.name, check, unwell.level, str(unwell))
