"""What the catalogue looks like from outside."""

from pydantic import Field

from services.eligibility.facts.domain import FactType, Level, Sensitivity
from shared.http.schema import Out


class FactOut(Out):
    """A fact that criteria may ask about and profiles may answer."""

    name: str = Field(description="Its name in a profile and in a criterion.")
    type: FactType
    unit: str | None = None
    allowed: tuple[str, ...] = Field(default=(), description="The codes it may have; empty where `pattern` says them.")
    pattern: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    level: Level
    question: dict[str, str] = Field(description="How a person is asked, by ISO 639-3 language.")
    sensitivity: Sensitivity
    never_leaves: bool = Field(
        description="True when an asylum claim would follow from it: nobody outside a member state may send it, "
        "or is shown a reason that rests on it.",
    )
