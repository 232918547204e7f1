import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.errors import RegistryError
from pullpass.registry.place import Place, check_realm


@pytest.mark.parametrize(
    ("place", "origin"),
    [
        (Place(registry="registry.example.com"), "https://registry.example.com"),
        (Place(registry="registry.example.com:5000"), "https://registry.example.com:5000"),
        (Place(registry="127.0.0.1:5000", plaintext=True), "http://127.0.0.1:5000"),
        (Place(registry="docker.io"), "https://registry-1.docker.io"),
    ],
)
def test_a_registry_is_spoken_to_at_its_origin(place: Place, origin: str) -> None:
    assert place.origin == origin
    assert place.url("team/app/tags/list") == f"{origin}/v2/team/app/tags/list"


@pytest.mark.parametrize(
    ("place", "realm"),
    [
        (Place(registry="registry.example.com"), "https://auth.example.com/token"),
        (Place(registry="registry.example.com"), "https://auth.example.com:8443/token?a=b"),
        (Place(registry="registry.example.com"), "https://8.8.8.8/token"),
        (Place(registry="10.0.0.5:5000"), "https://10.0.0.5:8443/token"),
        (Place(registry="127.0.0.1:5000"), "https://localhost:8443/token"),
        (Place(registry="127.0.0.1:5000", plaintext=True), "http://127.0.0.1:9/token"),
        (Place(registry="127.0.0.1:5000", plaintext=True), "https://auth.example.com/token"),
        (Place(registry="localhost:5000", plaintext=True), "http://[::1]:9/token"),
    ],
)
def test_a_realm_beside_the_registry_is_trusted(place: Place, realm: str) -> None:
    assert check_realm(realm, place) == realm


@pytest.mark.parametrize(
    ("place", "realm"),
    [
        (Place(registry="registry.example.com"), "http://auth.example.com/token"),
        (Place(registry="registry.example.com"), "http://127.0.0.1/token"),
        (Place(registry="registry.example.com", plaintext=True), "http://127.0.0.1/token"),
        (Place(registry="127.0.0.1:5000"), "http://127.0.0.1:9/token"),
        (Place(registry="127.0.0.1:5000", plaintext=True), "http://auth.example.com/token"),
        (Place(registry="127.0.0.1:5000", plaintext=True), "http://10.0.0.5/token"),
    ],
)
def test_plain_http_is_for_a_registry_that_is_plain_itself(place: Place, realm: str) -> None:
    with pytest.raises(RegistryError, match="is not https"):
        check_realm(realm, place)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "0.0.0.0",
        "[::]",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "233.252.0.1",
        "[fc00::1]",
        "[fe80::1]",
        "100.64.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "1.0x7f",
    ],
)
def test_a_realm_inside_a_network_is_not_for_a_public_registry(host: str) -> None:
    with pytest.raises(RegistryError, match=r"not public|not a plain URL"):
        check_realm(f"https://{host}/token", Place(registry="registry.example.com"))


@pytest.mark.parametrize(
    "realm",
    [
        "",
        "token",
        "/token",
        "https://",
        "https:///token",
        "https://user@auth.example.com/token",
        "https://registry.example.com@evil.example/token",
        "https://auth.example.com/token#part",
        "https://auth.example.com:99999/token",
        "https://auth.example.com:x/token",
        "https://auth.example.com\\@evil.example/token",
        "https://auth．example.com/token",
        "https://аuth.example.com/token",
        "https://[::1/token",
        "https://auth.example.com/to ken",
        "https://auth.example.com/token\r\nHost: evil.example",
        "ftp://auth.example.com/token",
        "file:///etc/passwd",
    ],
)
def test_a_realm_is_a_plain_url(realm: str) -> None:
    with pytest.raises(RegistryError, match="the realm that it names"):
        check_realm(realm, Place(registry="registry.example.com"))


@given(st.text() | st.from_regex(r"https?://[^/]{1,20}(/.{0,9})?", fullmatch=True))
def test_any_realm_is_taken_as_it_is_or_refused(realm: str) -> None:
    try:
        assert check_realm(realm, Place(registry="registry.example.com")) == realm
    except RegistryError as error:
        assert "registry.example.com" in str(error)
