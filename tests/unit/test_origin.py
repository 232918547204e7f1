import pytest

from pullpass.errors import TransportError
from pullpass.http import Request
from pullpass.origin import is_link_local, is_loopback
from pullpass.transport import HttpTransport, _wire

LINK_LOCAL = ["169.254.169.254", "169.254.170.2", "fe80::1", "[fe80::1]", "fd00:ec2::254"]
ELSEWHERE = ["10.0.0.1", "169.253.0.1", "fd00:ec3::1", "metadata.google.internal", "", "8.8.8.8"]


@pytest.mark.parametrize("host", LINK_LOCAL)
def test_link_local_is_what_no_router_forwards(host: str) -> None:
    assert is_link_local(host)
    assert not is_loopback(host)


@pytest.mark.parametrize("host", [*ELSEWHERE, "127.0.0.1", "localhost"])
def test_all_else_is_not_link_local(host: str) -> None:
    assert not is_link_local(host)


def asked(host: str, *, link_local: bool = False) -> Request:
    return Request(method="GET", url=f"http://{host}/", link_local=link_local)


@pytest.mark.parametrize(
    "request_", [asked("169.254.169.254"), asked("10.0.0.1", link_local=True), asked("a.example")]
)
def test_plain_http_goes_to_a_link_local_address_only_where_the_request_says_so(
    request_: Request,
) -> None:
    with HttpTransport() as transport, pytest.raises(TransportError, match="only https is safe"):
        transport.send(request_)
    # Nothing link-local can be reached from a test.
    for host in ("169.254.169.254", "[fd00:ec2::254]"):
        assert _wire(asked(host, link_local=True), 1.0).url.host == host.strip("[]").encode()
