"""A CRI runtime, a client of it and whoever gives credentials, for tests of the shim."""

from fakes.cri.bench import Bench, bench, config
from fakes.cri.client import Client, connected, pull_request
from fakes.cri.runtime import REFUSED, Call, Runtime
from fakes.cri.source import Source, granted

__all__ = [
    "REFUSED",
    "Bench",
    "Call",
    "Client",
    "Runtime",
    "Source",
    "bench",
    "config",
    "connected",
    "granted",
    "pull_request",
]
