"""URLs with holes, and what may stand where in them."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from pullpass.errors import ConfigError, MalformedInput
from pullpass.exchange.template import (
    Hole,
    Template,
    Values,
    authority,
    host_label,
    parse_template,
    path_segment,
    path_segments,
    render,
    whole_segment,
)
from pullpass.origin import is_loopback

_SCHEME: Final = "https://"
_REGISTRY: Final = Hole(name="registry")
_SEGMENT: Final = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*")  # RFC 3986 §3.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """Where a step asks.

    Attributes:
        authority: the host, or None where the URL stands on ``{exchange}``.
        path: the segments after each slash.
        paths: the parameters which may hold several segments.
    """

    authority: Template | None
    path: tuple[Template, ...]
    paths: frozenset[str] = frozenset()

    @property
    def moves(self) -> bool:
        """Tells whether an entry's ``exchange`` says where it leads."""
        return self.authority is None

    @property
    def templates(self) -> tuple[Template, ...]:
        """Returns every template in it."""
        return (*((self.authority,) if self.authority else ()), *self.path)


def parse_url(text: str, key: str, *, hosts: frozenset[str], paths: frozenset[str]) -> Url:
    """Returns text as a URL.

    Args:
        text: ``https://HOST/PATH`` or ``{exchange}/PATH``. HOST is ``{registry}``, literal, one of
            hosts, or literal with labels out of hosts.
        key: the setting's dotted name.
        hosts: the parameters which may name a host or a label of one.
        paths: the parameters which may hold several segments.

    Raises:
        ConfigError: for anything else.
    """
    on_exchange = text.startswith("{exchange}")
    if not on_exchange and not text.startswith(_SCHEME):
        raise ConfigError("a step's URL starts with https:// or {exchange}", key=key)
    rest = text.removeprefix("{exchange}" if on_exchange else _SCHEME)
    first, *path = _split(parse_template(rest, key).parts)
    if on_exchange and first.parts:
        raise ConfigError("{exchange} is a whole origin: a slash comes after it", key=key)
    if not on_exchange:
        _check_authority(first, key, hosts)
    for segment in path:
        _check_segment(segment, key, paths)
    return Url(authority=None if on_exchange else first, path=tuple(path), paths=paths)


def render_url(url: Url, values: Values, *, insecure: bool) -> str:
    """Returns the URL, its query not included. ``values["exchange"]`` is an origin.

    Raises:
        MalformedInput: if a value cannot stand where it would.
    """
    origin = (
        str(values["exchange"])
        if url.authority is None
        else _origin(url, values, insecure=insecure)
    )
    return origin + "".join(f"/{_segment(segment, url, values)}" for segment in url.path)


def check_origin(text: str, *, insecure: bool) -> str:
    """Returns text where it is ``https://host[:port]``, or ``http://`` to loopback if insecure.

    Raises:
        MalformedInput: for anything else.
    """
    scheme, separator, host = text.partition("://")
    if not separator or scheme not in ({"https", "http"} if insecure else {"https"}):
        raise MalformedInput("is not an origin such as https://host[:port]")
    authority(host)
    if scheme == "http" and not is_loopback(urlsplit(text).hostname or ""):
        raise MalformedInput("must be https, since insecure is for loopback only")
    return text


def _split(parts: tuple[str | Hole, ...]) -> list[Template]:
    segments: list[list[str | Hole]] = [[]]
    for part in parts:
        pieces = part.split("/") if isinstance(part, str) else [part]
        segments[-1].append(pieces[0])
        segments += [[piece] for piece in pieces[1:]]
    return [Template(parts=tuple(part for part in segment if part)) for segment in segments]


def _check_authority(host: Template, key: str, hosts: frozenset[str]) -> None:
    if host.parts == (_REGISTRY,):
        return
    for hole in host.holes:
        if hole.name not in hosts or hole.optional:
            raise ConfigError(f"{{{hole.name}}} may not name a host: declare it in hosts", key=key)
    try:
        authority("".join(part if isinstance(part, str) else "x" for part in host.parts))
    except MalformedInput as error:
        raise ConfigError("the URL's host is not host[:port]", key=key) from error


def _check_segment(segment: Template, key: str, paths: frozenset[str]) -> None:
    literals = [part for part in segment.parts if isinstance(part, str)]
    if not all(map(_SEGMENT.fullmatch, literals)) or segment.parts in {(".",), ("..",)}:
        raise ConfigError("the URL's path holds what no path may; queries go to query", key=key)
    if any(hole.name in paths for hole in segment.holes) and len(segment.parts) > 1:
        raise ConfigError("a parameter of paths stands alone between slashes", key=key)


def _origin(url: Url, values: Values, *, insecure: bool) -> str:
    host = url.authority or Template(parts=())
    scheme = "http://" if insecure and host.parts == (_REGISTRY,) else _SCHEME
    encode = authority if len(host.parts) == 1 else host_label
    return scheme + authority(render(host, values, encode) or "")


def _segment(segment: Template, url: Url, values: Values) -> str:
    if not segment.holes:
        return render(segment, {}) or ""
    several = segment.holes[0].name in url.paths
    text = render(segment, values, path_segments if several else path_segment)
    return whole_segment(text or "")
