"""What Prometheus is told, on a Unix socket or on a port of loopback.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from pathlib import Path

from pullpass.agent.counters import Counters
from pullpass.agent.pages import Page, pages_served
from pullpass.errors import UsageError

try:
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
    from prometheus_client.exposition import CONTENT_TYPE_LATEST
    from prometheus_client.registry import Collector
except ImportError as error:
    raise UsageError("metrics need more: pip install 'pullpass[plugin]'") from error


class AgentCollector(Collector):
    """Shows the agent's counters when it is asked."""

    def __init__(self, counters: Counters, connections: Callable[[], int]) -> None:
        self._counters = counters
        self._connections = connections

    def collect(self) -> Iterator[Metric]:
        """Yields every metric as it is now."""
        counters = self._counters
        requests = CounterMetricFamily(
            "pullpass_agent_requests", "Requests answered.", labels=["verb", "status"]
        )
        for (verb, status), count in counters.requests.items():
            requests.add_metric([verb, status], count)
        yield requests
        seconds = CounterMetricFamily(
            "pullpass_agent_request_seconds", "Time from request to reply.", labels=["verb"]
        )
        for verb, taken in counters.seconds.items():
            seconds.add_metric([verb], taken)
        yield seconds
        reloads = CounterMetricFamily(
            "pullpass_agent_reloads", "Reloads of the configuration.", labels=["outcome"]
        )
        for outcome, count in counters.reloads.items():
            reloads.add_metric([outcome], count)
        yield reloads
        yield from self._plain()

    def _plain(self) -> Iterator[Metric]:
        counters = self._counters
        for name, text, value in (
            ("exchanges", "Identities minted and shown.", counters.exchanges),
            ("shared", "Requests that joined an exchange in progress.", counters.shared),
            ("reused", "Requests that a kept credential answered.", counters.reused),
            ("refused", "Connections beyond the bounds.", counters.refused),
            ("malformed", "Connections without a request.", counters.malformed),
        ):
            yield CounterMetricFamily(f"pullpass_agent_{name}", text, value=value)
        yield GaugeMetricFamily(
            "pullpass_agent_connections", "Connections open now.", value=self._connections()
        )


def exposing(
    where: Path | tuple[str, int], counters: Counters, connections: Callable[[], int]
) -> AbstractAsyncContextManager[None]:
    """Answers Prometheus at where for the length of a block.

    Raises:
        ConfigError: if nothing can listen there.
    """
    registry = CollectorRegistry()
    registry.register(AgentCollector(counters, connections))

    def page(path: str) -> Page:
        if path != "/metrics":
            return Page(status=HTTPStatus.NOT_FOUND, body=b"ask for /metrics\n")
        return Page(kind=CONTENT_TYPE_LATEST, body=generate_latest(registry))

    return pages_served(where, page, "agent.metrics")
