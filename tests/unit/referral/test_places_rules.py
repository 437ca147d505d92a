"""The arithmetic of places and the order of the queue."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referral.places.domain import (
    CLAIM_MOVES,
    TAKEN,
    Counts,
    PlaceState,
    Turn,
    newcomer_gets_a_place,
    shown,
)

MORNING = datetime(2026, 5, 4, 9, tzinfo=UTC)

turns = st.builds(
    Turn,
    declines=st.integers(0, 3),
    priority=st.sampled_from(["emergency", "urgent", "normal"]),
    vulnerable=st.booleans(),
    queued_at=st.integers(0, 50).map(lambda minutes: MORNING + timedelta(minutes=minutes)),
)
small = st.integers(0, 20)


def test_free_is_what_is_set_aside_less_held_offered_and_used() -> None:
    assert Counts(10, held=2, offered=1, used=4, queued=9).free == 3
    assert Counts(None, held=2).free is None
    assert Counts(1, used=3).free == -2


@given(small, small, small, small, small)
def test_who_queues_takes_nothing(set_aside: int, held: int, offered: int, used: int, queued: int) -> None:
    assert Counts(set_aside, held, offered, used, queued).free == Counts(set_aside, held, offered, used).free


@given(st.lists(turns))
def test_the_order_is_declines_then_priority_then_vulnerability_then_time(waiting: list[Turn]) -> None:
    rank = {"emergency": 0, "urgent": 1, "normal": 2}
    ordered = sorted(waiting, key=Turn.key)
    for earlier, later in pairwise(ordered):
        assert earlier.declines <= later.declines
        if earlier.declines == later.declines:
            assert rank[earlier.priority] <= rank[later.priority]
            if earlier.priority == later.priority:
                assert earlier.vulnerable or not later.vulnerable
                if earlier.vulnerable == later.vulnerable:
                    assert earlier.queued_at <= later.queued_at


@given(turns, turns)
def test_who_declined_stands_behind_whoever_declined_less(one: Turn, other: Turn) -> None:
    declined = Turn(max(one.declines, other.declines) + 1, one.priority, one.vulnerable, one.queued_at)
    assert other.key() < declined.key()


@given(small, small, small, small, small)
def test_no_newcomer_takes_a_place_while_somebody_waits_for_it(
    set_aside: int, held: int, offered: int, used: int, waiting: int
) -> None:
    counts = Counts(set_aside, held, offered, used, waiting)
    got_one = newcomer_gets_a_place(counts, waiting)
    assert got_one == (set_aside > held + offered + used and waiting == 0)


def test_where_places_are_not_counted_there_is_always_one() -> None:
    assert newcomer_gets_a_place(Counts(None, held=500), 3)


@pytest.mark.parametrize("state", PlaceState)
def test_what_is_shown_where_places_are_not_counted(state: PlaceState) -> None:
    expected = state if state is PlaceState.RELEASED else PlaceState.NOT_COUNTED
    assert shown(state, counted=False) is expected
    assert shown(state, counted=True) is state


def test_every_claim_can_be_released_and_none_is_stored_as_not_counted() -> None:
    for state in (*TAKEN, PlaceState.QUEUED):
        assert PlaceState.RELEASED in CLAIM_MOVES[state]
    assert PlaceState.NOT_COUNTED not in {to for reachable in CLAIM_MOVES.values() for to in reachable}
