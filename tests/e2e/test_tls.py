"""Issuer, token server and registry behind TLS of a private authority, which the node trusts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from fakes.deployment import Deployment, deployed
from fakes.programs import Finished, Puller, Tls, docker_registry, skopeo


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who signs the certificates of the servers."""
    return trustme.CA()


@pytest.fixture(scope="module")
def secure(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment whose servers and clients trust the private authority and no other."""
    directory = tmp_path_factory.mktemp("tls")
    ca = directory / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    tls = certified(authority, "127.0.0.1", directory)
    with deployed(directory / "deployment", tls=tls, ca=ca) as made:
        yield made


@pytest.fixture(scope="module")
def secure_reference(secure: Deployment, image: Path) -> str:
    """Where the image is in the secure deployment's registry."""
    return secure.publish(image)


@pytest.fixture
def home(tmp_path: Path, secure: Deployment) -> Path:
    """A home whose clients ask docker-credential-pullpass for the secure registry."""
    return secure.home(tmp_path / "home")


def test_a_client_pulls_where_everything_speaks_https(
    puller: Puller, secure: Deployment, home: Path, secure_reference: str, digest: str
) -> None:
    done = puller.pull(home, secure_reference, **secure.environment())

    assert done.returncode == 0, done.stderr
    assert puller.digest(home, secure_reference) == digest


def test_a_certificate_of_an_unknown_authority_is_told_as_such(
    secure: Deployment, home: Path, secure_reference: str, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(stranger)

    done = pull(home, secure_reference, secure.environment() | {"SSL_CERT_FILE": str(stranger)})

    why = (
        "unable to get local issuer certificate: name its authority in http.ca_bundle or"
        " SSL_CERT_FILE"
    )
    assert done.returncode != 0
    assert said(secure, secure.token_server, why) in done.stderr


def test_a_certificate_for_another_name_is_told_as_such(
    authority: trustme.CA, secure: Deployment, home: Path, secure_reference: str, tmp_path: Path
) -> None:
    other = certified(authority, "elsewhere.test", tmp_path)
    with docker_registry(tmp_path / "other", tls=other) as address:
        config = secure.settings("other", exchange=f"https://{address}")

        done = pull(home, secure_reference, secure.environment(config))

    why = (
        "IP address mismatch, certificate is not valid for '127.0.0.1': ask for the name that it"
        " was made for"
    )
    assert done.returncode != 0
    assert said(secure, f"https://{address}", why) in done.stderr


def certified(authority: trustme.CA, name: str, directory: Path) -> Tls:
    """Returns what a server shows to be name, in files below directory."""
    shown = authority.issue_cert(name)
    tls = Tls(certificate=directory / "certificate.pem", key=directory / "key.pem")
    shown.private_key_pem.write_to_path(tls.key)
    for part in shown.cert_chain_pems:
        part.write_to_path(tls.certificate, append=True)
    return tls


def pull(home: Path, reference: str, variables: dict[str, str]) -> Finished:
    """Pulls with skopeo, which verifies certificates as pullpass does."""
    return skopeo(home, "copy", f"docker://{reference}", "oci:pulled", **variables)


def said(secure: Deployment, origin: str, why: str) -> str:
    """Returns what pullpass says of an exchange whose certificate it does not trust."""
    return (
        f"registry {secure.registry}: step token at {origin}: no answer (its certificate is not"
        f" trusted: {why}); check exchange and try again"
    )
