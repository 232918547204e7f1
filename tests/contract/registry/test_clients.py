"""Clients against both registries: our own flows, and skopeo."""

import json
from pathlib import Path

import pytest

from fakes.programs import client_home, skopeo, tiny_image
from fakes.registries import PASSWORD, SERVICE, USER, Realm, Registry
from pullpass.credential import Credential
from pullpass.errors import RegistryError
from pullpass.http import run
from pullpass.registry.image import tiny_image as our_image
from pullpass.registry.place import Place
from pullpass.registry.puller import Pulled, pull
from pullpass.registry.pusher import Pushed, push
from pullpass.scope import Scope, parse_scopes
from pullpass.secret import Secret
from pullpass.transport import HttpTransport

IMAGE = our_image()


def credential(password: str = PASSWORD) -> Credential:
    return Credential(username=USER, secret=Secret(password))


def pushed(registry: Registry, repository: str, tag: str = "latest") -> Pushed:
    place = Place(registry=registry.address, plaintext=True)
    with HttpTransport() as transport:
        return run(push(place, repository, tag, IMAGE, credential()), transport)


def pulled(registry: Registry, repository: str, reference: str, shown: Credential | None) -> Pulled:
    place = Place(registry=registry.address, plaintext=True)
    with HttpTransport() as transport:
        return run(pull(place, repository, reference, shown), transport)


def test_what_was_pushed_is_pulled(registry: Registry, repository: str) -> None:
    stored = pushed(registry, repository)
    found = pulled(registry, repository, "latest", credential())
    assert found.image == IMAGE
    assert found.manifest == stored.manifest
    assert pulled(registry, repository, stored.manifest.digest, credential()).image == IMAGE


def test_a_pull_shows_the_challenge_and_what_was_granted(
    registry: Registry, repository: str
) -> None:
    pushed(registry, repository)
    grant = pulled(registry, repository, "latest", credential()).grant
    assert grant is not None
    scope = f"repository:{repository}:pull"
    given = {"realm": registry.realm.url, "service": SERVICE, "scope": scope}
    assert grant.challenge.parameters == given
    assert grant.granted == parse_scopes([scope])


def test_a_push_asks_to_pull_and_to_push(registry: Registry, repository: str) -> None:
    grant = pushed(registry, repository).grant
    actions = frozenset({"pull", "push"})
    assert grant is not None
    assert grant.granted == (Scope(type="repository", name=repository, actions=actions),)


@pytest.mark.parametrize("shown", [None, credential("wrong")])
def test_a_refused_credential_ends_the_pull(
    registry: Registry, repository: str, shown: Credential | None
) -> None:
    with pytest.raises(RegistryError, match="token server refused the credential with 401"):
        pulled(registry, repository, "latest", shown)


def test_what_is_not_there_cannot_be_pulled(registry: Registry, repository: str) -> None:
    with pytest.raises(RegistryError, match="the manifest latest: not there"):
        pulled(registry, repository, "latest", credential())


def test_skopeo_copies_in_and_out(registry: Registry, repository: str, tmp_path: Path) -> None:
    home = client_home(tmp_path / "home")
    image = tiny_image(tmp_path / "in")
    remote = f"docker://{registry.address}/{repository}:latest"
    login = f"{USER}:{PASSWORD}"
    plain = ("--dest-tls-verify=false", "--dest-creds", login)
    sent = skopeo(home, "copy", *plain, f"oci:{image}", remote)
    assert sent.returncode == 0, sent.stderr
    plain = ("--src-tls-verify=false", "--src-creds", login)
    fetched = skopeo(home, "copy", *plain, remote, f"oci:{tmp_path / 'out'}:latest")
    assert fetched.returncode == 0, fetched.stderr
    assert manifest_digest(tmp_path / "out") == manifest_digest(image)


def test_skopeo_mounts_what_another_repository_holds(
    registry: Registry, repository: str, tmp_path: Path
) -> None:
    pushed(registry, repository)
    home = client_home(tmp_path / "home")
    login = ("--src-creds", f"{USER}:{PASSWORD}", "--dest-creds", f"{USER}:{PASSWORD}")
    plain = ("--src-tls-verify=false", "--dest-tls-verify=false")
    host = f"docker://{registry.address}"
    copied = skopeo(
        home, "copy", *plain, *login, f"{host}/{repository}:latest", f"{host}/{repository}/b:v1"
    )
    assert copied.returncode == 0, copied.stderr
    assert pulled(registry, f"{repository}/b", "v1", credential()).image == IMAGE


def test_skopeo_is_refused_with_a_token_to_pull(
    registry: Registry, repository: str, realm: Realm, tmp_path: Path
) -> None:
    home = client_home(tmp_path / "home")
    image = tiny_image(tmp_path / "in")
    token = realm.token(f"repository:{repository}:pull")
    plain = ("--dest-tls-verify=false", "--dest-registry-token", token)
    sent = skopeo(home, "copy", *plain, f"oci:{image}", f"docker://{registry.address}/{repository}")
    assert sent.returncode != 0
    assert "unauthorized" in sent.stderr


def manifest_digest(layout: Path) -> str:
    (only,) = json.loads((layout / "index.json").read_text())["manifests"]
    return str(only["digest"])
