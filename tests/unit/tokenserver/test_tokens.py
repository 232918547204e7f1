from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.issuing import version
from fakes.key_files import local
from fakes.token_server import NOW, OTHER_SERVICE, SERVICE, Clock, Keys, config
from pullpass.claims import read_token
from pullpass.errors import PullpassError, TokenRefused
from pullpass.jose import generate_key, sign
from pullpass.keys.transit import State
from pullpass.relying import verify
from pullpass.scope import parse_scopes
from pullpass.secret import Secret
from pullpass.tokenserver.tokens import Bearer, TokenMint
from pullpass.verifier.verify import EXCHANGE_TYPE

SETTINGS = config()
STRONGBOX = SETTINGS.connections["strongbox"]
REGISTRY, OTHER = SETTINGS.services[SERVICE], SETTINGS.services[OTHER_SERVICE]
PULL = parse_scopes(["repository:team/app:pull,push repository:team/web:"])


def mint(keys: Keys | None = None, now: float = NOW) -> TokenMint:
    return TokenMint(keys=keys or Keys(), now=Clock(now))


def credential(tokens: TokenMint) -> Secret:
    return local(tokens.credential(REGISTRY, STRONGBOX, "registry-pull")).token


def refusal(tokens: TokenMint, shown: Secret, service: Any = REGISTRY) -> str:
    with pytest.raises(TokenRefused) as caught:
        local(tokens.bearer(shown, service))
    return str(caught.value)


def test_a_registry_token_has_the_form_that_distribution_and_zot_take() -> None:
    keys = Keys()
    issued = local(mint(keys, NOW + 0.9).registry_token(REGISTRY, "puller", PULL, NOW + 3600))
    key = local(keys.load("registry-token")).active.public
    token = read_token(issued.token.reveal())
    assert token.header == {"alg": "ES256", "typ": "JWT", "kid": key.libtrust_id()}
    assert verify(issued.token, key) == {
        "iss": "https://auth.example.com",
        "aud": SERVICE,
        "sub": "puller",
        "iat": NOW - 10,
        "nbf": NOW - 10,
        "exp": NOW + 300,
        "jti": issued.token_id,
        "access": [{"type": "repository", "name": "team/app", "actions": ["pull", "push"]}],
    }
    assert issued.expires_in == 300


