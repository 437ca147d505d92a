"""Traces: one trace goes from the request over the bus to the projection (W3C Trace Context).

Without a collector nothing is recorded: the context only goes on from hand to hand, as `shared.telemetry` does it.
A span holds names that the code declares, ids, codes and numbers: no address as it was sent, no query, no body.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Literal, TypeVar

from shared import telemetry

Kind = Literal["server", "producer", "consumer", "internal"]
Attributes = Mapping[str, str | int]
Tell = Callable[[str, Attributes], None]
"""Says what the span is called and more about it, once that is known."""
T = TypeVar("T")
Carried = tuple[str, object, str | None]
"""Of an event: its type, its id, and the trace it was said in."""


class Traces:
    """Of one service. This one records nothing; `shared.otlp` has the one that does."""

    def span(self, kind: Kind, name: str, incoming: str | None = None) -> AbstractContextManager[Tell]:
        """What is done inside belongs to the trace of `incoming`, or to a new one."""
        return self._go_on(incoming)

    def events(
        self, kind: Kind, who: str, events: Sequence[T], carried: Callable[[T], Carried]
    ) -> AbstractContextManager[object]:
        """Inside, `who` does what it does with these events: a span for each, in the trace that it was said in.

        With a single event that trace is gone on with; what is done for many at once belongs to none of theirs.
        """
        return self._go_on(carried(events[0])[2] if len(events) == 1 else None)

    @contextmanager
    def _go_on(self, incoming: str | None) -> Iterator[Tell]:
        telemetry.begin_trace(incoming)
        yield lambda name, about: None

    async def close(self) -> None:
        """What was recorded is sent, if anybody takes it."""


SILENT = Traces()


def open_traces(service: str, endpoint: str) -> Traces:
    """To the collector at `endpoint`; without one the SDK is not even loaded."""
    if not endpoint:
        return Traces()
    from shared.otlp import OtlpTraces  # noqa: PLC0415  # half a second of imports that few want

    return OtlpTraces(service, endpoint)
