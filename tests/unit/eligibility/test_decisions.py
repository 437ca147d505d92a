"""A decision against the verdict says why, and an appeal is decided by somebody else."""

import pytest

from services.eligibility.criteria.domain import Outcome
from services.eligibility.decisions.domain import (
    Decided,
    DecisionUnfounded,
    SamePerson,
    require_another_person,
    require_founded,
    verdict_with,
)
from services.eligibility.matching.domain import Verdict

MET, NOT_MET, UNKNOWN = Outcome.MET, Outcome.NOT_MET, Outcome.UNKNOWN


def test_an_override_takes_the_place_of_the_outcome() -> None:
    outcomes = [("adult", NOT_MET), ("papers", UNKNOWN)]
    assert verdict_with(outcomes, {}) is Verdict.NOT_ELIGIBLE
    assert verdict_with(outcomes, {"adult": MET}) is Verdict.NEEDS_INFORMATION
    assert verdict_with(outcomes, {"adult": MET, "papers": MET}) is Verdict.ELIGIBLE


@pytest.mark.parametrize(
    ("decided", "outcome", "overridden", "reasons"),
    [
        ("eligible", MET, None, False),
        ("not_eligible", NOT_MET, None, False),
        ("eligible", NOT_MET, MET, False),
        ("eligible", UNKNOWN, MET, False),
        ("not_eligible", UNKNOWN, NOT_MET, False),
        ("eligible", NOT_MET, None, True),
        ("not_eligible", MET, None, True),
        ("eligible", UNKNOWN, None, True),
    ],
)
def test_a_decision_stands_when_it_follows_or_says_why(
    decided: Decided, outcome: Outcome, overridden: Outcome | None, reasons: bool
) -> None:
    require_founded(decided, [("adult", outcome)], {"adult": overridden} if overridden else {}, reasons)


@pytest.mark.parametrize(
    ("decided", "outcome", "overridden"),
    [
        ("eligible", NOT_MET, None),
        ("not_eligible", MET, None),
        ("eligible", UNKNOWN, None),
        ("not_eligible", UNKNOWN, None),
        ("eligible", MET, NOT_MET),
    ],
)
def test_a_decision_that_does_not_follow_and_says_nothing_is_refused(
    decided: Decided, outcome: Outcome, overridden: Outcome | None
) -> None:
    with pytest.raises(DecisionUnfounded):
        require_founded(decided, [("adult", outcome)], {"adult": overridden} if overridden else {}, has_reasons=False)


def test_who_decided_does_not_decide_the_appeal() -> None:
    require_another_person("one", "another")
    with pytest.raises(SamePerson):
        require_another_person("one", "one")
