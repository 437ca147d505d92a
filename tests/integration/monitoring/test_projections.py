"""What is heard is written down once, whatever the order and however often it is said."""

import random
from collections.abc import Sequence

import pytest
from sqlalchemy import text

from services.monitoring.app import service as monitoring_service
from shared.ids import new_id
from tests.integration.monitoring.conftest import Monitoring
from tests.integration.monitoring.events import (
    HUB,
    OWNER,
    PROVIDER,
    Journey,
    Said,
    case,
    delivered_and_confirmed,
    organization,
    service,
)

TABLES = (
    "known_organizations",
    "known_services",
    "known_case_states",
    "timeline_referrals",
    "timeline_entries",
    "timeline_participants",
)


def everything() -> list[Said]:
    journey = delivered_and_confirmed()
    lost = Journey(case_id=journey.case_id).sent().received().missed("decision").passed_on().returned("no_funds")
    return [
        organization(OWNER, "Fedasil"),
        organization(OWNER, "Federal Agency", version=2),
        service(journey.service_id),
        service(journey.service_id, "Tailoring and design", version=3),
        case(journey.case_id),
        case(journey.case_id, version=2, area="NG025"),
        *journey.said,
        *lost.rejected("no_capacity").said,
    ]


async def tables(monitoring: Monitoring) -> dict[str, list[tuple[object, ...]]]:
    return {table: await monitoring.rows(table) for table in TABLES}


async def apply_past_the_inbox(monitoring: Monitoring, said: Sequence[Said]) -> None:
    """Straight to the handlers, as if no inbox had ever seen these events."""
    async with monitoring.runtime.sessions() as session:
        for each in said:
            for handler in monitoring_service.projections.handlers[type(each.event)]:
                await handler(session, each.event)
        await session.commit()


@pytest.mark.parametrize("seed", range(5))
async def test_any_order_ends_in_the_same_rows(monitoring: Monitoring, seed: int) -> None:
    said = everything()
    await monitoring.hear(*said)
    in_order = await tables(monitoring)
    assert all(in_order.values())
    async with monitoring.runtime.sessions() as session:
        await session.execute(text(f"TRUNCATE {', '.join(TABLES)}"))
        await session.commit()
    random.Random(seed).shuffle(said)
    await apply_past_the_inbox(monitoring, said)
    assert await tables(monitoring) == in_order


@pytest.mark.parametrize("seed", range(3))
async def test_any_order_within_a_batch_ends_in_the_same_rows(monitoring: Monitoring, seed: int) -> None:
    said = everything()
    for each in said:
        await monitoring.hear(each)
    one_by_one = await tables(monitoring)
    async with monitoring.runtime.sessions() as session:
        await session.execute(text(f"TRUNCATE inbox, {', '.join(TABLES)}"))
        await session.commit()
    random.Random(seed).shuffle(said)
    await monitoring.hear(*said, *said[:5])
    assert await tables(monitoring) == one_by_one


async def test_an_event_applied_twice_changes_nothing(monitoring: Monitoring) -> None:
    said = everything()
    await monitoring.hear(*said)
    once = await tables(monitoring)
    await monitoring.hear(*said)
    await apply_past_the_inbox(monitoring, said)
    assert await tables(monitoring) == once


async def test_who_owned_it_or_had_a_task_took_part(monitoring: Monitoring) -> None:
    journey = Journey().sent().passed_on()
    await monitoring.hear(*journey.said)
    assert {row[1] for row in await monitoring.rows("timeline_participants")} == {OWNER, HUB, PROVIDER}


async def test_every_state_of_a_case_is_kept(monitoring: Monitoring) -> None:
    case_id = new_id()
    await monitoring.hear(case(case_id, version=2, area="NG025"), case(case_id))
    assert [row[1] for row in await monitoring.rows("known_case_states")] == [1, 2]


async def test_a_timeline_holds_codes_and_no_text(monitoring: Monitoring) -> None:
    await monitoring.hear(*everything())
    for row in await monitoring.rows("timeline_entries"):
        assert all(" " not in value for value in row if isinstance(value, str))