def test_a_libtrust_fingerprint_has_twelve_groups_of_four() -> None:
    issued = local(mint().registry_token(REGISTRY, "puller", (), NOW + 3600))
    groups = read_token(issued.token.reveal()).header_text("kid").split(":")
    assert [len(group) for group in groups] == [4] * 12
    assert set("".join(groups)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def test_a_credential_says_who_let_whom_in_where() -> None:
    keys = Keys()
    issued = local(mint(keys).credential(REGISTRY, STRONGBOX, "registry-pull"))
    version = local(keys.load("exchange")).active
    assert read_token(issued.token.reveal()).header == {
        "alg": "ES256",
        "typ": EXCHANGE_TYPE,
        "kid": version.kid,
    }
    assert verify(issued.token, version.public) == {
        "iss": "https://auth.example.com/exchange",
        "aud": "https://auth.example.com",
        "sub": "registry-pull",
        "service": SERVICE,
        "connection": "strongbox",
        "connection_issuer": STRONGBOX.issuer,
        "iat": NOW - 10,
        "nbf": NOW - 10,
        "exp": NOW + 3600,
        "jti": issued.token_id,
    }
    assert issued.expires_in == 3600


def test_a_credential_is_read_back() -> None:
    tokens = mint()
    assert local(tokens.bearer(credential(tokens), REGISTRY)) == Bearer(
        connection="strongbox",
        issuer=STRONGBOX.issuer,
        subject="registry-pull",
        expires_at=NOW + 3600,
    )


def test_no_two_tokens_share_an_id() -> None:
    tokens = mint()
    made = {local(tokens.registry_token(REGISTRY, "a", (), NOW + 3600)).token_id for _ in range(50)}
    made |= {local(tokens.credential(REGISTRY, STRONGBOX, "a")).token_id for _ in range(50)}
    assert len(made) == 100
    assert min(map(len, made)) >= 22  # 128 bits in base64url


@given(st.integers(60, 5000), st.integers(60, 5000), st.floats(0, 0.999))
def test_no_registry_token_outlives_its_credential(ttl: int, left: int, part: float) -> None:
    service = replace(REGISTRY, token_ttl=ttl)
    issued = local(mint(now=NOW + part).registry_token(service, "a", (), NOW + left))
    expires = read_token(issued.token.reveal()).claims["exp"]
    assert expires == NOW + issued.expires_in == NOW + min(ttl, left)


@pytest.mark.parametrize(("left", "good"), [(60, True), (59.5, False), (0, False), (-3600, False)])
def test_a_credential_is_good_until_its_last_minute(left: float, good: object) -> None:
    tokens = mint()
    shown = credential(tokens)
    late = replace(tokens, now=Clock(NOW + 3600 - left))
    if good:
        assert local(late.bearer(shown, REGISTRY)).subject == "registry-pull"
    else:
        assert refusal(late, shown) == "the credential expired: pull again"


def test_a_credential_of_one_service_is_refused_at_another() -> None:
    tokens = mint()
    message = refusal(tokens, credential(tokens), OTHER)
    assert message == f"the credential is not for service {OTHER_SERVICE}"
    elsewhere = replace(REGISTRY, issuer="https://auth2.example.com")
    assert "not for service" in refusal(tokens, credential(tokens), elsewhere)


def test_a_registry_token_is_no_credential() -> None:
    tokens = mint()
    token = local(tokens.registry_token(REGISTRY, "puller", PULL, NOW + 3600)).token
    assert refusal(tokens, token) == "it is not an exchanged credential"


def test_a_registry_token_is_no_credential_even_if_both_had_one_key() -> None:
    tokens = mint()
    careless = replace(REGISTRY, signing_key="exchange")
    token = local(tokens.registry_token(careless, "puller", PULL, NOW + 3600)).token
    assert refusal(tokens, token) == "it is not an exchanged credential"


def test_a_credential_of_a_key_that_is_gone_is_refused() -> None:
    shown = credential(mint())
    assert "a key that is gone" in refusal(mint(), shown)


def test_a_credential_outlives_the_rotation_of_its_key() -> None:
    keys = Keys()
    shown = credential(mint(keys))
    before = local(keys.load("exchange"))
    new = version(2, "active", generate_key())
    for state, good in ((State.RETIRING, True), (State.COMPROMISED, False)):
        versions = (replace(before.active, state=state), new)
        keys.made["exchange"] = replace(before, versions=versions)
        if good:
            assert local(mint(keys).bearer(shown, REGISTRY)).subject == "registry-pull"
        else:
            assert "a key that is gone" in refusal(mint(keys), shown)


def test_a_forged_credential_is_refused() -> None:
    tokens = mint()
    shown = credential(tokens).reveal()
    token = read_token(shown)
    forged = sign(token.claims, generate_key(), kid=token.header_text("kid"), type_=EXCHANGE_TYPE)
    assert refusal(tokens, forged) == "its signature does not verify"
    header, payload, _ = forged.reveal().split(".")
    mixed = Secret(f"{header}.{payload}.{shown.split('.')[2]}")
    assert local(tokens.bearer(mixed, REGISTRY)).subject == "registry-pull"  # the very same token


@given(st.text() | st.from_regex(r"\A[\w-]*\.[\w-]*\.[\w-]*\Z"))
def test_no_text_is_a_credential(text: str) -> None:
    with pytest.raises(PullpassError):
        local(TOKENS.bearer(Secret(text), REGISTRY))


TOKENS = mint()
SHOWN = credential(TOKENS).reveal()


@given(st.integers(0, len(SHOWN) - 1), st.integers(1, 3), st.text("aZ9-_.", max_size=3))
def test_a_mutated_credential_is_refused(at: int, drop: int, put: str) -> None:
    text = SHOWN[:at] + put + SHOWN[at + drop :]
    if text != SHOWN:
        with pytest.raises(PullpassError):
            local(TOKENS.bearer(Secret(text), REGISTRY))
