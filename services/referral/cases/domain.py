"""The rules of a case: the phases it passes, the dates it may have, and how coarsely a person is described."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from shared.errors import Conflict, Forbidden, TransitionNotAllowed, Unprocessable, invalid

ReturnType = Literal["voluntary", "forced", "spontaneous", "unknown"]
Sex = Literal["female", "male", "other", "unknown"]
AgeBand = Literal["0-5", "6-11", "12-17", "18-24", "25-34", "35-49", "50-64", "65+", "unknown"]
Certainty = Literal["fixed", "expected", "unknown"]
Origin = Literal["sender", "hub"]
AssessmentKind = Literal["vulnerability", "risk", "family", "skills", "needs"]
AssessmentPhase = Literal["pre_departure", "in_transit", "arrived", "post_arrival"]

AssessmentResult = Literal["vulnerable", "not_vulnerable", "risk_found", "no_risk_found", "completed"]

UNKNOWN_MEMBER_STATE = "unknown"
"""For somebody who walked in and of whom nobody knows where she returned from."""
VULNERABLE: AssessmentResult = "vulnerable"
RESULTS: Mapping[AssessmentKind, tuple[AssessmentResult, ...]] = {
    "vulnerability": (VULNERABLE, "not_vulnerable"),
    "risk": ("risk_found", "no_risk_found"),
    "family": ("completed",),
    "skills": ("completed",),
    "needs": ("completed",),
}
"""Kind of assessment → what may result from it. What else was found belongs into the sealed answers."""


class NotCaseOwner(Forbidden):
    """Only the case owner may do this"""


class ReferralsOpen(Conflict):
    """The case still has open referrals"""


class CaseIsClosed(Conflict):
    """The case is closed: nothing more is recorded in it"""


class NotArrived(Conflict):
    """Before the arrival only the case owner assesses"""


class Phase(StrEnum):
    PRE_DEPARTURE = "pre_departure"
    IN_TRANSIT = "in_transit"
    ARRIVED = "arrived"
    POST_ARRIVAL = "post_arrival"
    CLOSED = "closed"


class CaseAction(StrEnum):
    DEPART = "depart"
    ARRIVE = "arrive"
    CANCEL_RETURN = "cancel_return"
    CLOSE = "close"
    ERASE = "erase"


@dataclass(frozen=True)
class Move:
    """Out of which phases an action leads, and into which."""

    out_of: frozenset[Phase]
    into: Phase
    refused_with_open_referrals: bool = False


_AHEAD = frozenset({Phase.PRE_DEPARTURE, Phase.IN_TRANSIT})
_OPEN = frozenset(Phase) - {Phase.CLOSED}

MOVES: Mapping[CaseAction, Move] = {
    CaseAction.DEPART: Move(out_of=frozenset({Phase.PRE_DEPARTURE}), into=Phase.IN_TRANSIT),
    CaseAction.ARRIVE: Move(out_of=_AHEAD, into=Phase.ARRIVED),
    # What had not started is cancelled because of it, so open referrals are no obstacle.
    CaseAction.CANCEL_RETURN: Move(out_of=_AHEAD, into=Phase.CLOSED),
    CaseAction.CLOSE: Move(out_of=_OPEN, into=Phase.CLOSED, refused_with_open_referrals=True),
    CaseAction.ERASE: Move(out_of=frozenset(Phase), into=Phase.CLOSED, refused_with_open_referrals=True),
}
ARRIVED_PHASES = frozenset({Phase.ARRIVED, Phase.POST_ARRIVAL})


def allowed(phase: Phase, erased: bool = False) -> list[CaseAction]:
    """What may be done with a case in this phase; with an erased one, nothing."""
    return [] if erased else [action for action, move in MOVES.items() if phase in move.out_of]


def decide(action: CaseAction, phase: Phase, *, erased: bool = False, open_referrals: int = 0) -> Phase:
    """The phase after the action, or the refusal."""
    if action not in allowed(phase, erased):
        raise TransitionNotAllowed("erased" if erased else phase, [str(each) for each in allowed(phase, erased)])
    move = MOVES[action]
    if move.refused_with_open_referrals and open_referrals:
        raise ReferralsOpen(open_referrals=open_referrals)
    return move.into


def after_first_contact(phase: Phase) -> Phase:
    """A first contact, or the first service that starts, leads from arrived to post-arrival and nowhere else."""
    return Phase.POST_ARRIVAL if phase is Phase.ARRIVED else phase


_UPPER_AGES: tuple[tuple[int, AgeBand], ...] = (
    (5, "0-5"),
    (11, "6-11"),
    (17, "12-17"),
    (24, "18-24"),
    (34, "25-34"),
    (49, "35-49"),
    (64, "50-64"),
)


_APOSTROPHES = "'`\u2018\u2019\u02bc\u02bb"
"""Inside one part of a name, and often left out."""


def age(born_on: date, on: date) -> int:
    """Completed years; who was born on 29 February completes one on 1 March where the year has no such day."""
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


def age_band(born_on: date, on: date) -> AgeBand:
    """The band of the years completed on that day."""
    years = age(born_on, on)
    return next((band for upper, band in _UPPER_AGES if years <= upper), "65+")


def comparable_name(name: str) -> str:
    """The name without regard to case, accents, punctuation and the order of its parts."""
    letters = (letter for letter in unicodedata.normalize("NFKD", name).casefold() if not unicodedata.combining(letter))
    spaced = "".join(letter if letter.isalnum() else "" if letter in _APOSTROPHES else " " for letter in letters)
    return " ".join(sorted(spaced.split()))


def check_travel(
    planned_departure_on: date | None, planned_arrival_on: date | None, certainty: Certainty, *, walked_in: bool
) -> None:
    """Nobody arrives before she leaves, and only a date can be fixed or expected; travel may be unknown for long."""
    errors = []
    if planned_departure_on and planned_arrival_on and planned_arrival_on < planned_departure_on:
        errors.append(invalid("/planned_arrival_on", "lies before the planned departure", "before_departure"))
    if not walked_in and certainty != "unknown" and planned_arrival_on is None:
        errors.append(
            invalid("/planned_arrival_on", "is needed for an arrival that is fixed or expected", "date_missing")
        )
    if errors:
        raise Unprocessable(errors=errors)


def check_departure(departed_on: date, today: date) -> None:
    if departed_on > today:
        raise Unprocessable(errors=[invalid("/departed_on", "lies in the future", "in_future")])


def check_arrival(arrived_on: date, left_on: date | None, today: date) -> None:
    """`left_on` is the day of departure, or the planned one while nobody has recorded it."""
    errors = []
    if arrived_on > today:
        errors.append(invalid("/arrived_on", "lies in the future", "in_future"))
    if left_on is not None and arrived_on < left_on:
        errors.append(invalid("/arrived_on", "lies before the departure", "before_departure"))
    if errors:
        raise Unprocessable(errors=errors)


def check_birth(pointer: str, born_on: date, today: date) -> None:
    if born_on > today:
        raise Unprocessable(errors=[invalid(pointer, "lies in the future", "in_future")])


def check_assessment(kind: AssessmentKind, result: str, assessed_on: date, today: date) -> None:
    """Not in the future, and with a result of its kind: a vulnerability screening orders waiting lists."""
    errors = []
    if assessed_on > today:
        errors.append(invalid("/assessed_on", "lies in the future", "in_future"))
    if result not in RESULTS[kind]:
        detail = f"is {' or '.join(RESULTS[kind])} for an assessment of this kind"
        errors.append(invalid("/result", detail, "result"))
    if errors:
        raise Unprocessable(errors=errors)
