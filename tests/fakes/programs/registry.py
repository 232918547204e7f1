"""Debian's docker-registry (distribution 2.8)."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fakes.programs.process import running

_LISTENS: Final = re.compile(r"listening on (127\.0\.0\.1:\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAuth:
    """The token server that a registry sends its clients to.

    Attributes:
        realm: the token server's URL.
        service: the audience of its tokens.
        issuer: the iss of its tokens.
        rootcertbundle: a PEM file with the certificates of its keys.
    """

    realm: str
    service: str
    issuer: str
    rootcertbundle: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Passwords:
    """The users of a registry that asks for a password.

    Attributes:
        file: of htpasswd's kind, with bcrypt.
    """

    file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """A server's certificate chain and key, PEM files."""

    certificate: Path
    key: Path


@contextmanager
def docker_registry(
    directory: Path,
    *,
    port: int = 0,
    auth: TokenAuth | Passwords | None = None,
    tls: Tls | None = None,
) -> Iterator[str]:
    """Runs a registry that keeps its images in directory, and gives its address, host:port.

    Port 0 lets it choose one that is free.
    """
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "config.yml"
    # JSON is YAML.
    file.write_text(json.dumps(_configuration(directory, port, auth, tls)))
    with running(["docker-registry", "serve", file], log=directory / "log") as process:
        # It takes port 0 and says which one it got, so nobody can take the port in between.
        yield process.until(lambda: _LISTENS.search(process.printed()))[1]


def _configuration(
    directory: Path, port: int, auth: TokenAuth | Passwords | None, tls: Tls | None
) -> dict[str, Any]:
    configuration: dict[str, Any] = {
        "version": "0.1",
        "log": {"accesslog": {"disabled": True}},  # "response completed" says the same
        "storage": {"filesystem": {"rootdirectory": str(directory / "images")}},
        "http": {"addr": f"127.0.0.1:{port}", "secret": "of one process"},
    }
    if isinstance(auth, Passwords):
        configuration["auth"] = {"htpasswd": {"realm": "registry", "path": str(auth.file)}}
    if isinstance(auth, TokenAuth):
        configuration["auth"] = {
            "token": {
                "realm": auth.realm,
                "service": auth.service,
                "issuer": auth.issuer,
                "rootcertbundle": str(auth.rootcertbundle),
            }
        }
    if tls is not None:
        configuration["http"]["tls"] = {"certificate": str(tls.certificate), "key": str(tls.key)}
    return configuration
