"""A registry's exchange as its documentation has it: what it is asked, answers and refuses."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from fakes.jfrog import unsigned
from pullpass.credential import Credential
from pullpass.errors import ExchangeDenied, ExchangeError
from pullpass.exchange.catalog import load
from pullpass.exchange.engine import exchange
from pullpass.exchange.place import Place
from pullpass.http import Request, Response, Transport, run
from pullpass.secret import Secret

NOW: Final = 1_800_000_000  # Unix seconds
SUBJECT: Final = "registry-pull"
TOKEN: Final = unsigned({"sub": SUBJECT, "iat": NOW, "exp": NOW + 300})
JSON: Final = {"content-type": "application/json", "accept": "application/json"}
FORM: Final = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
NO_BODY: Final = {"accept": "application/json"}
UNKNOWN: Final = "hunter2 said so"  # what no failure may repeat
_TRANSPORTS: Final = {"accept-encoding", "connection", "content-length", "host", "user-agent"}


def given(lifetime: int = 3600, **claims: Any) -> str:
    """Returns a JWT that a registry gives out."""
    return unsigned({"sub": "given", "exp": NOW + lifetime, **claims})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, whole, and the answer to it.

    Attributes:
        headers: all of them but the transport's own.
        body: the members of a form or of JSON, as the content type says.
        xml: the document's element where the answer is XML.
    """

    method: str = "POST"
    url: str
    headers: Mapping[str, str]
    body: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    answer: Mapping[str, Any]
    xml: str = ""

    def faults(self, request: Request) -> list[str]:
        """Returns in what request differs from what is documented."""
        headers = {name.lower(): text for name, text in request.headers.items()}
        for name in _TRANSPORTS - self.headers.keys():
            headers.pop(name, None)
        pairs = (
            ("method", request.method, self.method),
            ("URL", request.url, self.url),
            ("headers", headers, self.headers),
            ("body", _read(request.body, headers), _read(self._wire(), self.headers)),
        )
        return [
            f"{what}: {got!r} is not {wanted!r}" for what, got, wanted in pairs if got != wanted
        ]

    def response(self) -> Response:
        """Returns the answer on the wire."""
        if self.xml:
            raw = f"<?xml version='1.0'?><{self.xml}>{_xml(self.answer)}</{self.xml}>".encode()
            return Response(status=self.status, headers={"content-type": "text/xml"}, body=raw)
        return json_response(self.status, self.answer)

    def _wire(self) -> bytes:
        is_json = "json" in self.headers.get("content-type", "")
        if is_json:
            return json.dumps(self.body).encode()
        return "&".join(f"{name}={_percent(text)}" for name, text in self.body.items()).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A documented failure answer, and what its reader is told.

    Attributes:
        call: which call is answered so.
        body: JSON, or the members of XML where the call's answer is XML.
        says: how the failure's sentence goes on after «answered».
    """

    call: int = 0
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    says: str
    kind: type[ExchangeError] = ExchangeDenied

    def response(self, call: Call) -> Response:
        """Returns the answer on the wire."""
        if self.body is None:
            return Response(status=self.status, headers=self.headers)
        shown = replace(call, status=self.status, answer=self.body).response()
        return replace(shown, headers={**shown.headers, **self.headers})


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """A provider's other side, and an entry that uses it.

    Attributes:
        audience: for whom the subject token is to be made.
        lives: seconds until what is given ends, None where nobody says.
    """

    name: str
    provider: str
    registry: str
    exchange: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    audience: str
    calls: tuple[Call, ...] = ()
    username: str
    password: str
    lives: float | None
    refusals: tuple[Refusal, ...] = ()

    @property
    def place(self) -> Place:
        """Returns where the entry wants a credential."""
        return Place(registry=self.registry, exchange=self.exchange)


@dataclass(slots=True, kw_only=True)
class Play:
    """A vendor as a transport: it takes its calls one after the other, and nothing else.

    Attributes:
        changed: answers in the place of the documented ones, by the number of the call.
        faults: in what the requests differed from what is documented.
    """

    vendor: Vendor
    changed: Mapping[int, Response] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    seen: list[Request] = field(default_factory=list)

    def send(self, request: Request) -> Response:
        """Returns the answer to request."""
        at = len(self.seen)
        self.seen.append(request)
        if at >= len(self.vendor.calls):
            self.faults.append(f"a request too many: {request.method} {request.url}")
            return Response(status=418)
        call = self.vendor.calls[at]
        self.faults += call.faults(request)
        return self.changed.get(at) or call.response()


def trade(play: Play, transport: Transport | None = None) -> Credential:
    """Runs the provider of play's vendor at NOW, over transport or play itself."""
    vendor = play.vendor
    flow = exchange(
        load(vendor.provider), vendor.parameters, vendor.place, Secret(TOKEN), lambda: float(NOW)
    )
    return run(flow, transport or play)


def json_response(status: int, value: object, **headers: str) -> Response:
    """Returns an answer in JSON."""
    body = json.dumps(value).encode()
    return Response(
        status=status, headers={"content-type": "application/json", **headers}, body=body
    )


def _read(body: bytes, headers: Mapping[str, str]) -> object:
    kind = headers.get("content-type", "")
    if "json" in kind:
        return json.loads(body, object_pairs_hook=_unique)
    if "form" in kind:
        return Counter(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
    return body


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def _xml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(f"<{name}>{_xml(inner)}</{name}>" for name, inner in value.items())
    return escape(str(value))
