"""One statement says what is new, what must wait for the projections, and what waits behind a parked event."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock
from shared.bus import claiming, parking
from shared.bus.claiming import NotYet
from shared.bus.consumer import Consumer
from shared.bus.envelope import to_message
from shared.bus.heard import Heard, opened
from shared.bus.listeners import Projections, Reactions
from shared.db import inbox, parked_events
from shared.events.referral import PlacesChanged
from shared.ids import new_id
from tests.integration.shared.speaking import places
from tests.support.databases import Probe

KNOWN = {PlacesChanged.type_name(): PlacesChanged}
TOPIC = "relink.referral"


def heard(event: PlacesChanged, offset: int) -> Heard:
    message = to_message(TOPIC, event_id=new_id(), type_name=event.type_name(), subject=event.subject,
                         key=event.partition_key, version=event.version, occurred_at=clock.now(), traceparent=None,
                         data=event.model_dump_json())  # fmt: skip
    return opened(replace(message, offset=offset), KNOWN)


def id_of(said: Heard) -> UUID:
    return said.readable()


async def test_what_is_claimed_is_new_once(probe: Probe) -> None:
    one, two = heard(places(new_id(), 1), 1), heard(places(new_id(), 1), 2)
    for batch, new in (([one, one], {id_of(one)}), ([one, two], {id_of(two)}), ([two], set())):
        async with probe.runtime.sessions() as session:
            assert (await claiming.claim(session, "projections", batch, set())).event_ids == new
            await session.commit()


async def test_a_reaction_claims_nothing_while_one_of_them_is_not_projected(probe: Probe) -> None:
    one, two = heard(places(new_id(), 1), 1), heard(places(new_id(), 1), 2)
    async with probe.runtime.sessions() as session:
        await claiming.claim(session, "projections", [one], set())
        with pytest.raises(NotYet):
            await claiming.claim(session, "reactions", [one, two], {TOPIC})
        assert await session.scalar(select(func.count()).where(inbox.c.listener == "reactions")) == 0
        elsewhere = await claiming.claim(session, "reactions", [one, two], {"relink.registry"})
        assert elsewhere.event_ids == {id_of(one), id_of(two)}, "what projections do not hear is not waited for"


async def test_what_another_process_parks_meanwhile_is_waited_behind(probe: Probe) -> None:
    """It was given this partition before us and is still at its last event when we ask for both."""
    service_id = new_id()
    first, second = heard(places(service_id, 1), 1), heard(places(service_id, 2), 2)
    async with probe.runtime.sessions() as other, probe.runtime.sessions() as ours:
        await claiming.enter(other, "projections", id_of(first))
        await parking.park(other, "projections", first.message, id_of(first), LookupError(), 4)
        asking = asyncio.create_task(claiming.claim(ours, "projections", [first, second], set()))
        await other.execute(select(func.pg_sleep(0.2)))  # our statement has begun, and waits for the first one's row
        assert not asking.done()
        await other.commit()
        claimed = await asking
    assert claimed == claiming.Claimed({id_of(second)}, {str(service_id)})


async def test_what_a_reaction_has_nothing_to_do_with_is_in_its_inbox_all_the_same(probe: Probe) -> None:
    acted: list[int] = []
    reactions = Reactions()

    @reactions.on(PlacesChanged, when=lambda event: event.version > 2)
    async def act(_: AsyncSession, event: PlacesChanged) -> None:
        acted.append(event.version)

    consumer = Consumer("referral", "reactions", reactions, probe.runtime.bus, probe.runtime.sessions, Projections())
    service_id = new_id()
    batch = [heard(places(service_id, version), version).message for version in range(1, 5)]
    unreadable = replace(batch[0], offset=9, value=b"{")
    assert await consumer.consume([*batch, unreadable]) == 5
    assert acted == [3, 4]
    async with probe.runtime.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(inbox)) == 4, (
            "the last one has the id of the first"
        )
        assert await session.scalar(select(func.count()).select_from(parked_events)) == 1


async def test_what_is_passed_over_is_not_past_before_what_came_earlier(probe: Probe) -> None:
    """A reader who waits for the second event relies on what the reaction does about the first."""
    reactions, projections = Reactions(), Projections()
    acted: list[int] = []

    @reactions.on(PlacesChanged, when=lambda event: event.version == 1)
    async def act(_: AsyncSession, event: PlacesChanged) -> None:
        acted.append(event.version)

    @projections.on(PlacesChanged)
    async def project(_: AsyncSession, event: PlacesChanged) -> None: ...

    consumer = Consumer("referral", "reactions", reactions, probe.runtime.bus, probe.runtime.sessions, projections)
    first, second = (heard(places(new_id(), version), version) for version in (1, 2))
    batch = [first.message, second.message]
    assert await consumer.consume(batch) == 0
    async with probe.runtime.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(inbox)) == 0
        await claiming.enter(session, "projections", id_of(first))
        await session.commit()
    assert (await consumer.consume(batch), acted) == (2, [1])
