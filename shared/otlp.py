"""Spans to an OpenTelemetry collector, by OTLP over HTTP, in batches from a thread of their own.

The SDK's own variables hold as everywhere: `OTEL_TRACES_SAMPLER`, `OTEL_BSP_…`, `OTEL_RESOURCE_ATTRIBUTES`. A collector
that is away costs spans and nothing else.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared import telemetry
from shared.traces import Attributes, Carried, Kind, T, Tell, Traces

KINDS = {
    "server": SpanKind.SERVER,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
    "internal": SpanKind.INTERNAL,
}
DOES = {"producer": "send", "consumer": "process"}
SEND_SECONDS = 5
_propagator = TraceContextTextMapPropagator()


def _parent(incoming: str | None) -> Context:
    return _propagator.extract({"traceparent": incoming or ""}, Context())


def _traceparent(span: Span) -> str:
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _failed(span: Span, error: BaseException) -> None:
    """By the class of the error and not by its text, which may hold data."""
    span.set_attribute("error.type", type(error).__name__)
    span.set_status(StatusCode.ERROR)


def _about(kind: Kind, who: str, event: Carried) -> tuple[str, Attributes]:
    """Name and attributes of what is done with an event, as OpenTelemetry's conventions for messaging have them."""
    event_type, event_id, _ = event
    does = DOES[kind]
    return f"{does} {event_type}", {
        "messaging.operation.name": does,
        "messaging.operation.type": does,
        "messaging.destination.name": event_type.rpartition(".")[0],
        "messaging.message.id": str(event_id),
        "messaging.consumer.group.name" if kind == "consumer" else "messaging.client.id": who,
    }


class OtlpTraces(Traces):
    """Records every span and sends it to the collector at `endpoint`."""

    def __init__(self, service: str, endpoint: str) -> None:
        exporter = OTLPSpanExporter(endpoint.rstrip("/") + "/v1/traces", timeout=SEND_SECONDS)
        resource = Resource.create({"service.name": f"relink-{service}"})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("relink")

    @contextmanager
    def span(self, kind: Kind, name: str, incoming: str | None = None) -> Iterator[Tell]:
        with self._span(kind, name, incoming) as span:

            def tell(name: str, about: Attributes) -> None:
                span.update_name(name)
                span.set_attributes(about)

            yield tell

    @contextmanager
    def events(self, kind: Kind, who: str, events: Sequence[T], carried: Callable[[T], Carried]) -> Iterator[object]:
        if len(events) == 1:
            alone = carried(events[0])
            name, about = _about(kind, who, alone)
            with self._span(kind, name, alone[2]) as span:
                span.set_attributes(about)
                yield None
            return
        telemetry.begin_trace(None)
        began, error = time.time_ns(), None
        try:
            yield None
        except BaseException as raised:
            error = raised
            raise
        finally:
            for event in map(carried, events):
                name, about = _about(kind, who, event)
                span = self._tracer.start_span(name, _parent(event[2]), KINDS[kind], about, start_time=began)
                if error is not None:
                    _failed(span, error)
                span.end()

    @contextmanager
    def _span(self, kind: Kind, name: str, incoming: str | None) -> Iterator[Span]:
        span = self._tracer.start_span(name, _parent(incoming), KINDS[kind])
        telemetry.go_on(_traceparent(span))
        try:
            yield span
        except BaseException as error:
            _failed(span, error)
            raise
        finally:
            span.end()

    async def close(self) -> None:
        await asyncio.to_thread(self._provider.shutdown)
