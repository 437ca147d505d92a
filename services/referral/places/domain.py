"""The arithmetic of places and the fairness of the queue."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PlaceState(StrEnum):
    HELD = "held"
    QUEUED = "queued"
    OFFERED = "offered"
    USED = "used"
    RELEASED = "released"
    NOT_COUNTED = "not_counted"


TAKEN = frozenset({PlaceState.HELD, PlaceState.OFFERED, PlaceState.USED})
"""A claim in one of these has a place of its own."""

CLAIM_MOVES: Mapping[PlaceState | None, frozenset[PlaceState]] = {
    None: frozenset({PlaceState.HELD, PlaceState.QUEUED}),
    PlaceState.HELD: frozenset({PlaceState.QUEUED, PlaceState.USED, PlaceState.RELEASED}),
    PlaceState.QUEUED: frozenset({PlaceState.OFFERED, PlaceState.HELD, PlaceState.RELEASED}),
    PlaceState.OFFERED: frozenset({PlaceState.HELD, PlaceState.QUEUED, PlaceState.RELEASED}),
    PlaceState.USED: frozenset({PlaceState.RELEASED}),
    PlaceState.RELEASED: frozenset({PlaceState.HELD, PlaceState.QUEUED}),
}
"""How a referral's claim may change. Where places are not counted a claim changes alike, but binds nothing."""

URGENCY: Mapping[str, int] = {"emergency": 0, "urgent": 1, "normal": 2}


@dataclass(frozen=True)
class Counts:
    """How the places of a service stand. `set_aside` is None where they are not counted."""

    set_aside: int | None
    held: int = 0
    offered: int = 0
    used: int = 0
    queued: int = 0

    @property
    def free(self) -> int | None:
        """None where places are not counted; below zero after fewer were set aside than are taken: nobody loses his."""
        return None if self.set_aside is None else self.set_aside - self.held - self.offered - self.used


@dataclass(frozen=True)
class Turn:
    """What decides who comes next: who declined fewer places, the more urgent, the vulnerable, who waits longer."""

    declines: int
    priority: str
    vulnerable: bool
    queued_at: datetime

    def key(self) -> tuple[int, int, bool, datetime]:
        return (self.declines, URGENCY[self.priority], not self.vulnerable, self.queued_at)


def newcomer_gets_a_place(counts: Counts, waiting: int) -> bool:
    """A newcomer takes a free place only while nobody waits who has not had it. `waiting` counts those.

    Whoever declined the place that is free now does not keep others from it.
    """
    return counts.free is None or (counts.free > 0 and waiting == 0)


def shown(state: PlaceState, counted: bool) -> PlaceState:
    """What is said of a claim: where places are not counted there is none to hold, queue for or use."""
    return state if counted or state is PlaceState.RELEASED else PlaceState.NOT_COUNTED
