"""Doubts: what may be doubted, by whom it is said, and how a doubt ends. All lists are the project's own."""

from enum import StrEnum

from shared.errors import Conflict


class Source(StrEnum):
    """Whose experience it is."""

    RETURNEE = "returnee"
    HUB = "hub"
    MEMBER_STATE = "member_state"
    PROVIDER = "provider"
    OTHER = "other"


class Outcome(StrEnum):
    CORRECTED = "corrected"
    """The entry was wrong and has been put right."""
    UNFOUNDED = "unfounded"
    """The entry is right as it stands."""


class NotPublished(Conflict):
    """Only a published service can be doubted"""


class AlreadyResolved(Conflict):
    """This doubt has been resolved"""
