"""What must hold when all has settled: nothing lost, nothing doubled, nothing out of order, nothing waiting.

The outbox of each service is the truth about what was said; inboxes, projections and the bus are compared with it.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from relink.deployment import Deployment
from relink.services import SERVICES
from shared.bus.envelope import head
from shared.bus.interface import Message
from shared.events import TOPICS, leaves
from shared.events.referral import _Referral as ReferralEvent
from shared.runtime import open_bus
from tests.faults.lives import Life
from tests.faults.moments import until

SAID = "SELECT event_id, key, type, subject, version FROM outbox ORDER BY seq"
HEARD = "SELECT listener, event_id FROM inbox"
TIMELINE = "SELECT referral_id, version, type FROM timeline_entries"
NEWEST = "SELECT referral_id, version FROM timeline_referrals"
OPEN_CLAIMS = "SELECT service_id, state, count(*) FROM place_claims WHERE state <> 'released' GROUP BY 1, 2"
LEDGERS = "SELECT service_id, held, offered, used, queued FROM place_ledgers"
HISTORY = "SELECT referral_id, array_agg(version ORDER BY version) AS versions FROM referral_history GROUP BY 1"
ORDERS = "SELECT case_id, count(*) FROM referrals GROUP BY 1"
PARKED = "SELECT count(*) FROM parked_events"


@dataclass(frozen=True)
class Verdict:
    """All zero but `events` and `repeats`: the latter are messages that were sent again, and taken once."""

    events: int
    repeats: int
    lost: int
    doubled: int
    out_of_order: int
    waiting: int

    @property
    def good(self) -> bool:
        return (self.lost, self.doubled, self.out_of_order, self.waiting) == (0, 0, 0, 0)


class _Look:
    """What all databases say at one moment."""

    def __init__(self, rows: dict[tuple[str, str], list[asyncpg.Record]]) -> None:
        self._rows = rows
        self.said = {service.name: self.of(service.name, SAID) for service in SERVICES}

    def of(self, service: str, question: str) -> list[asyncpg.Record]:
        return self._rows[service, question]

    def unheard(self) -> Iterator[UUID]:
        """An event for each listener that should have it and has not."""
        for service in SERVICES:
            heard = Counter((row["listener"], row["event_id"]) for row in self.of(service.name, HEARD))
            for listener, topics in service.hears.items():
                for topic in topics:
                    for row in self.said[topic.rpartition(".")[2]]:
                        if (listener, row["event_id"]) not in heard:
                            yield row["event_id"]


async def _look(deployment: Deployment) -> _Look:
    questions = {
        **{(service.name, question): question for service in SERVICES for question in (SAID, HEARD, PARKED)},
        **{("monitoring", question): question for question in (TIMELINE, NEWEST)},
        **{("referral", question): question for question in (OPEN_CLAIMS, LEDGERS, HISTORY, ORDERS)},
    }
    rows = {}
    for service in SERVICES:
        url = deployment.settings[service.name].database_url.get_secret_value()
        connection = await asyncpg.connect(url)
        try:
            for (name, question), text in questions.items():
                if name == service.name:
                    rows[name, question] = await connection.fetch(text)
        finally:
            await connection.close()
    return _Look(rows)


async def judge(deployment: Deployment, lives: Sequence[Life]) -> Verdict:
    """Wait until everything has been heard, as long as patience lasts, then compare."""

    async def settled() -> bool:
        await asyncio.sleep(0.2)
        return not list((await _look(deployment)).unheard())

    waiting = 0
    try:
        await until(settled, "not everything was heard")
    except TimeoutError:
        waiting = len(list((await _look(deployment)).unheard()))
    look = await _look(deployment)
    waiting += sum(look.of(service.name, PARKED)[0]["count"] for service in SERVICES)
    on_the_bus = await _read_all(deployment)
    repeats, out_of_order = _order(look, on_the_bus)
    told = _told(look)
    projected = Counter((row["referral_id"], row["version"], row["type"]) for row in look.of("monitoring", TIMELINE))
    said = sum(len(rows) for rows in look.said.values())
    lost = said - len({event_id for event_id, _ in on_the_bus}) + (told - projected).total() + _stale(look, told)
    doubled = (projected - told).total() + _miscounted(look) + _ordered_twice(look, lives)
    return Verdict(said, repeats, lost, doubled, out_of_order, waiting)


async def _read_all(deployment: Deployment) -> list[tuple[UUID, str]]:
    """What lies on the bus, (event id, topic and key), in the order of each partition."""
    bus = open_bus(deployment.settings["monitoring"])
    found: list[Message] = []
    try:
        reading = await bus.replay(TOPICS)
        try:
            while messages := await reading.poll(2000, 5.0):
                found += messages
        finally:
            await reading.close()
    finally:
        await bus.close()
    found.sort(key=lambda message: (message.topic, message.partition, message.offset))
    return [(head(message).event_id, f"{message.topic} {(message.key or b'').decode()}") for message in found]


def _order(look: _Look, on_the_bus: list[tuple[UUID, str]]) -> tuple[int, int]:
    """How many messages repeat one, and how many lie behind one that was said after them under the same key."""
    number = {row["event_id"]: place for rows in look.said.values() for place, row in enumerate(rows)}
    seen: set[UUID] = set()
    newest: dict[str, int] = {}
    repeats = out_of_order = 0
    for event_id, key in on_the_bus:
        if event_id in seen:
            repeats += 1
            continue
        seen.add(event_id)
        out_of_order += number[event_id] < newest.get(key, -1)
        newest[key] = max(newest.get(key, -1), number[event_id])
    return repeats, out_of_order


def _told(look: _Look) -> Counter[tuple[UUID, int, str]]:
    """What was said of referrals, each as monitoring's timeline must hold it once."""
    types = {event.type_name() for event in leaves(ReferralEvent)}
    return Counter(
        (row["subject"], row["version"], row["type"].rpartition(".")[2])
        for row in look.said["referral"]
        if row["type"] in types
    )


def _stale(look: _Look, told: Counter[tuple[UUID, int, str]]) -> int:
    """Referrals whose summary does not say what was said last."""
    newest: dict[UUID, int] = {}
    for referral_id, version, _ in told:
        newest[referral_id] = max(version, newest.get(referral_id, 0))
    held = {row["referral_id"]: row["version"] for row in look.of("monitoring", NEWEST)}
    return sum(held.get(referral_id) != version for referral_id, version in newest.items())


def _miscounted(look: _Look) -> int:
    """Counts in the ledgers of places that their claims do not bear out, and histories with a version twice."""
    claims = {(row["service_id"], row["state"]): row["count"] for row in look.of("referral", OPEN_CLAIMS)}
    wrong = [
        (row["service_id"], state)
        for row in look.of("referral", LEDGERS)
        for state in ("held", "offered", "used", "queued")
        if row[state] != claims.get((row["service_id"], state), 0)
    ]
    twice = [row for row in look.of("referral", HISTORY) if len(set(row["versions"])) != len(row["versions"])]
    return len(wrong) + len(twice)


def _ordered_twice(look: _Look, lives: Sequence[Life]) -> int:
    """Orders beyond the one that each life sent, and cases that nobody answers for."""
    ours = {UUID(life.case["case_id"]) for life in lives}
    registered = [row["subject"] for row in look.said["referral"] if row["type"] == "relink.referral.CaseRegistered"]
    orders = {row["case_id"]: row["count"] for row in look.of("referral", ORDERS)}
    wrong = [case_id for case_id in ours if orders.get(case_id) != 1]
    return len(wrong) + len(set(registered) - ours)
