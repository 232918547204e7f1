"""What gives an identity, as its documentation has it: a program, a file or an endpoint."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from fakes.jfrog import unsigned
from pullpass.config.identities import named, read_identities
from pullpass.config.model import Identity
from pullpass.config.reader import Table
from pullpass.errors import TransportError
from pullpass.http import Request, Response, run
from pullpass.identity.catalog import fetch
from pullpass.identity.edge import LocalEdge
from pullpass.identity.token import SubjectToken

NOW: Final = 1_800_000_000  # Unix seconds
REGISTRY: Final = "registry.example.com"

Token = Callable[[str], str]


def token(audience: Any = REGISTRY, **claims: Any) -> str:
    """Returns what a platform gives for audience, but for the changed claims."""
    usual = {"iss": "https://platform.example", "sub": "job", "iat": NOW, "exp": NOW + 300}
    return unsigned({**usual, "aud": audience, **claims})


@dataclass(slots=True, kw_only=True)
class Endpoint:
    """A platform's endpoint. A Transport, which answers 418 to what its documentation lacks.

    Attributes:
        answer: the answer to a request, given what makes tokens.
        gives: the token for an audience.
        instead: what the last request is answered, whatever it was.
        seen: requests so far.
    """

    answer: Callable[[Request, Token], Response]
    gives: Token = token
    instead: Response | TransportError | None = None
    seen: list[Request] = field(default_factory=list)

    def send(self, request: Request) -> Response:
        """Returns the answer to request."""
        self.seen.append(request)
        good = self.answer(request, self.gives)
        is_last = good.status == 418 or b"eyJ" in good.body or self.gives is not token
        if self.instead is None or not is_last:
            return good
        if isinstance(self.instead, TransportError):
            raise self.instead
        return self.instead


def nobody(_: Request, __: Token) -> Response:
    """Answers nobody: the platform has no endpoint."""
    return Response(status=418)


@dataclass(slots=True, kw_only=True)
class Platform:
    """Where a source finds an identity, and the settings that name it.

    Attributes:
        told: the settings beside ``source``.
        keep: lets a file or a variable hold this token, where the platform has no endpoint.
    """

    source: str
    told: Mapping[str, Any] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    endpoint: Endpoint = field(default_factory=lambda: Endpoint(answer=nobody))
    keep: Callable[[str], None] | None = None

    @property
    def identity(self) -> Identity:
        """Returns what an entry names that shows this platform's identity."""
        return named("here", read_identities(Table({"identities": self.settings()})), "")

    def settings(self) -> dict[str, Any]:
        """Returns the tables under ``identities``; the entry names ``here``."""
        return {"here": {"source": self.source, **self.told}}

    def give(self, gives: Token) -> None:
        """Lets the platform give these tokens from now on."""
        if self.keep:
            self.keep(gives(REGISTRY))
        else:
            self.endpoint.gives = gives

    def show(self, audience: str = REGISTRY) -> SubjectToken:
        """Returns the identity that is shown here for audience."""
        flow = fetch(self.identity, audience, self.environ, lambda: float(NOW))
        return run(flow, LocalEdge(self.endpoint))


def query_of(request: Request) -> dict[str, str]:
    """Returns the query of request, in which no name stands twice."""
    pairs = parse_qsl(urlsplit(request.url).query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def is_asked(request: Request, method: str, url: str, **headers: str) -> bool:
    """Tells whether request is method on url, whatever its query, with these headers at least."""
    at = urlsplit(request.url)._replace(query="").geturl()
    sent = {name.lower(): text for name, text in request.headers.items()}
    wanted = {name.replace("_", "-"): text for name, text in headers.items()}
    return (request.method, at) == (method, url) and wanted.items() <= sent.items()


def program(directory: Path, name: str, *lines: str) -> str:
    """Writes a program in Python that is called name, and returns the PATH on which it is."""
    path = directory / name
    body = "\n".join(lines)
    path.write_text(f"#!{sys.executable} -IS\nimport os, sys\nargv = sys.argv[1:]\n{body}\n")
    path.chmod(0o755)
    return f"{directory}{os.pathsep}/usr/bin"
