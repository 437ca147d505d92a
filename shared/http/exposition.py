"""`/metrics`: what was counted in this process and what is found on asking, in Prometheus' format."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from shared.condition import Condition, look
from shared.runtime import Runtime

Rows = Iterable[tuple[tuple[str, ...], float]]


def _asked(condition: Condition) -> Iterator[tuple[str, str, tuple[str, ...], Rows]]:
    """Name, what it says, labels, and a value for each combination of these. What is not known has no value."""
    stored, lags = condition.stored, condition.lags
    yield "database_up", "1: the service's database answers.", (), [((), float(stored is not None))]
    yield "bus_up", "1: the bus answers.", (), [((), float(lags is not None))]
    if stored is not None:
        parked = stored.parked.items()
        yield "outbox_unsent", "Events that the relay has not sent yet.", (), [((), stored.unsent)]
        yield "outbox_oldest_seconds", "Age of the oldest of them.", (), [((), stored.oldest_unsent)]
        yield "timers_due", "Timers whose time has come.", (), [((), stored.timers_due)]
        yield "timers_failing", "Timers that failed and are tried again.", (), [((), stored.timers_failing)]
        yield "parked_keys", "Keys that wait parked.", ("listener",), [((name,), found.keys) for name, found in parked]
        yield "parked_events", "Events under them.", ("listener",), [((name,), found.events) for name, found in parked]
        braked = [((name,), float(found.braked)) for name, found in parked]
        yield "listener_braked", "1: the listener has stopped, for too many keys were parked.", ("listener",), braked
    if lags is not None:
        rows = [((listener, topic), lag) for listener, topics in lags.items() for topic, lag in topics.items()]
        yield "listener_lag", "Events that a listener has not applied yet.", ("listener", "topic"), rows
    failing = [((part,), times) for part, times in condition.failing.items()]
    yield "failures_in_a_row", "How often a part of this process has failed since it last worked.", ("part",), failing
    states = [((state,), count) for state, count in condition.connections.items()]
    yield "database_connections", "Connections of this process to the service's database.", ("state",), states


class _Everything(Collector):
    def __init__(self, service: str, counted: CollectorRegistry, condition: Condition) -> None:
        self._service = service
        self._counted = counted
        self._condition = condition

    def collect(self) -> Iterator[Metric]:
        yield from self._counted.collect()
        for name, words, labels, rows in _asked(self._condition):
            family = GaugeMetricFamily(f"relink_{name}", words, labels=("service", *labels))
            for values, value in rows:
                family.add_metric([self._service, *values], value)
            yield family


async def metrics_of(runtime: Runtime, request: Request) -> Response:
    """The answer to a scrape, in the format that `Accept` asks for."""
    registry = CollectorRegistry()
    registry.register(_Everything(runtime.settings.service, runtime.metrics.registry, await look(runtime)))
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry), headers={"content-type": content_type})
