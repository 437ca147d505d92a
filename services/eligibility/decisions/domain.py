"""What a decision needs to stand, and who may decide an appeal (GDPR Art. 22: no verdict binds by itself)."""

from collections.abc import Iterable, Mapping
from typing import Literal

from services.eligibility.criteria.domain import Outcome
from services.eligibility.matching.domain import Verdict, verdict_of
from shared.errors import Conflict, Unprocessable, invalid

Decided = Literal["eligible", "not_eligible"]


class DecisionUnfounded(Unprocessable):
    """A decision against the automatic verdict needs reasons or overrides"""


class DecisionSuperseded(Conflict):
    """A later decision has taken the place of this one"""


class AppealOpen(Conflict):
    """An appeal against this decision is still open"""


class AppealDecided(Conflict):
    """This appeal has been decided"""


class SamePerson(Conflict):
    """An appeal is decided by somebody else than the decision it is against"""


def verdict_with(outcomes: Iterable[tuple[str, Outcome]], overrides: Mapping[str, Outcome]) -> Verdict:
    """The verdict once single criteria are judged by a person instead."""
    return verdict_of(overrides.get(criterion_id, outcome) for criterion_id, outcome in outcomes)


def require_founded(
    decided: Decided, outcomes: Iterable[tuple[str, Outcome]], overrides: Mapping[str, Outcome], has_reasons: bool
) -> None:
    """A decision that does not follow from the verdict, overrides counted, says why; else DecisionUnfounded."""
    if verdict_with(outcomes, overrides).value != decided and not has_reasons:
        raise DecisionUnfounded(
            errors=[invalid("/reasons", "the decision does not follow from the verdict: say why", "reasons_missing")]
        )


def require_another_person(decided_by: str, deciding: str) -> None:
    """Raises SamePerson when who decides the appeal also took the decision."""
    if decided_by == deciding:
        raise SamePerson
