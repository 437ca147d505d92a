"""Listeners: what a service does when it hears an event.

`Projections` write down what was heard and may be rebuilt at any time, so they publish nothing. `Reactions` act, are
never replayed, and run only after the service's own projections have applied the event.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from shared.events import Event, leaves, topic_of

Handler = Callable[[AsyncSession, Any], Awaitable[Any]]
"""Of one event, or, where it was registered with `on_batch`, of a list of them."""
H = TypeVar("H", bound=Handler)
Condition = Callable[[Any], bool]
"""Of the event alone: what it answers does not change."""


class _Together:
    """A handler of batches, which can also be given one event."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    async def __call__(self, session: AsyncSession, event: Event) -> None:
        await self.handler(session, [event])


class Listeners:
    """Event class → handlers of one event, in the order of registration."""

    def __init__(self) -> None:
        self.handlers: dict[type[Event], list[Handler]] = {}
        self._when: dict[Handler, Condition] = {}

    def on(self, *events: type[Event], when: Condition | None = None) -> Callable[[H], H]:
        """Hear these events one by one, those that meet `when`; a base class stands for every event below it."""

        def register(handler: H) -> H:
            self._add(handler, events)
            if when is not None:
                self._when[handler] = when
            return handler

        return register

    def add(self, other: "Listeners") -> None:
        """Hear what `other` hears too."""
        for event, handlers in other.handlers.items():
            self.handlers.setdefault(event, []).extend(handlers)
        self._when |= other._when

    def hearing(self, event: Event) -> list[Handler]:
        """Who hears it, in the order of registration."""
        handlers = self.handlers.get(type(event), [])
        return [each for each in handlers if each not in self._when or self._when[each](event)]

    def topics(self) -> list[str]:
        """The topics that must be read to hear all this."""
        return sorted({topic_of(event.speaker()) for event in self.handlers})

    async def apply(self, session: AsyncSession, events: Iterable[Event]) -> None:
        """Tell the events to all that hear them, in order: to handlers of batches when the others have heard all."""
        batches: dict[_Together, list[Event]] = {}
        for event in events:
            for handler in self.hearing(event):
                if isinstance(handler, _Together):
                    batches.setdefault(handler, []).append(event)
                else:
                    await handler(session, event)
        for handler, batch in batches.items():
            await handler.handler(session, batch)

    def _add(self, handler: Handler, events: Iterable[type[Event]]) -> None:
        for event in events:
            for leaf in leaves(event):
                self.handlers.setdefault(leaf, []).append(handler)


class Projections(Listeners):
    """Write down what was heard; publish nothing."""

    def on_batch(self, *events: type[Event]) -> Callable[[H], H]:
        """Hear these events as they were polled, in one list and in order: `(session, events)`.

        What several handlers write of one aggregate is not written in the order of its events. So a handler of
        batches compares versions, also within the list.
        """

        def register(handler: H) -> H:
            self._add(_Together(handler), events)
            return handler

        return register


class Reactions(Listeners):
    """Act on what was heard, once."""
