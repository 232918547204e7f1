"""OpenBao as a source of identities: its own tokens, by the program itself."""

import time
from dataclasses import dataclass
from typing import Any, Final

import pytest

from fakes.issued import issued
from fakes.platforms import Platform
from fakes.programs import OpenBao
from fakes.settings import refusal_of
from pullpass.errors import IdentityError
from pullpass.http import run
from pullpass.identity.catalog import fetch
from pullpass.identity.edge import LocalEdge
from pullpass.identity.token import SubjectToken
from pullpass.transport import HttpTransport

REGISTRY: Final = "registry.example.com"


@dataclass(frozen=True)
class Login:
    """Somebody who has logged in, as an entity that may ask for identity tokens."""

    bao: OpenBao
    client_token: str

    def show(self, audience: str = REGISTRY, **changes: Any) -> SubjectToken:
        """Returns the identity that is shown, but for changed settings."""
        told = {"role": "pull", "address": self.bao.origin, **changes}
        environ = {"BAO_TOKEN": told.pop("client_token", self.client_token)}
        identity = Platform(source="openbao", told=told).identity
        with HttpTransport() as transport:
            return run(fetch(identity, audience, environ, time.time), LocalEdge(transport))

    def refused(self, **changes: Any) -> str:
        with pytest.raises(IdentityError) as error:
            self.show(**changes)
        said = refusal_of(error.value)
        assert self.client_token not in said
        return said


@pytest.fixture(scope="module")
def login(bao: OpenBao) -> Login:
    """A user in a userpass mount, whose policy lets it read tokens of the role pull."""
    policy = 'path "identity/oidc/token/*" { capabilities = ["read"] }'
    bao.ask("POST", "sys/policies/acl/identity", {"policy": policy})
    key = {"allowed_client_ids": ["*"], "algorithm": "ES256", "rotation_period": "1h"}
    bao.ask("POST", "identity/oidc/key/pull", {**key, "verification_ttl": "1h"})
    for name, audience in (("pull", REGISTRY), ("other", "other.example.com")):
        role = {"key": "pull", "client_id": audience, "ttl": "5m"}
        bao.ask("POST", f"identity/oidc/role/{name}", role)
    bao.ask("POST", "sys/auth/userpass", {"type": "userpass"})
    password = issued("password-of-the-puller")
    user = {"password": password, "token_policies": ["identity"]}
    bao.ask("POST", "auth/userpass/users/puller", user)
    answer = bao.ask("POST", "auth/userpass/login/puller", {"password": password})
    return Login(bao=bao, client_token=issued(answer["auth"]["client_token"]))


def test_the_entitys_token_is_shown(login: Login) -> None:
    found = login.show()
    assert found.said.claims["aud"] == REGISTRY
    assert found.said.text("iss") == f"{login.bao.origin}/v1/identity/oidc"
    assert found.said.header_text("alg") == "ES256"
    assert found.expires_at is not None
    assert 0 < found.expires_at - time.time() <= 300


def test_a_role_of_another_audience_is_shown_to_nobody(login: Login) -> None:
    assert "is for other.example.com and registry.example.com is wanted" in login.refused(
        role="other"
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"client_token": issued("s.nobody-knows-it")}, "403: let a policy of the client token"),
        ({"role": "none"}, "400: there is no role none, or"),
        ({"namespace": "none"}, "check role and namespace"),
        ({"token_file": "/nowhere"}, "no client token in /nowhere"),
    ],
)
def test_what_openbao_refuses_is_translated(
    login: Login, changes: dict[str, str], says: str
) -> None:
    assert says in login.refused(**changes)


def test_root_is_nobody_and_is_told_so(login: Login) -> None:
    assert "the client token is of no entity, as root's" in login.refused(
        client_token=login.bao.root_token
    )
