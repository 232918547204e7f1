"""Whose certificates are believed."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from fakes.loopback import Loopback, listening
from fakes.programs import environment, finished
from fakes.proxy import certified
from fakes.sending import Sends
from fakes.settings import refusal_of
from pullpass.errors import ConfigError, TransportError
from pullpass.http import Request
from pullpass.network import Network
from pullpass.transport import HttpTransport
from pullpass.trust import trusted


def get(url: str) -> Request:
    return Request(method="GET", url=url)


def test_an_authority_of_the_bundle_is_believed(ask: Sends, server: Loopback, ca: Path) -> None:
    assert ask(get(server.url("plain")), Network(ca_bundle=ca)).body == b"hello"


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_the_hosts_own_store_is_believed_beside_the_bundle(
    *,
    ask: Sends,
    server: Loopback,
    ca: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    monkeypatch.setenv(variable, str(ca if variable == "SSL_CERT_FILE" else hashed(ca)))

    assert ask(get(server.url("plain")), Network(ca_bundle=other)).body == b"hello"


def test_the_bundle_is_added_to_the_hosts_own_store(ca: Path) -> None:
    ours = trusted(ca).get_ca_certs(binary_form=True)
    hosts = ssl.create_default_context().get_ca_certs(binary_form=True)
    assert len(ours) == len(hosts) + 1
    assert set(hosts) < set(ours)


def test_an_unknown_authority_is_told_with_the_setting_that_names_it(
    ask: Sends, server: Loopback
) -> None:
    with pytest.raises(TransportError) as failed:
        ask(get(server.url("plain")), Network())
    assert refusal_of(failed.value) == (
        f"https://127.0.0.1:{server.server_port}: no answer (its certificate is not trusted: unable"
        " to get local issuer certificate: name its authority in http.ca_bundle or SSL_CERT_FILE)"
    )
    assert server.seen == []


@pytest.mark.parametrize(
    ("name", "expires", "message"),
    [
        ("other.example", None, "not valid for '127.0.0.1': ask for the name that it was made for"),
        ("127.0.0.1", datetime(2020, 1, 1, tzinfo=UTC), "has expired: let it be renewed, or set"),
    ],
)
def test_a_wrong_name_and_a_wrong_time_are_told_as_such(
    *,
    ask: Sends,
    authority: trustme.CA,
    ca: Path,
    name: str,
    expires: datetime | None,
    message: str,
) -> None:
    tls = certified(authority, name, not_after=expires)
    with listening(Loopback(tls)) as server, pytest.raises(TransportError) as failed:
        ask(get(server.url("plain")), Network(ca_bundle=ca))
    assert message in refusal_of(failed.value)
    assert server.seen == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no certificate"),
        (b"hello", "holds no certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds no certificate"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_bundle_that_cannot_be_used_is_a_wrong_setting(
    content: bytes | None, message: str, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        HttpTransport(Network(ca_bundle=bundle))
    assert refusal_of(refused.value).startswith(f"http.ca_bundle: {bundle} {message}")


def hashed(ca: Path) -> Path:
    """Returns a directory in which OpenSSL finds ca by the hash of its subject."""
    directory = ca.parent / "certs"
    directory.mkdir()
    done = finished(["openssl", "x509", "-noout", "-hash", "-in", ca], env=environment())
    (directory / f"{done.stdout.strip()}.0").write_bytes(ca.read_bytes())
    return directory
