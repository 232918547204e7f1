"""What Prometheus is told of an issuer server."""

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from pullpass.config.issuing import KeySettings
from pullpass.issuer.shelf import Shelf
from pullpass.keys.rotation import due
from pullpass.keys.transit import State, TransitKey


class Metrics:
    """Counts requests, and tells how the keys are when it is asked."""

    kind = CONTENT_TYPE_LATEST

    def __init__(self, shelf: Shelf) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Keys(shelf))
        self._requests = Counter(
            "pullpass_issuer_requests",
            "Documents asked for.",
            ["document", "status"],
            registry=self._registry,
        )

    def count(self, document: str, status: int) -> None:
        """Notes one answer."""
        self._requests.labels(document, status).inc()

    def told(self) -> bytes:
        """Returns every metric as it is now."""
        return generate_latest(self._registry)


class _Keys(Collector):
    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def collect(self) -> Iterator[Metric]:
        versions = GaugeMetricFamily(
            "pullpass_key_versions", "Versions of a signing key.", labels=["key", "state"]
        )
        overdue = GaugeMetricFamily(
            "pullpass_key_overdue_seconds", "How late a key's next change is.", labels=["key"]
        )
        failures = CounterMetricFamily(
            "pullpass_issuer_look_failures", "Looks at a key in vain.", labels=["issuer"]
        )
        for shown in self._shelf.shown:
            failures.add_metric([shown.issuer.name], shown.failures)
        for key, settings in self._keys():
            overdue.add_metric([key.name], max(0.0, time.time() - due(key, settings)))
            for state in State:
                versions.add_metric([key.name, state], len(key.of(state)))
        yield from (versions, overdue, failures)

    def _keys(self) -> list[tuple[TransitKey, KeySettings]]:
        """Returns each key once, however many issuers sign with it."""
        found = {one.key.name: (one.key, one.settings) for one in self._shelf.shown if one.key}
        return list(found.values())
