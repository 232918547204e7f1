"""Through which proxy a URL is reached."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.errors import MalformedInput
from pullpass.network import Network, Proxy, is_direct, parse_proxy
from pullpass.secret import Secret

PROXY = Proxy(origin="http://proxy.example:3128")


@pytest.mark.parametrize(
    ("item", "host", "port", "expected"),
    [
        ("reg.example", "reg.example", 443, True),
        ("reg.example", "REG.example.", 443, True),
        ("REG.Example", "reg.example", 443, True),
        ("reg.example", "eu.reg.example", 443, True),
        ("reg.example", "otherreg.example", 443, False),
        ("reg.example", "reg.example.org", 443, False),
        (".reg.example", "eu.reg.example", 443, True),
        (".reg.example", "reg.example", 443, False),
        ("*.reg.example", "a.b.reg.example", 443, True),
        ("*.reg.example", "reg.example", 443, False),
        ("reg.example:5000", "reg.example", 5000, True),
        ("reg.example:5000", "eu.reg.example", 5000, True),
        ("reg.example:5000", "reg.example", 443, False),
        (".reg.example:5000", "eu.reg.example", 5000, True),
        ("*", "reg.example", 443, True),
        ("10.1.2.3", "10.1.2.3", 443, True),
        ("10.1.2.3", "10.1.2.30", 443, False),
        ("10.1.2.3:8443", "10.1.2.3", 8443, True),
        ("10.1.2.3:8443", "10.1.2.3", 443, False),
        ("10.0.0.0/8", "10.255.0.1", 443, True),
        ("10.0.0.1/8", "10.255.0.1", 443, True),
        ("10.0.0.0/8", "11.0.0.1", 443, False),
        ("10.0.0.0/8", "reg10.example", 443, False),
        ("0.0.0.0/0", "2001:db8::1", 443, False),
        ("2001:db8::1", "2001:db8::1", 443, True),
        ("2001:db8::1", "2001:db8:0:0::1", 443, True),
        ("[2001:db8::1]", "2001:db8::1", 443, True),
        ("[2001:db8::1]:8443", "2001:db8::1", 8443, True),
        ("[2001:db8::1]:8443", "2001:db8::1", 443, False),
        ("2001:db8::/32", "2001:db8:ffff::1", 443, True),
        ("2001:db8::/32", "2001:db9::1", 443, False),
        # What other clients do not read either
        ("https://reg.example", "reg.example", 443, False),
        ("reg.example:port", "reg.example", 443, False),
        ("10.*", "10.1.2.3", 443, False),
        ("[::1", "reg.example", 443, False),
        (":443", "reg.example", 443, False),
        (".", "reg.example", 443, False),
        ("*.", "reg.example", 443, False),
        ("", "reg.example", 443, False),
    ],
)
def test_no_proxy_is_read_as_by_other_clients(
    item: str, host: str, port: int, *, expected: bool
) -> None:
    assert is_direct(host, port, ["elsewhere.example", item]) is expected


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1"])
def test_loopback_is_never_reached_through_a_proxy(host: str) -> None:
    assert is_direct(host, 443, [])


@given(st.lists(st.text() | st.text("*.:[]/0123456789abc")), st.text() | st.text(".:0123456789abc"))
def test_any_list_says_yes_or_no_of_any_host(items: list[str], host: str) -> None:
    assert is_direct(host, 443, items) in {True, False}
    assert is_direct(host, 443, [*items, "*"])


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://reg.example/v2/", PROXY),
        ("https://reg.example:5000/v2/", PROXY),
        ("https://reg.example:8443/v2/", None),
        ("https://inner.example/v2/", None),
        ("https://127.0.0.1:5000/v2/", None),
        ("https://[::1]:5000/v2/", None),
        ("http://reg.example/v2/", None),
    ],
)
def test_the_proxy_is_for_https_beyond_what_needs_none(url: str, expected: Proxy | None) -> None:
    network = Network(proxy=PROXY, no_proxy=("inner.example", "reg.example:8443"))
    assert network.proxy_for(url) == expected
    assert Network().proxy_for(url) is None


@pytest.mark.parametrize(
    ("text", "origin", "username", "password"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128", "", ""),
        ("https://proxy.example/", "https://proxy.example", "", ""),
        ("proxy.example:3128", "http://proxy.example:3128", "", ""),
        ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128", "", ""),
        ("http://me:hunter2@proxy.example", "http://proxy.example", "me", "hunter2"),
        ("me:a%40b%3Ac@proxy.example:1", "http://proxy.example:1", "me", "a@b:c"),
        ("http://me@proxy.example", "http://proxy.example", "me", ""),
    ],
)
def test_a_proxy_is_read_as_it_is_written(
    text: str, origin: str, username: str, password: str
) -> None:
    proxy = parse_proxy(text)
    assert (proxy.origin, proxy.username, proxy.password) == (origin, username, Secret(password))


def test_a_proxy_shows_neither_user_nor_password() -> None:
    proxy = parse_proxy("http://hunter1:hunter2@proxy.example")
    assert "hunter" not in f"{proxy!r} {proxy} {Network(proxy=proxy)!r}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://",
        "socks5://proxy.example:1080",
        "ftp://proxy.example",
        "http://proxy.example/path",
        "http://proxy.example?query",
        "http://proxy.example:port",
        "http://proxy.example:70000",
        "http://[::1",
        "http://user:pass/word@proxy.example",
    ],
)
def test_anything_else_is_no_proxy(text: str) -> None:
    with pytest.raises(MalformedInput):
        parse_proxy(text)


@given(st.text() | st.text("htps:/@[]%.0123456789"))
def test_any_text_is_a_proxy_or_refused(text: str) -> None:
    try:
        proxy = parse_proxy(text)
    except MalformedInput:
        return
    assert "@" not in proxy.origin
    assert proxy.origin.startswith(("http://", "https://"))
