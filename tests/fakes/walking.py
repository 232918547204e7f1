"""Walks over a chain in memory, and how its links are broken."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from fakes.chain import NOW, REGISTRY, Chain
from fakes.scripted import Answer
from pullpass.check.finding import Finding, Level
from pullpass.check.walk import Walk
from pullpass.config.parse import parse
from pullpass.errors import TransportError
from pullpass.http import Request, Response

LINKS: Final = ["entry", "identity", "trust", "issuer", "exchange", "lifetime", "registry", "clock"]
Break = Callable[[Chain], object]


def walked(
    chain: Chain,
    registry: str = REGISTRY,
    repository: str | None = "team/app",
    expected: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> dict[str, Finding]:
    """Returns the finding of each link, after a look at what holds for all of them."""
    found = list(
        Walk(
            config=parse(chain.settings, Path("/nowhere")),
            minter=chain.minter,
            transport=chain,
            registry=registry,
            repository=repository,
            expected=expected or {},
            environ=environ or {},
            now=lambda: NOW,
        ).findings()
    )
    links = [one.link for one in found]
    assert [one for one in links if one != "claims"] == LINKS
    assert ("claims" in links) is bool(expected)
    for one in found:
        assert one.registry == registry
        assert one.saw
        assert one.saw.isprintable()
        assert one.advice.isprintable()
        assert (one.exit_status != 0) is (one.level is Level.ERROR)
        assert one.advice or one.level is not Level.WARNING
    shown = repr(found)
    for key in chain.keys.held.values():
        shown = shown.replace(key.active.kid, "")  # random text, so anything may be in it
    assert "eyJ" not in shown, "every secret of the chain begins so"
    assert "hidden" not in repr(found), "the realm's query"
    return {one.link: one for one in found}


def levels(found: Mapping[str, Finding]) -> dict[str, Level]:
    """Returns the levels of the links that are not in order."""
    return {link: one.level for link, one in found.items() if one.level is not Level.OK}


def assert_broken(
    found: Mapping[str, Finding], link: str, saw: list[str], status: int, lost: list[str]
) -> None:
    """Tells that link alone is broken, with what was seen, and that the lost ones are not tried."""
    lost = [one for one in lost if one in found]
    assert levels(found) == {link: Level.ERROR} | dict.fromkeys(lost, Level.NOT_TRIED)
    assert [words for words in saw if words not in found[link].saw] == []
    assert found[link].exit_status == status
    lines = {found[one].saw for one in lost if one != "clock"}
    assert lines == ({f"not tried, since {link} failed"} if lost else set())


def entry(chain: Chain) -> dict[str, Any]:
    """Returns the settings of the chain's registry."""
    found: dict[str, Any] = chain.settings["registry"][REGISTRY]
    return found


def role(chain: Chain) -> dict[str, Any]:
    """Returns the settings of the role under which its identities are minted."""
    found: dict[str, Any] = chain.settings["issuers"]["nodes"]["roles"]["docker-pull"]
    return found


def down(request: Request) -> Response:
    """Answers as a host does that is down."""
    raise TransportError(f"{request.origin}: no answer (Connection refused)")


def says(status: int = 200, body: object = None, **headers: str) -> Response:
    """Returns an answer with a JSON body; headers are written with underscores."""
    raw = json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, headers=named, body=raw)


def breaks(place: tuple[str, str], answer: Answer) -> Break:
    """Returns what lets place give answer."""
    return lambda chain: chain.broken.update({place: answer})
