"""The rules of consents and derogations."""

from datetime import date
from typing import Literal

from shared.errors import Conflict, Unprocessable, invalid

Purpose = Literal["assistance", "follow_up", "evaluation"]
"""To be assisted by the recipients; to be asked later how it went; to be part of an evaluation."""
RecipientKind = Literal[
    "public_authority",
    "international_organisation",
    "development_agency",
    "ngo",
    "private",
    "academic",
    "diaspora",
    "community",
]
Article = Literal[
    "49(1)(a)",
    "49(1)(b)",
    "49(1)(c)",
    "49(1)(d)",
    "49(1)(e)",
    "49(1)(f)",
    "49(1)(g)",
    "49(1) second subparagraph",
]

NOT_FOR_PUBLIC_AUTHORITIES: frozenset[Article] = frozenset(
    {"49(1)(a)", "49(1)(b)", "49(1)(c)", "49(1) second subparagraph"}
)
"""GDPR Art. 49(3): explicit consent, contract, contract in the interest of the person and compelling legitimate
interests do not apply to what public authorities do in the exercise of their public powers."""


class DerogationNotForPublicAuthority(Conflict):
    """A public authority cannot rest a transfer on this derogation (GDPR Art. 49(3))"""


def check_derogation(article: Article, sender_kind: str | None, valid_until: date, today: date) -> None:
    """`sender_kind` is the case owner's kind of organisation; while it is unknown the stricter rule holds."""
    if valid_until < today:
        raise Unprocessable(errors=[invalid("/valid_until", "lies in the past", "in_past")])
    if sender_kind in (None, "public_authority") and article in NOT_FOR_PUBLIC_AUTHORITIES:
        raise DerogationNotForPublicAuthority
    # Whether the ground really holds is the sender's judgement; its justification is recorded beside it.


def check_consent(given_on: date, valid_until: date | None, today: date) -> None:
    errors = []
    if given_on > today:
        errors.append(invalid("/given_on", "lies in the future", "in_future"))
    if valid_until is not None and valid_until < given_on:
        errors.append(invalid("/valid_until", "lies before the day on which it was given", "before_given"))
    if errors:
        raise Unprocessable(errors=errors)
