"""What a criterion is, how it comes out on a day, and which set of them is in force when.

Three values: *met*, *not met*, *unknown*. They are told from the person's side: met says that this criterion does not
stand in the way, for an exclusion too. An answer that nobody has is unknown, and unknown is never no.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from services.eligibility.criteria.vocabulary import OPERATIONS, MisfitError, Test, Timed
from services.eligibility.facts.catalogue import CATALOGUE
from services.eligibility.facts.domain import Fact, Level, Value


class Outcome(StrEnum):
    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """An inclusion has to hold; an exclusion must not."""

    INCLUSION = "inclusion"
    EXCLUSION = "exclusion"


class Status(StrEnum):
    DRAFT = "draft"
    VALIDATED = "validated"
    RETIRED = "retired"


RESERVED_IDS = frozenset({"area", "criteria", "withheld"})
"""Reasons that are no criterion of a set answer under these names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    criterion_id: str
    kind: Kind
    fact: Fact
    test: Test
    text: Mapping[str, str] = field(default_factory=dict)

    @property
    def level(self) -> Level:
        return self.fact.level

    def outcome(self, facts: Mapping[str, Value], as_of: date) -> Outcome:
        """How it comes out for these answers on that day."""
        answer = facts.get(self.fact.name)
        if answer is None:
            return Outcome.UNKNOWN
        return Outcome.MET if self.test.holds(answer, as_of) is (self.kind is Kind.INCLUSION) else Outcome.NOT_MET

    def turns_on(self, facts: Mapping[str, Value], as_of: date) -> date | None:
        """The first day after `as_of` on which it is met only because time has passed; None if there is none."""
        answer = facts.get(self.fact.name)
        if answer is None or not isinstance(self.test, Timed):
            return None
        first, last = self.test.span(answer)
        if self.kind is Kind.INCLUSION:
            turn = first if first <= last else None
        else:
            turn = None if last == date.max else last + timedelta(days=1)
        return turn if turn is not None and turn > as_of else None


def read_criterion(raw: Mapping[str, Any]) -> Criterion:
    """A criterion from its JSON form. Raises MisfitError when it could not be evaluated."""
    fact = CATALOGUE.get(raw["fact"])
    if fact is None:
        raise MisfitError("/fact", "unknown_fact", "the catalogue has no such fact")
    if raw.get("level") not in (None, fact.level):
        raise MisfitError("/level", "level_does_not_fit", f"this fact is of the {fact.level} level")
    operation = OPERATIONS[raw["operation"]]
    if fact.type not in operation.FITS:
        raise MisfitError("/operation", "operation_does_not_fit", f"this cannot be asked of a {fact.type}")
    if raw["criterion_id"] in RESERVED_IDS:
        raise MisfitError("/criterion_id", "reserved", "this name is kept for reasons that are no criterion")
    return Criterion(
        criterion_id=raw["criterion_id"],
        kind=Kind(raw.get("kind", Kind.INCLUSION)),
        fact=fact,
        test=operation.of(fact, raw),
        text=raw["text"],
    )


def read_set(raws: Sequence[Mapping[str, Any]]) -> tuple[list[Criterion], list[MisfitError]]:
    """The criteria of a set, and what is wrong with those that cannot be read; pointers count from the set."""
    criteria: list[Criterion] = []
    misfits: list[MisfitError] = []
    seen: set[str] = set()
    for index, raw in enumerate(raws):
        try:
            criteria.append(_read_new(raw, seen))
        except MisfitError as misfit:
            misfits.append(MisfitError(f"/criteria/{index}{misfit.pointer}", misfit.code, misfit.detail))
    return criteria, misfits


def _read_new(raw: Mapping[str, Any], seen: set[str]) -> Criterion:
    if raw["criterion_id"] in seen:
        raise MisfitError("/criterion_id", "not_unique", "another criterion of the set has this name")
    seen.add(raw["criterion_id"])
    return read_criterion(raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The set that binds for a service on the day that is asked about; without criteria: open to all."""

    criteria_version: int
    criteria: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """When one validated set of a service binds: from `valid_from`, up to but not on `valid_until`."""

    criteria_version: int
    valid_from: date
    retired_on: date | None = None
    valid_until: date | None = None


def windows(sets: Iterable[Validity]) -> dict[int, Validity]:
    """Each validated set's window, so that at most one binds on any day: the next to begin ends the one before.

    Of two that begin on the same day the later version binds. A set that was retired before it began never stood
    between others; one retired later leaves a gap rather than bringing the former back.
    """
    ordered = sorted(sets, key=lambda one: (one.valid_from, one.criteria_version))
    counted = [one for one in ordered if one.retired_on is None or one.retired_on > one.valid_from]
    following = dict(zip((one.criteria_version for one in counted), counted[1:], strict=False))
    found = {}
    for one in ordered:
        after = following.get(one.criteria_version)
        ends = [day for day in (after.valid_from if after else None, one.retired_on) if day is not None]
        until = max(min(ends), one.valid_from) if ends else None
        found[one.criteria_version] = Validity(
            criteria_version=one.criteria_version,
            valid_from=one.valid_from,
            retired_on=one.retired_on,
            valid_until=until,
        )
    return found
