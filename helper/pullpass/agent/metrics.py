"""What Prometheus is told, on a Unix socket or on a port of loopback.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from pullpass.agent.counters import Counters
from pullpass.errors import ConfigError, UsageError

try:
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
    from prometheus_client.exposition import CONTENT_TYPE_LATEST
    from prometheus_client.registry import Collector
except ImportError as error:
    raise UsageError("metrics need more: pip install 'pullpass[plugin]'") from error

MAX_HEAD: Final = 8192  # bytes of a request
PATIENCE: Final = 5.0  # seconds for a request and for its answer


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


@asynccontextmanager
async def exposing(
    where: Path | tuple[str, int], counters: Counters, connections: Callable[[], int]
) -> AsyncIterator[None]:
    """Answers Prometheus at where.

    Raises:
        ConfigError: if nothing can listen there.
    """
    registry = CollectorRegistry()
    registry.register(AgentCollector(counters, connections))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_answer(head, registry))
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass  # nobody there, or nobody who speaks HTTP
        finally:
            writer.close()

    server = await _listen(where, answer)
    async with server:
        yield


async def _listen(
    where: Path | tuple[str, int],
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> asyncio.Server:
    try:
        if isinstance(where, Path):
            return await asyncio.start_unix_server(answer, where, limit=MAX_HEAD)
        return await asyncio.start_server(answer, *where, limit=MAX_HEAD)
    except OSError as error:
        raise ConfigError(
            f"nothing can listen there: {error.strerror}", key="agent.metrics"
        ) from error


def _answer(head: bytes, registry: CollectorRegistry) -> bytes:
    wanted = head.split(b" ", 2)[:2]
    found = wanted == [b"GET", b"/metrics"]
    body = generate_latest(registry) if found else b"ask for /metrics\n"
    status = "200 OK" if found else "404 Not Found"
    kind = CONTENT_TYPE_LATEST if found else "text/plain"
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
