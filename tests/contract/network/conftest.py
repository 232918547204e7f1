"""A server behind TLS of a private authority, which this host does not know."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from fakes.loopback import Loopback, listening
from fakes.proxy import certified
from fakes.sending import SENDERS, Sends

NAME = "reg.example"


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Who signs the certificates."""
    return trustme.CA()


@pytest.fixture
def ca(authority: trustme.CA, tmp_path: Path) -> Path:
    """The authority's certificate in a file."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[Loopback]:
    """A server with a certificate for its address and for NAME."""
    made = Loopback(certified(authority, "127.0.0.1", NAME))
    with listening(made):
        yield made


@pytest.fixture(params=SENDERS)
def ask(request: pytest.FixtureRequest) -> Sends:
    """Each transport in turn."""
    chosen: Sends = request.param
    return chosen
