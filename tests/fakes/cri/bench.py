"""A runtime, the shim before it and a client of the shim, in one event loop."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fakes.cri.client import Client, connected
from fakes.cri.runtime import Runtime, listening
from fakes.cri.source import Source, granted
from pullpass.agent.journal import Journal
from pullpass.config.model import Config
from pullpass.config.parse import parse
from pullpass_plugin.cri.counters import Counters
from pullpass_plugin.cri.server import served

REGISTRY: Final = "registry.example.com"
IMAGE: Final = f"{REGISTRY}/team/app:v1"


def config(place: Path, *, cri: dict[str, Any] | None = None, **pull: Any) -> Config:
    """Returns settings whose sockets are in place; pull is the registry's table for the shim."""
    entry = {"repository": "team/*", "issuer": "nodes", "role": "by-pod"}
    registry = {"provider": "passthrough", "credential": [entry], "cri": pull}
    role = {
        "allowed_audiences": [REGISTRY, "docker.io"],
        "subject_template": "${k8s.namespace}",
    }
    issuer = {
        "issuer": "https://id.example.com/nodes",
        "signing_key": "identity",
        "roles": {"by-pod": role},
    }
    sockets = {
        name: str(place / f"{name}.sock") for name in ("listen", "backend", "status", "agent")
    }
    settings = {
        "keys": {"identity": {}},
        "issuers": {"nodes": issuer},
        "registry": {
            REGISTRY: registry,
            "docker.io": {**registry, "credential": [{**entry, "repository": "*"}]},
        },
        "cri": sockets | (cri or {}),
    }
    return parse(settings, place)


@dataclass(slots=True, eq=False)
class Bench:
    """All there is around a shim."""

    config: Config
    source: Source
    runtime: Runtime
    client: Client
    counters: Counters
    direct: Client
    log: list[dict[str, Any]] = field(default_factory=list)


@asynccontextmanager
async def bench(
    place: Path,
    settings: Config | None = None,
    *,
    runtime: Runtime | None = None,
    source: Source | None = None,
    up: bool = True,
) -> AsyncIterator[Bench]:
    """Runs a shim between a client and runtime, which listens unless it is not up."""
    settings = settings or config(place)
    runtime = runtime or Runtime()
    source = source or Source([granted("s3cret")])
    log: list[dict[str, Any]] = []

    journal = Journal(write=lambda line: log.append(json.loads(line)))

    async with AsyncExitStack() as stack:
        if up:
            await stack.enter_async_context(listening(runtime, settings.cri.backend))
        shim = await stack.enter_async_context(served(settings, source, journal))
        client = await stack.enter_async_context(connected(settings.cri.listen))
        direct = await stack.enter_async_context(connected(settings.cri.backend))
        yield Bench(
            config=settings,
            source=source,
            runtime=runtime,
            client=client,
            counters=shim.puller.counters,
            direct=direct,
            log=log,
        )
