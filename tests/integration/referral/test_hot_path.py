"""Sending a referral: how often the database is asked for it, and that this costs nothing of what is right."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import SecretStr
from sqlalchemy import inspect, select
from sqlalchemy.ext.asyncio import AsyncSession

from bench.round_trips import Wire
from services.referral.app import service
from services.referral.places.models import Claim
from services.referral.referrals.models import Referral, Task
from shared.ids import new_id
from tests.integration.referral.world import Returnee, Scene, World, key
from tests.support.tokens import ORIGIN

ROUND_TRIPS = 6
"""BEGIN, the key, the case under its lock, what the leg is judged by and the ledger's lock, all changes, COMMIT."""


async def test_a_referral_by_way_of_a_hub_asks_the_database_six_times(world: World) -> None:
    scene = await Scene(world, hub=True).set(places=9)
    returnees = [await scene.case() for _ in range(3)]
    async with Wire(world.runtime.settings.database_url.get_secret_value()).open() as wire:
        settings = world.runtime.settings.model_copy(update={"database_url": SecretStr(wire.url), "pool_size": 1})
        runtime = service.runtime(settings, world.runtime.trust)
        transport = httpx.ASGITransport(service.api(runtime))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
            beside = World(runtime, world.issuer, http)
            for returnee in returnees[:2]:  # the first makes the ledger, both let the connection prepare statements
                await refer(beside, returnee)
            before = wire.count
            await refer(beside, returnees[2])
            assert wire.count - before <= ROUND_TRIPS
        await runtime.close()


async def refer(world: World, returnee: Returnee) -> None:
    answer = await world.request(returnee.scene.owner, "POST", "/referrals", returnee.order(), key())
    assert answer.status_code == 201, answer.text


async def test_two_requests_with_one_key_at_once_have_one_effect(world: World) -> None:
    scene = await Scene(world, hub=True).set(places=9)
    returnee = await scene.case()
    once = key()

    async def send() -> httpx.Response:
        return await world.request(scene.owner, "POST", "/referrals", returnee.order(), once)

    answers = await asyncio.gather(*(send() for _ in range(4)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json()["type"] for answer in answers if answer.status_code == 409} <= {
        "urn:relink:problem:idempotency-key-in-use"
    }
    made = {answer.json()["referral_id"] for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    again = await send()
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert again.json()["referral_id"] in made
    of_case = [row for row in await world.rows("referrals") if str(row["case_id"]) == returnee.case_id]
    assert [str(row["referral_id"]) for row in of_case] == list(made)
    assert await world.names_said(of_case[0]["referral_id"]) == ["ReferralCreated"]
    assert (await world.get(scene.owner, f"/cases/{returnee.case_id}"))["open_referrals"] == 1


async def test_of_two_referrals_of_one_case_at_once_the_second_knows_of_the_first(world: World) -> None:
    """Both wait for the lock of the case; whoever gets it second must not judge by what it saw before."""
    scene = await Scene(world, hub=True).set(places=9)
    returnee = await scene.case()
    answers = await asyncio.gather(*(returnee.refer() for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    refused = [answer.json()["type"] for answer in answers if answer.status_code == 409]
    assert set(refused) == {"urn:relink:problem:duplicate-referral"}


AT = datetime(2026, 3, 2, 9, 0, 0, 654321, tzinfo=UTC)


def things() -> list[Any]:
    """One object of every table of which a referral writes objects, each column filled."""
    referral_id, organization_id = new_id(), new_id()
    referral = Referral(
        referral_id=referral_id, case_id=new_id(), owner_id=organization_id, status="draft", service_id=new_id(),
        need_dimension="economic", need_type="other", priority="urgent", when_full="refuse", decision_id=None,
        member_ids=[new_id(), new_id()], via=new_id(), requested_fields=["name", "o'neill \"x\""],
        safety_note=b"\x00\xff", external_refs=b"", warnings=[{"code": "x", "leg": None}],
        ahead=[{"organization_id": str(organization_id)}],
        due={"decision": AT.isoformat()}, decision_due_at=AT,
    )  # fmt: skip
    task = Task(
        referral_id=referral_id, number=1, leg=1, organization_id=organization_id, role="hub", state="submitted",
        from_organization_id=organization_id, service_id=referral.service_id, deadlines={"decision": 3, "start": None},
        opened_at=AT,
    )  # fmt: skip
    claim = Claim(
        referral_id=referral_id, case_id=referral.case_id, service_id=referral.service_id, state="held",
        priority="urgent", urgency=1, vulnerable=True, queued_at=AT,
    )  # fmt: skip
    return [referral, task, claim]


def columns(thing: Any) -> dict[str, Any]:
    return {each.key: getattr(thing, each.key) for each in inspect(thing).mapper.column_attrs}


async def test_objects_are_written_as_they_were_made_and_as_they_were_changed(world: World) -> None:
    made = things()
    async with world.runtime.sessions() as session:
        session.add_all(made)
        await session.commit()
    defaults = columns(made[0])
    assert (defaults["version"], defaults["declared_safe"], defaults["development_referral"]) == (1, False, "unknown")
    async with world.runtime.sessions() as session:
        found = [await read_again(session, each) for each in made]
        assert [columns(each) for each in found] == [columns(each) for each in made]
        referral, task, _ = found
        referral.touch()
        referral.member_ids, referral.due, referral.safety_note, referral.requested_fields = [], {}, b"\\x00", None
        task.answered_at = AT
        changed = [columns(each) for each in found]
        await session.commit()
    async with world.runtime.sessions() as session:
        assert [columns(await read_again(session, each)) for each in made] == changed


async def read_again(session: AsyncSession, thing: Any) -> Any:
    mapper = inspect(thing).mapper
    key_of = {each.name: getattr(thing, each.name) for each in mapper.primary_key}
    return (await session.scalars(select(mapper.class_).filter_by(**key_of))).one()
