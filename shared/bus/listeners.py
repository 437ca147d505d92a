"""Listeners: what a service does when it hears an event.

`Projections` write down what was heard and may be rebuilt at any time, so they publish nothing. `Reactions` act, are
never replayed, and run only after the service's own projections have applied the event.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from shared.events import Event, leaves

Handler = Callable[[AsyncSession, Any], Awaitable[Any]]
H = TypeVar("H", bound=Handler)


class Listeners:
    """Event class → handlers, in the order of registration."""

    def __init__(self) -> None:
        self.handlers: dict[type[Event], list[Handler]] = {}

    def on(self, *events: type[Event]) -> Callable[[H], H]:
        """Hear these events; a base class stands for every event below it."""

        def register(handler: H) -> H:
            for event in events:
                for leaf in leaves(event):
                    self.handlers.setdefault(leaf, []).append(handler)
            return handler

        return register

    def add(self, other: "Listeners") -> None:
        """Hear what `other` hears too."""
        for event, handlers in other.handlers.items():
            self.handlers.setdefault(event, []).extend(handlers)

    def topics(self) -> list[str]:
        """The topics that must be read to hear all this."""
        return sorted({f"relink.{event.speaker()}" for event in self.handlers})


class Projections(Listeners):
    """Write down what was heard; publish nothing."""


class Reactions(Listeners):
    """Act on what was heard, once."""
