"""Parked keys over HTTP: listed without what they say, redriven in order, discarded with a trace."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from relink.embedded import EmbeddedPostgres
from shared.bus import consumer as consuming
from shared.bus import parking
from shared.bus.interface import Message
from shared.db import outbox, parked_events
from shared.events.referral import PlacesChanged
from shared.ids import new_id
from tests.integration.shared.speaking import heard_by, listening, places, redrive_all, say, send
from tests.support.databases import Probe
from tests.support.tokens import Issuer

SOON = 60.0
"""Seconds within which what must happen has happened, on the slowest machine."""
PARKED = "/referral/v1/parked"
DISCARDED = "/referral/v1/discarded"


class Patient:
    """A service whose handler refuses until it is mended; what it applied is in `heard`."""

    def __init__(self) -> None:
        self.refused: set[int] = set()
        """Versions; of reactions, negative."""
        self.heard: list[int] = []
        self.held = False
        """Whether the next event that is applied waits, from `reached` until `released`."""
        self.reached, self.released = asyncio.Event(), asyncio.Event()
        self.org_id = new_id()

    async def project(self, _: AsyncSession, event: PlacesChanged) -> None:
        if event.version in self.refused:
            raise LookupError("what an event said, which nobody may read here")
        if self.held:
            self.reached.set()
            await self.released.wait()
        self.heard.append(event.version)

    async def react(self, _: AsyncSession, event: PlacesChanged) -> None:
        if -event.version in self.refused:
            raise LookupError
        self.heard.append(-event.version)

    @asynccontextmanager
    async def open(self, server: EmbeddedPostgres, **handlers: Any) -> AsyncIterator["Patient"]:
        issuer = Issuer()
        async with listening(server, issuer.trust(), **handlers) as self.probe:
            transport = httpx.ASGITransport(self.probe.service.api(self.probe.runtime))
            async with httpx.AsyncClient(transport=transport, base_url="http://relink") as self.http:
                self.nobody, self.wrong = {"Authorization": ""}, issuer.headers("ops", "ops:health")
                self.http.headers = httpx.Headers(issuer.headers("ops", "ops:manage", self.org_id))
                yield self

    async def say(self, key: UUID, *versions: int) -> None:
        """Said, and met by every listener: applied or parked."""
        for version in versions:
            await heard_by(self.probe.runtime, await say(self.probe, places(key, version)))

    async def parked(self, **query: str | int) -> list[dict[str, Any]]:
        answer = await self.http.get(PARKED, params=query)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def post(self, parked_id: int, verb: str, **body: Any) -> httpx.Response:
        return await self.http.post(f"{PARKED}/{parked_id}/{verb}", json=body or None)


@pytest.fixture
async def patient(postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Patient]:
    monkeypatch.setattr(consuming, "RETRIES", ())
    made = Patient()
    async with made.open(postgres, projection=made.project):
        yield made


@pytest.fixture
async def reacting(postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Patient]:
    """The same with a reaction."""
    monkeypatch.setattr(consuming, "RETRIES", ())
    made = Patient()
    async with made.open(postgres, projection=made.project, reaction=made.react):
        yield made


async def until_somebody_waits(probe: Probe) -> None:
    """A connection of the service's database waits for a row that another holds."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = :event")
    until = time.monotonic() + SOON
    while True:
        async with probe.runtime.sessions() as session:
            if await session.scalar(waiting, {"event": "transactionid"}):
                return
        assert time.monotonic() < until, "nobody waits"
        await asyncio.sleep(0.01)


ROUTES: list[tuple[str, str, Any]] = [
    ("GET", PARKED, None),
    ("GET", f"{PARKED}/1", None),
    ("POST", f"{PARKED}/1/redrive", None),
    ("POST", f"{PARKED}/1/discard", {"reason": "no longer of use"}),
    ("GET", DISCARDED, None),
]


