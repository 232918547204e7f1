"""The settings of ``[http]``, and what the environment says where they are silent."""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from pullpass.config.model import Config, Http
from pullpass.config.reader import Table
from pullpass.errors import ConfigError, MalformedInput
from pullpass.network import TIMEOUT, Network, Proxy, parse_proxy

MAX_TIMEOUT: Final = 20  # seconds; Docker's clients wait little longer
# HTTP_PROXY is for plain http, which goes to loopback alone and through no proxy.
_PROXIES: Final = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_NO_PROXY: Final = ("no_proxy", "NO_PROXY")
_PROXY_FORM: Final = "takes a proxy such as http://host:port; pullpass speaks no SOCKS"


def read_http(table: Table) -> Http:
    """Takes ``[http]``. Raises: ConfigError."""
    http = Http(
        proxy=_configured_proxy(table),
        no_proxy=table.texts("no_proxy") if table.has("no_proxy") else None,
        ca_bundle=table.path("ca_bundle"),
        connect_timeout=_timeout(table, "connect_timeout"),
        timeout=_timeout(table, "timeout"),
    )
    table.done()
    return http


def network_of(
    config: Config, environ: Mapping[str, str] = os.environ, timeout: float = TIMEOUT
) -> Network:
    """Returns the way to others; each setting that is there beats its variable, or timeout.

    Raises:
        ConfigError: if the environment names a proxy that cannot be used.
    """
    http = config.http
    without = re.split(r"[,\s]+", _first(environ, _NO_PROXY)[1].strip())
    network = Network(
        ca_bundle=http.ca_bundle,
        proxy=http.proxy or _environments_proxy(environ),
        no_proxy=tuple(filter(None, without)) if http.no_proxy is None else http.no_proxy,
        timeout=http.timeout or timeout,
    )
    connect = http.connect_timeout
    return replace(network, connect_timeout=connect) if connect else network


def _configured_proxy(table: Table) -> Proxy | None:
    if not table.has("proxy"):
        return None
    proxy = _proxy(table.text("proxy"), table.dotted("proxy"))
    if proxy.username or proxy.password:
        raise table.error("proxy", "holds a password: leave it out and set HTTPS_PROXY instead")
    return proxy


def _environments_proxy(environ: Mapping[str, str]) -> Proxy | None:
    name, value = _first(environ, _PROXIES)
    return _proxy(value, name) if value else None


def _proxy(text: str, key: str) -> Proxy:
    try:
        return parse_proxy(text)
    except MalformedInput as error:
        raise ConfigError(_PROXY_FORM, key=key) from error


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, str]:
    """Returns the first of names that is set to anything, and its value."""
    found = ((name, environ[name]) for name in names if environ.get(name))
    return next(found, ("", ""))


def _timeout(table: Table, name: str) -> int | None:
    if not table.has(name):
        return None
    seconds = table.duration(name, 0)
    if seconds > MAX_TIMEOUT:
        raise table.error(name, f"is longer than {MAX_TIMEOUT}s, which clients do not wait")
    return seconds
