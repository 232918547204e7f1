"""OpenBao as keeper of a registry's password: the two specs for it against the program itself."""

import time
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from fakes.issued import issued
from fakes.programs import OpenBao
from pullpass.certificates import certify
from pullpass.credential import Credential
from pullpass.errors import ExchangeDenied, ExchangeError
from pullpass.exchange.catalog import load
from pullpass.exchange.engine import exchange
from pullpass.exchange.place import Place
from pullpass.http import run
from pullpass.jose import PrivateKey, generate_key, sign
from pullpass.secret import Secret
from pullpass.transport import HttpTransport

REGISTRY: Final = "harbor.example.com"
PASSWORD: Final = issued("pass:word:of:harbor")
PAIR: Final = {"username": "robot$puller", "password": PASSWORD}
POLICY: Final = 'path "secret/data/harbor/*" { capabilities = ["read"] }'
ROLE: Final = {
    "role_type": "jwt",
    "user_claim": "sub",
    "bound_audiences": [REGISTRY],
    "bound_subject": "registry-pull",
    "bound_claims": {"team": "a"},
    "token_policies": ["pull"],
}


@dataclass(frozen=True, kw_only=True)
class Broker:
    """An OpenBao that trusts one key and keeps one registry's password in a namespace."""

    bao: OpenBao
    namespace: str = ""
    key: PrivateKey = field(default_factory=generate_key)

    def write(self, path: str, content: dict[str, Any]) -> None:
        self.bao.ask("POST", path, content, namespace=self.namespace)

    def token(self, key: PrivateKey | None = None, **claims: Any) -> Secret:
        """Returns a subject token that is let in, but for the changed claims and another key."""
        now, signer = int(time.time()), key or self.key
        usual = {"sub": "registry-pull", "aud": REGISTRY, "team": "a", "iat": now, "exp": now + 300}
        return sign({**usual, **claims}, signer, kid=signer.public.thumbprint())

    def trade(
        self, token: Secret | None = None, *, provider: str = "openbao", **parameters: str
    ) -> Credential:
        """Returns what provider gives for token."""
        place = Place(registry=REGISTRY, exchange=self.bao.origin, insecure=True)
        usual = {"role": "puller", "secret": "secret/data/harbor/puller"}
        if self.namespace:
            usual["namespace"] = self.namespace
        subject = token or self.token()
        with HttpTransport() as transport:
            asked = exchange(load(provider), usual | parameters, place, subject, time.time)
            return run(asked, transport)


@pytest.fixture(scope="module", params=["", "team"])
def broker(request: pytest.FixtureRequest, bao: OpenBao) -> Broker:
    """A broker in the root namespace, and one in a namespace of its own."""
    made = Broker(bao=bao, namespace=request.param)
    if made.namespace:
        bao.ask("POST", f"sys/namespaces/{made.namespace}")
        made.write("sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    made.write("sys/mounts/leased", {"type": "kv"})
    made.write("sys/auth/jwt", {"type": "jwt"})
    pem = certify(made.key, "identity").decode()
    made.write("auth/jwt/config", {"jwt_validation_pubkeys": [pem]})
    made.write("sys/policies/acl/pull", {"policy": POLICY})
    leased = POLICY.replace("secret/data/harbor", "leased")
    made.write("sys/policies/acl/lease", {"policy": leased})
    made.write("auth/jwt/role/puller", ROLE)
    made.write("auth/jwt/role/leaser", {**ROLE, "token_policies": ["lease"]})
    made.write("secret/data/harbor/puller", {"data": PAIR})
    made.write("leased/puller", {**PAIR, "ttl": "30m"})
    return made


def test_an_identity_becomes_the_password_that_is_kept(broker: Broker) -> None:
    found = broker.trade()
    assert (found.username, found.secret.reveal()) == ("robot$puller", PASSWORD)
    assert found.expires_at is None, "a password that is kept has no end of its own"


def test_what_is_leased_ends_with_its_lease(broker: Broker) -> None:
    before = time.time()
    found = broker.trade(provider="openbao-dynamic", role="leaser", secret="leased/puller")
    assert (found.username, found.secret.reveal()) == ("robot$puller", PASSWORD)
    assert found.expires_at is not None
    assert before + 1800 <= found.expires_at <= time.time() + 1800


NOW: Final = int(time.time())
REFUSALS: Final = [
    ({"aud": "other.example.com"}, "400 (invalid audience): the role's bound_audiences must have"),
    ({"sub": "other"}, "400 (invalid subject): the role's bound_subject must be exactly"),
    ({"team": "b"}, "400 (validating claims): the role's bound_claims do not fit"),
    ({"team": None}, "400 (validating claims): the role's bound_claims do not fit"),
    ({"exp": NOW - 900, "iat": NOW - 1200}, "400 (token is expired): compare the clocks"),
    ({"nbf": NOW + 9000, "exp": NOW + 9900}, "400 (token not yet valid): compare the clocks"),
]


@pytest.mark.parametrize(("claims", "says"), REFUSALS)
def test_a_token_that_is_not_let_in_is_told_which_setting_it_does_not_fit(
    broker: Broker, claims: dict[str, Any], says: str
) -> None:
    with pytest.raises(ExchangeDenied) as refused:
        broker.trade(broker.token(**claims))
    where = f"registry {REGISTRY}: step login at {broker.bao.origin} answered"
    assert str(refused.value).startswith(f"{where} {says}")


def test_a_key_that_nobody_trusts_is_told(broker: Broker) -> None:
    with pytest.raises(ExchangeDenied, match=r"\(token signature\): the keys at auth_path did not"):
        broker.trade(broker.token(key=generate_key()))


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"role": "none"}, "login {} answered 400 (could not be found): there is no such role"),
        ({"auth_path": "none"}, "login {} answered 403 (permission denied): check auth_path"),
        ({"namespace": "none"}, "login {} answered 404 (namespace not found): check namespace"),
        ({"secret": "secret/data/other"}, "secret {} answered 403 (permission denied): let a pol"),
        ({"secret": "secret/data/harbor/none"}, "secret {} answered 404: there is no such secret"),
    ],
)
def test_a_parameter_that_does_not_fit_is_told(
    broker: Broker, parameters: dict[str, str], says: str
) -> None:
    with pytest.raises(ExchangeDenied) as refused:
        broker.trade(None, **parameters)
    assert f"step {says.format('at ' + broker.bao.origin)}" in str(refused.value)


def test_a_secret_of_the_other_kind_is_no_credential(broker: Broker) -> None:
    with pytest.raises(ExchangeError, match=r"answered 200 without data\.username"):
        broker.trade(provider="openbao-dynamic")
