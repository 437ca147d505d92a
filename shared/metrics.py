"""Metrics: what one service has done in this process, counted as it happens.

Each runtime has a registry of its own, so that several services in one process do not mix. Labels are bounded: what the
code declares (routes, listeners, kinds of timers), never an address or anything that was sent.
What stands in the database or on the bus is not counted here but asked when somebody looks (`shared.condition`).
"""

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counters of one service; a method for each thing that happens."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.registry = CollectorRegistry()
        self.failing: dict[str, int] = {}
        """Part of this process (relay, a listener, timers) → how often it has failed in a row; 0: it is well."""
        ProcessCollector(registry=self.registry)
        request = ("service", "method", "route")
        self._answers = self._counter("requests", "Requests answered.", *request, "status")
        self._seconds = Histogram(
            "relink_request_seconds", "From request to answer.", request, registry=self.registry, buckets=SECONDS
        )
        self._sent = self._counter("relay_sent", "Events sent from the outbox to the bus.")
        self._applied = self._counter("listener_applied", "Events gone through the inbox.", "listener")
        self._retried = self._counter("listener_retries", "Times an event was tried again.", "listener")
        self._parked = self._counter("listener_parked", "Keys parked.", "listener")
        self._backed_off = self._counter("back_offs", "Times a part waited for infrastructure.", "part")
        self._timers = self._counter("timers_run", "Timers that fell due.", "kind", "result")

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        names = ["service", *(label for label in labels if label != "service")]
        return Counter(f"relink_{name}", words, names, registry=self.registry)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """`route` as it is declared; `status` is counted by its class."""
        known = method if method in METHODS else "other"
        self._answers.labels(self.service, known, route, f"{status // 100}xx").inc()
        self._seconds.labels(self.service, known, route).observe(seconds)

    def sent(self, events: int) -> None:
        self._sent.labels(self.service).inc(events)

    def applied(self, listener: str, events: int) -> None:
        self._applied.labels(self.service, listener).inc(events)

    def retried(self, listener: str) -> None:
        self._retried.labels(self.service, listener).inc()

    def parked(self, listener: str) -> None:
        self._parked.labels(self.service, listener).inc()

    def backed_off(self, part: str, failures: int) -> None:
        """The part has failed for the `failures`th time in a row and waits."""
        self.failing[part] = failures
        self._backed_off.labels(self.service, part).inc()

    def well(self, part: str) -> None:
        """The part works, or works again."""
        self.failing[part] = 0

    def timer_ran(self, kind: str, result: str) -> None:
        """`result`: done or failed."""
        self._timers.labels(self.service, kind, result).inc()
