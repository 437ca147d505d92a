"""Who may do what in eligibility: the types of the endpoints' `actor` argument, and who counts as a member state."""

from typing import Annotated

from shared.actor import Actor
from shared.http import needs

Evaluator = Annotated[Actor, needs("eligibility:evaluate")]
Writer = Annotated[Actor, needs("eligibility:write")]
Validator = Annotated[Actor, needs("eligibility:validate")]

VALIDATES = "eligibility:validate"

SENDING_STATES = frozenset(
    (
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU"),
        *("LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
        *("CH", "IS", "LI", "NO"),
    )
)
"""The member states of the European Union and the states associated with Schengen."""


def stays(actor: Actor, country: str) -> bool:
    """Whether what this actor is shown about a return to `country` stays in a member state.

    Only a token that names a member state says so; without a country nobody knows where it goes.
    """
    return actor.country in SENDING_STATES and actor.country != country
