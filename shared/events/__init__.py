"""What the services tell each other: one module per speaking service, one class per event.

An event is a fact in the past, said once and never changed. Its class says what it is called, about whom it is
(`subject_field`) and which events it stays in order with (`key_field`: the case for everything about a case, otherwise
the aggregate). A class changes by addition only; readers ignore what they do not know.
Fields hold ids, codes, numbers and dates: no identity, no fact about a person beyond the coarse attributes, no text
that a person wrote about another.
"""

from importlib import import_module
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

SPEAKERS = ("registry", "eligibility", "referral", "monitoring")


def topic_of(speaker: str) -> str:
    """Where a service's events appear once they are published."""
    return f"relink.{speaker}"


def replay_of(topic: str) -> str:
    """Where the owner of a topic publishes again what has expired on it. Only rebuilds read there, so nothing acts."""
    return f"{topic}.replay"


TOPICS = [name for speaker in SPEAKERS for name in (topic_of(speaker), replay_of(topic_of(speaker)))]


class Part(BaseModel):
    """Base of what an event holds more than one field of."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Event(BaseModel):
    """Base of every event. Subclasses live in the module of the service that says them."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    subject_field: ClassVar[str]
    key_field: ClassVar[str]
    version: int
    """The aggregate's version after the change; projections apply an event only if it is newer than what they hold."""

    @classmethod
    def speaker(cls) -> str:
        return cls.__module__.rpartition(".")[2]

    @classmethod
    def type_name(cls) -> str:
        """The CloudEvents type, for example `relink.referral.ReferralCreated`."""
        return f"relink.{cls.speaker()}.{cls.__name__}"

    @property
    def subject(self) -> UUID:
        subject: UUID = getattr(self, self.subject_field)
        return subject

    @property
    def partition_key(self) -> UUID:
        key: UUID = getattr(self, self.key_field)
        return key


def _concrete(base: type[Event]) -> list[type[Event]]:
    """Every event class below `base` that is said: a class without subclasses, or one that says so itself."""
    below = base.__subclasses__()
    return [base] if not below else [leaf for child in below for leaf in _concrete(child)]


def leaves(base: type[Event]) -> list[type[Event]]:
    """The events that a listener for `base` hears: `base` itself, or all that are said below it."""
    return _concrete(base)


def event_types() -> dict[str, type[Event]]:
    """CloudEvents type → class, for every event any service says, in the order of the speakers."""
    for speaker in SPEAKERS:
        import_module(f"shared.events.{speaker}")
    said = sorted(leaves(Event), key=lambda event: SPEAKERS.index(event.speaker()))
    return {event.type_name(): event for event in said}
