"""What the service counts, in Prometheus' text format. No label comes from a request: their number stays small.

https://prometheus.io/docs/instrumenting/writing_exporters/
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE

from core.version import VERSION

__all__ = ["CONTENT_TYPE", "Metrics"]

_PREFIX = "housekeys_partner"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """The figures of one service.

    When they are read, `waiting` and `dropped` are asked of the log of requests, and `missing` of what there must be.
    """

    def __init__(
        self,
        waiting: Callable[[], float] | None = None,
        dropped: Callable[[], float] | None = None,
        missing: Callable[[], float] | None = None,
    ) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            f"{_PREFIX}_requests", "Requests that were answered.", ("endpoint", "status", "word"), registry=registry
        )
        self._seconds = Histogram(
            f"{_PREFIX}_request_seconds",
            "From the request's head to the answer.",
            ("endpoint",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._refused = Counter(
            f"{_PREFIX}_refused", "Requests that were refused before they were read.", ("reason",), registry=registry
        )
        self.in_flight = Gauge(f"{_PREFIX}_requests_in_flight", "Requests that are being answered.", registry=registry)
        Info(f"{_PREFIX}_build", "Which Housekeys this is.", registry=registry).info({"version": VERSION})
        for name, text, ask in (
            ("log_waiting", "Answered requests that are to be written to the log of requests.", waiting),
            ("log_dropped", "Answered requests that the log of requests will not have.", dropped),
            ("missing", "What the template names and is not there: nobody new can be let in.", missing),
        ):
            if ask is not None:
                Gauge(f"{_PREFIX}_{name}", text, registry=registry).set_function(ask)

    def answered(self, endpoint: str, status: int, word: str, seconds: float) -> None:
        """A request was answered. `word` is a redirect value, a reason of an error, or empty: no text of others."""
        self._requests.labels(endpoint or "none", str(status), word).inc()
        self._seconds.labels(endpoint or "none").observe(seconds)

    def refused(self, reason: str) -> None:
        """A request was refused: "credential", "rate", "body" or "path"."""
        self._refused.labels(reason).inc()

    def to_text(self) -> bytes:
        """All figures, of `CONTENT_TYPE`."""
        return generate_latest(self._registry)