async def test_only_who_manages_operations_gets_in_and_what_is_not_parked_is_not_found(patient: Patient) -> None:
    for method, path, body in ROUTES:
        for headers, status in ((patient.nobody, 401), (patient.wrong, 403)):
            assert (await patient.http.request(method, path, json=body, headers=headers)).status_code == status
        answer = await patient.http.request(method, path, json=body)
        assert answer.status_code == (404 if "/1" in path else 200)
    for number in ("x", str(2**70)):
        assert (await patient.http.get(f"{PARKED}/{number}")).status_code == 422


async def test_parked_keys_are_listed_by_their_first_event_and_say_nothing_of_the_rest(patient: Patient) -> None:
    patient.refused = {1}
    one, two = new_id(), new_id()
    await patient.say(one, 1, 2, 3)
    await patient.say(two, 1)
    await send(patient.probe, Message("relink.referral", None, b"not json"))
    await patient.say(new_id(), 4)
    first, second, unreadable = await patient.parked()
    assert (first["key"], first["events"], first["attempts"], first["listener"]) == (str(one), 3, 1, "projections")
    assert first["types"] == ["relink.referral.PlacesChanged"]
    assert first["error"].startswith("LookupError at test_parked.py:")
    assert second["key"] == str(two)
    assert (unreadable["key"], unreadable["types"]) == (None, [])
    assert set(first) == {"parked_id", "listener", "key", "events", "types", "parked_at", "error", "attempts"}
    page = (await patient.http.get(PARKED, params={"limit": 2})).json()
    assert [item["parked_id"] for item in page["items"]] == [first["parked_id"], second["parked_id"]]
    assert await patient.parked(after=page["next"]) == [unreadable]
    assert await patient.parked(listener="reactions") == []
    assert (await patient.http.get(f"{PARKED}/{second['parked_id']}")).json() == second
    assert (await patient.http.get(f"{PARKED}/{first['parked_id'] + 1}")).status_code == 404  # waits behind the first


async def test_a_redrive_goes_in_order_stops_at_the_first_failure_and_says_so(patient: Patient) -> None:
    patient.refused = {1, 3}
    await patient.say(new_id(), 1, 2, 3, 4)
    [key] = await patient.parked()
    patient.refused = {3}
    stopped = (await patient.post(key["parked_id"], "redrive")).json()
    assert (stopped["applied"], stopped["left"]) == (2, 2)
    assert stopped["stopped_by"].startswith("LookupError at test_parked.py:")
    assert patient.heard == [1, 2]
    [key] = await patient.parked()
    assert (key["events"], key["attempts"]) == (2, 1)
    patient.refused = set()
    assert (await patient.post(key["parked_id"], "redrive")).json() == {"applied": 2, "left": 0, "stopped_by": None}
    assert patient.heard == [1, 2, 3, 4]
    assert await patient.parked() == []


async def test_what_happens_while_a_key_is_redriven_comes_after_it(patient: Patient) -> None:
    patient.refused = {1}
    key = new_id()
    await patient.say(key, 1)
    [parked] = await patient.parked()
    patient.refused, patient.held = set(), True
    redriving = asyncio.create_task(patient.post(parked["parked_id"], "redrive"))
    async with asyncio.timeout(SOON):
        await patient.reached.wait()
    live = await say(patient.probe, places(key, 2))
    await until_somebody_waits(patient.probe)
    assert patient.heard == []
    patient.released.set()
    assert (await redriving).json()["left"] == 0
    await heard_by(patient.probe.runtime, live)
    assert patient.heard == [1, 2]
    assert await patient.parked() == []


async def test_a_redrive_waits_for_what_is_just_being_parked_behind_its_last_event(patient: Patient) -> None:
    """Otherwise the key would stay parked by an event that nobody redrives."""
    patient.refused = {1, 2}
    key = new_id()
    await patient.say(key, 1, 2)
    [parked] = await patient.parked()
    patient.refused = set()
    raw = str(key).encode()
    async with patient.probe.runtime.sessions() as listener:
        assert await parking.parked_keys(listener, ["projections"], [raw]) == {str(key)}
        redriving = asyncio.create_task(patient.post(parked["parked_id"], "redrive"))
        await until_somebody_waits(patient.probe)
        later = await listener.scalar(select(parked_events.c.message).order_by(parked_events.c.parked_id.desc()))
        await listener.execute(
            parked_events.insert().values(
                listener="projections", key=str(key), event_id=new_id(), topic="relink.referral", partition=0,
                offset=999, message=later, error="KeyIsParked", attempts=0,
            )
        )  # fmt: skip
        await listener.commit()
    assert (await redriving).json() == {"applied": 3, "left": 0, "stopped_by": None}


