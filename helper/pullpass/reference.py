"""Names of images and registries, in every spelling that Docker's world has for them.

The grammar is https://github.com/distribution/reference. A host is kept byte for byte, its case
and port included, since the audience of a token is made of it; only Docker Hub's own names become
one. Messages show nothing of a text that was refused: it may hold a password.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from typing import Final

from pullpass.errors import InvalidReference

DOCKER_HUB: Final = "docker.io"
MAX_LENGTH: Final = 2048  # characters of a whole text
MAX_REPOSITORY: Final = 255  # characters

_HUB_NAMES: Final = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})
_SCHEMES: Final = frozenset({"https", "http"})
_HEX_LENGTHS: Final = {"sha256": 64, "sha384": 96, "sha512": 128}

# Not possessive, which Python before 3.11.5 gets wrong (gh-106052). Each text matches in one way
# alone, so the time is linear in the text all the same.
_ALNUM: Final = "[a-z0-9]+"
_COMPONENT: Final = rf"{_ALNUM}(?:(?:\.|__?|-+){_ALNUM})*"
_REPOSITORY: Final = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_LABEL: Final = "[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*"
_DOMAIN: Final = rf"{_LABEL}(?:\.{_LABEL})*"
_ADDRESS: Final = re.compile(rf"(?:{_DOMAIN}|\[([a-fA-F0-9:]+)\])(?::([0-9]{{1,5}}))?")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_ALGORITHM: Final = "[A-Za-z][A-Za-z0-9]*"
_DIGEST: Final = re.compile(rf"({_ALGORITHM}(?:[+._-]{_ALGORITHM})*):([0-9a-fA-F]{{32,}})")
_IDENTIFIER: Final = re.compile("[a-f0-9]{64}")
_UNPRINTABLE: Final = re.compile(r"[^\x21-\x7e]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One image. ``str()`` gives its canonical text, which parses to the same reference.

    Attributes:
        registry: ``host[:port]``.
        repository: the path within the registry.
        tag: None only where there is a digest.
        digest: with its algorithm, as ``sha256:…``.
    """

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.repository}{tag}{digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerUrl:
    """What Docker's clients ask a credential helper for.

    Attributes:
        registry: ``host[:port]``.
        repository: None where the whole registry is meant.
        plaintext: the client wrote ``http://``.
    """

    registry: str
    repository: str | None = None
    plaintext: bool = False


def parse_reference(text: str) -> Reference:
    """Reads an image reference as Docker does: ``busybox`` is docker.io/library/busybox:latest.

    Raises:
        InvalidReference: if Docker would refuse it, or if its registry cannot be an address.
    """
    _check_text(text)
    if "://" in text:
        raise InvalidReference(f"not an image: {_advice(text)}")
    if _IDENTIFIER.fullmatch(text):
        raise InvalidReference(
            "64 hex digits are an image's ID, which no registry knows: name a repository"
        )
    name, at, digest = text.partition("@")
    registry, rest = _split_registry(name)
    path, colon, tag = rest.partition(":")
    if registry == DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    return Reference(
        registry=registry,
        repository=parse_repository(path),
        tag=_parse_tag(tag) if colon else None if at else "latest",
        digest=_parse_digest(digest) if at else None,
    )


def parse_registry(text: str) -> str:
    """Reads the address of a registry, exactly ``host[:port]``; Docker Hub is always docker.io.

    Raises:
        InvalidReference: for anything else; the message says what to write instead.
    """
    if len(text) > MAX_LENGTH or not _is_address(text):
        raise InvalidReference(f"not the address of a registry: {_advice(text)}")
    return DOCKER_HUB if text in _HUB_NAMES else text


def parse_repository(text: str) -> str:
    """Reads a repository's path within its registry, as ``team/app``, and returns it as it is.

    Raises:
        InvalidReference: for anything else.
    """
    if len(text) > MAX_REPOSITORY:
        raise InvalidReference(f"the repository is longer than {MAX_REPOSITORY} characters")
    if _REPOSITORY.fullmatch(text):
        return text
    if _REPOSITORY.fullmatch(text.lower()):
        raise InvalidReference("the repository must be written in lower case")
    raise InvalidReference("not a repository: write words of a-z, 0-9 and . _ - between slashes")


def parse_server_url(text: str) -> ServerUrl:
    """Reads what a client asks a credential helper for.

    That is a URL or a bare address, with or without a repository behind it, and perhaps with white
    space around it. A path below ``/v1`` or ``/v2`` is an endpoint and names no repository, as in
    ``https://index.docker.io/v1/``.

    Raises:
        InvalidReference: for user names, other schemes and whatever else is not a registry's.
    """
    trimmed = text.strip(" \t\r\n")
    _check_text(trimmed)
    before, colons, after = trimmed.partition("://")
    scheme, rest = (before.lower(), after) if colons else ("https", trimmed)
    if scheme not in _SCHEMES:
        raise InvalidReference("the server URL is neither https nor http")
    host, _, path = rest.partition("/")
    registry = parse_registry(host)
    return ServerUrl(
        registry=registry,
        repository=_repository_of(registry, path.removesuffix("/")),
        plaintext=scheme == "http",
    )


def _repository_of(registry: str, path: str) -> str | None:
    if not path or path.partition("/")[0] in ("v1", "v2"):
        return None
    if registry == DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    return parse_repository(path)


def _split_registry(name: str) -> tuple[str, str]:
    """Splits off the registry: without one, the first word is a namespace of Docker Hub."""
    first, slash, rest = name.partition("/")
    is_host = first == "localhost" or not {".", ":"}.isdisjoint(first) or first != first.lower()
    return (parse_registry(first), rest) if slash and is_host else (DOCKER_HUB, name)


def _parse_tag(text: str) -> str:
    if not _TAG.fullmatch(text):
        raise InvalidReference(
            "the tag is not 1 to 128 letters, digits and . _ - without . or - in front"
        )
    return text


def _parse_digest(text: str) -> str:
    found = _DIGEST.fullmatch(text)
    if not found:
        raise InvalidReference("the digest is not algorithm:hex, as sha256: and 64 hex digits")
    algorithm, value = found.groups()
    length = _HEX_LENGTHS.get(algorithm)
    if length and (len(value) != length or value != value.lower()):
        raise InvalidReference(f"a digest with {algorithm} has {length} hex digits in lower case")
    return text


def _check_text(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise InvalidReference(f"the text is longer than {MAX_LENGTH} characters")
    if not text or _UNPRINTABLE.search(text):
        raise InvalidReference("the text is empty or holds white space or characters beyond ASCII")


def _is_address(text: str) -> bool:
    found = _ADDRESS.fullmatch(text)
    if not found:
        return False
    ipv6, port = found.groups()
    return (port is None or 1 <= int(port) <= 65535) and (ipv6 is None or _is_ipv6(ipv6))


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


def _advice(text: str) -> str:
    """Tells what to write instead, by the first thing that is wrong."""
    if len(text) > MAX_LENGTH or not text or _UNPRINTABLE.search(text):
        return "write host or host:port, in ASCII and without white space"
    if "@" in text:
        return "write host or host:port, without a user name"
    host = text.rpartition("://")[2].partition("/")[0]
    instead = f"write {host}" if _is_address(host) else "write host or host:port"
    if "://" in text:
        return f"{instead}, without a scheme"
    if "/" in text:
        return f"{instead}, without a path"
    return "write host or host:port: a domain, an IPv4 address or an IPv6 address in brackets"
