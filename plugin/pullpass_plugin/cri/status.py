"""The shim's pages: metrics, and its health.

``/healthz`` says whether the shim takes pulls, ``/readyz`` whether the runtime behind it can be
reached too.
"""

from http import HTTPStatus

from pullpass.agent.pages import Page
from pullpass_plugin.cri.counters import Counters


def page(path: str, counters: Counters) -> Page:
    """Returns the page of path."""
    match path:
        case "/metrics":
            return Page(kind="text/plain; version=0.0.4; charset=utf-8", body=counters.render())
        case "/healthz":
            return _unavailable("draining") if counters.draining else Page(body=b"ok\n")
        case "/readyz" if counters.draining:
            return _unavailable("draining")
        case "/readyz":
            up = counters.runtime_up
            return Page(body=b"ok\n") if up else _unavailable("the runtime is unreachable")
        case _:
            return Page(status=HTTPStatus.NOT_FOUND, body=b"no such page\n")


def _unavailable(reason: str) -> Page:
    return Page(status=HTTPStatus.SERVICE_UNAVAILABLE, body=f"{reason}\n".encode())