async def test_two_who_redrive_the_same_key_apply_each_event_once_and_in_order(patient: Patient) -> None:
    patient.refused = {1}
    await patient.say(new_id(), *range(1, 11))
    patient.refused = set()
    [key] = await patient.parked()
    done = await asyncio.gather(*[redrive_all(patient.probe, key["parked_id"]) for _ in range(3)])
    assert sum(each.applied for each in done) == 10
    assert patient.heard == list(range(1, 11))


async def test_a_reaction_is_redriven_after_the_projections(reacting: Patient) -> None:
    reacting.refused = {1}
    await reacting.say(new_id(), 1, 2)
    projections, reactions = await reacting.parked()
    assert (projections["listener"], reactions["listener"]) == ("projections", "reactions")
    reacting.refused = set()
    refused = await reacting.post(reactions["parked_id"], "redrive")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:relink:problem:projections-first")
    assert (await reacting.post(projections["parked_id"], "redrive")).json()["applied"] == 2
    assert (await reacting.post(reactions["parked_id"], "redrive")).json()["applied"] == 2
    assert reacting.heard == [1, 2, -1, -2]


async def test_the_first_event_of_a_key_is_discarded_with_a_trace_and_the_rest_stays(patient: Patient) -> None:
    patient.refused = {1}
    key = new_id()
    await patient.say(key, 1, 2, 3)
    [parked] = await patient.parked()
    answer = await patient.post(parked["parked_id"], "discard", reason="sent by a test system")
    assert answer.json() == {"discarded": 1, "left": 2}
    assert (await patient.post(parked["parked_id"], "discard", reason="again")).status_code == 404
    [trace] = (await patient.http.get(DISCARDED)).json()["items"]
    async with patient.probe.runtime.sessions() as session:
        said = list(await session.scalars(select(outbox.c.event_id).order_by(outbox.c.seq)))
    assert (trace["event_id"], trace["key"], trace["type"]) == (str(said[0]), str(key), parked["types"][0])
    assert (trace["discarded_by"], trace["org_id"], trace["reason"]) == (
        "ops", str(patient.org_id), "sent by a test system"
    )  # fmt: skip
    [parked] = await patient.parked()
    assert (await patient.post(parked["parked_id"], "redrive")).json()["applied"] == 2
    assert patient.heard == [2, 3]


async def test_a_whole_key_is_discarded_and_stays_so_when_it_is_sent_again(patient: Patient) -> None:
    patient.refused = {1}
    key = new_id()
    await patient.say(key, 1, 2, 3)
    [parked] = await patient.parked()
    answer = await patient.post(parked["parked_id"], "discard", reason="as agreed", whole_key=True)
    assert answer.json() == {"discarded": 3, "left": 0}
    patient.refused = set()
    async with patient.probe.runtime.sessions() as session:  # as after a crash between send and mark
        await session.execute(update(outbox).values(published_at=None))
        await session.commit()
    await patient.say(key, 4)
    assert patient.heard == [4]
    assert await patient.parked() == []


async def test_events_are_discarded_with_a_reason_or_not_at_all(patient: Patient) -> None:
    patient.refused = {1}
    await patient.say(new_id(), 1)
    [parked] = await patient.parked()
    useless: list[tuple[dict[str, Any], str]] = [
        ({"whole_key": True}, "/reason"),
        ({"reason": " "}, "/reason"),
        ({"reason": "x" * 501}, "/reason"),
        ({"reason": "x", "who": "me"}, ""),
    ]
    for body, pointer in useless:
        refused = await patient.post(parked["parked_id"], "discard", **body)
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert len(await patient.parked()) == 1
