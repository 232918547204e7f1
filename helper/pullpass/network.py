"""How this process reaches others: through which proxy, believing whom, waiting how long. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from pullpass.errors import MalformedInput
from pullpass.origin import is_loopback
from pullpass.reference import parse_registry
from pullpass.secret import Secret

CONNECT_TIMEOUT: Final = 5.0  # seconds
TIMEOUT: Final = 10.0  # seconds
NO_PASSWORD: Final = Secret("")
_HTTPS_PORT: Final = 443
_HOST_PORT: Final = re.compile(r"(.+):([0-9]{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """Who opens connections for us when asked with CONNECT (RFC 9110 §9.3.6).

    Attributes:
        origin: ``http[s]://host[:port]``: all that an error may say of it.
    """

    origin: str
    username: str = field(default="", repr=False)
    password: Secret = field(default=NO_PASSWORD, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The way to others.

    Attributes:
        connect_timeout: seconds for a connection.
        timeout: seconds for a whole request, connection and answer included.
        ca_bundle: a file of authorities that are believed beside the system's.
        proxy: who is asked for connections, None for nobody.
        no_proxy: what is reached without it, as NO_PROXY has it.
    """

    connect_timeout: float = CONNECT_TIMEOUT
    timeout: float = TIMEOUT
    ca_bundle: Path | None = None
    proxy: Proxy | None = None
    no_proxy: tuple[str, ...] = ()

    def proxy_for(self, url: str) -> Proxy | None:
        """Returns the proxy for url, which must be one; plain http is for loopback and has none."""
        parts = urlsplit(url)
        if self.proxy is None or parts.scheme != "https":
            return None
        host, port = parts.hostname or "", parts.port or _HTTPS_PORT
        return None if is_direct(host, port, self.no_proxy) else self.proxy


DIRECT: Final = Network()


def is_direct(host: str, port: int, no_proxy: Iterable[str]) -> bool:
    """Tells whether host is reached without a proxy: NO_PROXY as docker, podman and others read it.

    Loopback always is; an item that makes no sense covers nothing.
    https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config (0.30)
    """
    host = host.lower().rstrip(".")
    return is_loopback(host) or any(_covers(item.lower(), host, port) for item in no_proxy)


def parse_proxy(text: str) -> Proxy:
    """Returns the proxy that ``[http[s]://][user[:password]@]host[:port]`` means.

    Raises:
        MalformedInput: if text is anything else, SOCKS included. It does not hold the text.
    """
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        address = parts.netloc.rpartition("@")[2]
        parse_registry(address)
    except (ValueError, MalformedInput) as error:
        raise MalformedInput("is no proxy") from error
    if parts.scheme not in {"http", "https"} or parts.path.strip("/") or parts.query:
        raise MalformedInput("is no proxy")
    return Proxy(
        origin=f"{parts.scheme}://{address}",
        username=unquote(parts.username or ""),
        password=Secret(unquote(parts.password or "")),
    )


def _covers(item: str, host: str, port: int) -> bool:
    if item == "*":
        return True
    name, only = _split(item)
    if only and int(only) != port:
        return False
    try:
        address = ip_address(host)
    except ValueError:
        return _covers_name(name.removeprefix("*"), host)
    block = _block(name)
    return block is not None and address in block


def _covers_name(name: str, host: str) -> bool:
    """Tells whether host is below name, or name itself where that does not begin with a dot."""
    suffix = name if name.startswith(".") else f".{name}"
    return host == name or (len(suffix) > 1 and host.endswith(suffix))


def _split(item: str) -> tuple[str, str]:
    """Returns host and port of an item; the port is empty where all are meant."""
    found = None if _block(item) else _HOST_PORT.fullmatch(item)
    return (found[1], found[2]) if found else (item, "")


def _block(name: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(name.removeprefix("[").removesuffix("]"), strict=False)
    except ValueError:
        return None
