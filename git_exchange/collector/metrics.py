"""What the receiver counts, in Prometheus' text format, in a registry of its own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from git_exchange.collector.inbox import Counts

CONTENT_TYPE = CONTENT_TYPE_LATEST
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """One receiver's counts. docs/how-to/collector.md says what to watch."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # memory and open files, on Linux
        self._hooks = Counter(
            "git_exchange_hooks",
            "Requests to /hooks by what was answered.",
            ["status", "outcome"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "git_exchange_hook_seconds",
            "From the end of a hook's body to its answer.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.pending = Gauge(
            "git_exchange_hooks_pending", "Requests to /hooks that wait for the inbox.", registry=self.registry
        )
        self.connections = Gauge("git_exchange_connections", "Open connections.", registry=self.registry)
        self.evicted = Counter(
            "git_exchange_connections_evicted",
            "Connections closed to make room for new ones.",
            registry=self.registry,
        )
        self.not_woken = Counter(
            "git_exchange_not_woken",
            "Deliveries of which no worker was told; they look themselves.",
            registry=self.registry,
        )
        self._up = Gauge("git_exchange_inbox_up", "Whether the inbox answers.", registry=self.registry)
        self._deliveries = Gauge(
            "git_exchange_inbox_deliveries", "Deliveries in the inbox by state.", ["state"], registry=self.registry
        )
        self._oldest = Gauge(
            "git_exchange_inbox_oldest_seconds", "Age of the oldest delivery that waits.", registry=self.registry
        )

    def answered(self, status: int, outcome: str, seconds: float) -> None:
        """Count an answer to a hook."""
        self._hooks.labels(str(status), outcome).inc()
        self._seconds.observe(seconds)

    def text(self, counts: Counts | None) -> bytes:
        """Return everything; ``counts`` is None if the inbox did not answer."""
        self._up.set(counts is not None)
        self._deliveries.clear()
        if counts is not None:
            for state in ("waiting", "leased", "done", "dead"):
                self._deliveries.labels(state).set(getattr(counts, state))
        self._oldest.set(0.0 if counts is None or counts.oldest_waiting is None else counts.oldest_waiting)
        return generate_latest(self.registry)
