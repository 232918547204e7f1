"""The same over https, under the names that the specs themselves have."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit

import pytest
import trustme

from fakes.endpoint import answering
from fakes.programs import free_port
from fakes.proxy import Asked, certified, proxying
from fakes.vendors import BY_NAME, VENDORS, Play, Vendor, trade
from pullpass.credential import Credential
from pullpass.errors import ExchangeError, ExchangeUnavailable
from pullpass.http import Request, Response
from pullpass.network import Network, Proxy
from pullpass.transport import HttpTransport

NOWHERE: Mapping[str, int] = MappingProxyType({})
AWAY = Response(status=307, headers={"location": "https://evil.example.com/"})


def targets(vendor: Vendor) -> dict[str, int]:
    """Returns each ``host:port`` of vendor with the number of the first call there."""
    found: dict[str, int] = {}
    for at, call in enumerate(vendor.calls):
        parts = urlsplit(call.url)
        found.setdefault(f"{parts.hostname}:{parts.port or 443}", at)
    return found


NAMES = sorted({urlsplit(call.url).hostname or "" for one in VENDORS for call in one.calls})


@dataclass(slots=True)
class Wire:
    """A server for one play at a time, with a certificate for every vendor's names.

    Attributes:
        asked: how its proxy reaches it.
        port: where it listens.
        network: the way there.
    """

    asked: Asked = field(default_factory=Asked)
    port: int = 0
    network: Network = field(default_factory=Network)
    play: Play | None = None

    def send(self, request: Request) -> Response | None:
        """Answers as the play does."""
        return self.play.send(request) if self.play else None

    def run(self, play: Play, ports: Mapping[str, int] = NOWHERE) -> Credential:
        """Trades over https; ports are behind a ``host:port`` where they are not the server's."""
        self.play = play
        self.asked.seen.clear()
        self.asked.routes = dict.fromkeys(targets(play.vendor), self.port) | dict(ports)
        with HttpTransport(self.network) as transport:
            return trade(play, transport)


@contextmanager
def serving(wire: Wire, tls: ssl.SSLContext) -> Iterator[int]:
    with answering(wire.send, tls) as origin:
        yield urlsplit(origin).port or 0


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Who signs the certificates."""
    return trustme.CA()


@pytest.fixture(scope="session")
def wire(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """The vendors, behind a proxy that takes their names to loopback."""
    bundle = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    made = Wire()
    with (
        serving(made, certified(authority, *NAMES)) as made.port,
        proxying(made.asked) as asked,
    ):
        made.network = Network(timeout=15.0, ca_bundle=bundle, proxy=Proxy(origin=asked.origin))
        yield made


@pytest.fixture(scope="session")
def stranger(authority: trustme.CA, wire: Wire) -> Iterator[int]:
    """A server whose certificate has another name."""
    with serving(wire, certified(authority, "other.example")) as port:
        yield port


@pytest.fixture(scope="session")
def unknown(wire: Wire) -> Iterator[int]:
    """A server whose certificate nobody here knows the authority of."""
    with serving(wire, certified(trustme.CA(), *NAMES)) as port:
        yield port


def test_the_documented_requests_arrive_and_become_a_credential(wire: Wire, asked: Vendor) -> None:
    play = Play(vendor=asked)
    assert wire.run(play) == trade(Play(vendor=asked))
    assert not play.faults
    assert set(wire.asked.seen) == targets(asked).keys()


def test_nothing_is_said_to_who_shows_another_name(
    wire: Wire, asked: Vendor, stranger: int
) -> None:
    for target, at in targets(asked).items():
        play = Play(vendor=asked)
        with pytest.raises(ExchangeUnavailable, match=r"its certificate is not trusted: .*ask for"):
            wire.run(play, {target: stranger})
        assert len(play.seen) == at


def test_nothing_is_said_to_who_is_vouched_for_by_nobody(
    wire: Wire, asked: Vendor, unknown: int
) -> None:
    for target, at in targets(asked).items():
        play = Play(vendor=asked)
        with pytest.raises(
            ExchangeUnavailable, match=r"its certificate is not trusted: .*name its"
        ):
            wire.run(play, {target: unknown})
        assert len(play.seen) == at


def test_who_cannot_be_reached_is_to_be_tried_again(wire: Wire, asked: Vendor) -> None:
    nobody = free_port()
    for target, at in targets(asked).items():
        play = Play(vendor=asked)
        with pytest.raises(ExchangeUnavailable) as failed:
            wire.run(play, {target: nobody})
        assert f"https://{target.removesuffix(':443')}: no answer" in str(failed.value)
        assert len(play.seen) == at


def test_a_redirect_leads_nowhere(wire: Wire, asked: Vendor) -> None:
    for at in range(len(asked.calls)):
        play = Play(vendor=asked, changed={at: AWAY})
        with pytest.raises(ExchangeError, match="answered 307, and redirects are not followed"):
            wire.run(play)
        assert "evil.example.com:443" not in wire.asked.seen


def test_who_asks_for_a_second_of_patience_gets_it(wire: Wire) -> None:
    vendor = BY_NAME["dockerhub"]

    class Busy(Play):
        def send(self, request: Request) -> Response:
            if not turned_away:
                turned_away.append(request)
                return Response(status=429, headers={"retry-after": "1"})
            return super().send(request)

    turned_away: list[Request] = []
    assert wire.run(Busy(vendor=vendor)) == trade(Play(vendor=vendor))
    assert len(turned_away) == 1
