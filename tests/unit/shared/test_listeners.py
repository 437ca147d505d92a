"""Who hears what: by class, and where somebody cares for some of them only by a condition."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus.listeners import Listeners, Projections, Reactions
from shared.events.referral import PlacesChanged
from shared.ids import new_id

NO_SESSION: Any = None


def places(free: int) -> PlacesChanged:
    return PlacesChanged(version=1, service_id=new_id(), set_aside=1, held=0, offered=0, used=0, queued=0, free=free)


def is_free(event: PlacesChanged) -> bool:
    return event.free is not None and event.free > 0


@pytest.mark.parametrize("kind", [Projections, Reactions])
async def test_a_handler_with_a_condition_hears_only_what_meets_it(kind: type[Listeners]) -> None:
    rooms, service, heard = kind(), kind(), []

    @rooms.on(PlacesChanged, when=is_free)
    async def some(_: AsyncSession, event: PlacesChanged) -> None:
        heard.append(("some", event.free))

    @rooms.on(PlacesChanged)
    async def all_of_them(_: AsyncSession, event: PlacesChanged) -> None:
        heard.append(("all", event.free))

    service.add(rooms)
    await service.apply(NO_SESSION, [places(0), places(2)])
    assert heard == [("all", 0), ("some", 2), ("all", 2)]
    assert service.hearing(places(0)) == [all_of_them]
