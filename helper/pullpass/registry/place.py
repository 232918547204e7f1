"""Where a registry is spoken to, and where it may send us for a token."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from pullpass.errors import InvalidReference, RegistryError
from pullpass.origin import is_loopback
from pullpass.reference import parse_registry

_HUB: Final = {"docker.io": "registry-1.docker.io"}  # the one registry not served at its own name
_NUMBER: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a registry is spoken to.

    Attributes:
        registry: ``host[:port]``, as ``pullpass.reference.parse_registry`` gives it.
        plaintext: http instead of https. The transport allows it to loopback only.
    """

    registry: str
    plaintext: bool = False

    @property
    def origin(self) -> str:
        """Returns ``scheme://host[:port]``."""
        scheme = "http" if self.plaintext else "https"
        return f"{scheme}://{_HUB.get(self.registry, self.registry)}"

    @property
    def host(self) -> str:
        """Returns the host alone, in lower case, an IPv6 address without its brackets."""
        return urlsplit(self.origin).hostname or ""

    def url(self, path: str) -> str:
        """Returns the URL of path in the registry's API."""
        return f"{self.origin}/v2/{path}"


def check_realm(realm: str, place: Place) -> str:
    """Returns realm if a credential for the registry at place may be shown there.

    The registry chooses the realm, and whoever can change its answers would choose it too: so it is
    https, or http where the registry itself is http on loopback; and it is no address inside this
    machine or network unless the registry is there as well.

    Raises:
        RegistryError: if it may not.
    """
    parts = _split(realm)
    if parts is None:
        raise _refused(place, "is not a plain URL")
    host = parts.hostname or ""
    plaintext = place.plaintext and is_loopback(place.host) and is_loopback(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and plaintext):
        raise _refused(place, "is not https")
    if not (_is_public(host) or _is_neighbour(host, place.host)):
        raise _refused(place, "is an address that is not public")
    return realm


def _split(realm: str) -> SplitResult | None:
    if not realm.isascii() or not realm.isprintable() or " " in realm:
        return None
    try:
        parts = urlsplit(realm)
        parse_registry(parts.netloc)  # which knows no user names
    except (ValueError, InvalidReference):
        return None
    return None if parts.fragment else parts


def _is_public(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        # To some resolvers a name whose last label is a number is an address: 127.1, 0x7f000001.
        return not is_loopback(host) and not _NUMBER.fullmatch(host)
    return address.is_global and not address.is_multicast


def _is_neighbour(host: str, registry: str) -> bool:
    return host == registry or (is_loopback(host) and is_loopback(registry))


def _refused(place: Place, why: str) -> RegistryError:
    return RegistryError(
        f"registry {place.registry}: the realm that it names for tokens {why}, so nothing was sent"
        " there; mend the registry's token configuration"
    )
