from pathlib import Path
from typing import Final

import pytest

from fakes.issuing import transit_key
from fakes.settings import ISSUER, settings
from pullpass.config.parse import parse
from pullpass.errors import TokenRefused
from pullpass.issuer.documents import discovery, jwks
from pullpass.jose import ALGORITHMS, sign
from pullpass.keys.transit import TransitKey
from pullpass.relying import read_jwk
from pullpass.secret import Secret
from pullpass.verifier.verify import Trust, verify

NOW: Final = 1_800_000_000
TRUST: Final = Trust(issuer=ISSUER, audiences=("a",), algorithms=ALGORITHMS)
CLAIMS: Final = {"iss": ISSUER, "sub": "node", "aud": "a", "iat": NOW, "exp": NOW + 300}


def judged(token: Secret, key: TransitKey) -> str:
    """Returns the subject of token, by the keys that are published."""
    published = {jwk["kid"]: found for jwk in jwks(key)["keys"] if (found := read_jwk(jwk))}
    return verify(token, TRUST, published, NOW).subject


def test_discovery_names_the_issuer_as_it_is_configured() -> None:
    issuer = parse(settings(), Path("/nowhere")).issuers["nodes"]
    document = discovery(issuer)
    assert document["issuer"] == ISSUER
    assert document["jwks_uri"] == f"{ISSUER}/jwks"
    assert document["id_token_signing_alg_values_supported"] == ["ES256"]
    assert document["subject_types_supported"] == ["public"]
    assert document["response_types_supported"] == ["id_token"]
    assert "authorization_endpoint" not in document


def test_the_jwks_has_the_published_versions_and_nothing_private() -> None:
    key = transit_key("k", "created", "published", "active", "retiring", "retired", "compromised")
    shown = jwks(key)["keys"]
    assert [jwk["kid"] for jwk in shown] == [version.kid for version in key.versions[1:4]]
    for jwk in shown:
        assert jwk.keys() == {"kty", "use", "alg", "kid", "crv", "x", "y"}


@pytest.mark.parametrize("state", ["active", "retiring", "published"])
def test_a_token_verifies_by_what_is_published(state: str) -> None:
    key = transit_key("k", "active", state)
    version = key.versions[1]
    assert judged(sign(CLAIMS, version.local, kid=version.kid), key) == "node"


@pytest.mark.parametrize("state", ["created", "retired", "destroyed", "compromised"])
def test_a_version_that_is_not_published_is_not_trusted(state: str) -> None:
    key = transit_key("k", "active", state)
    version = key.versions[1]
    with pytest.raises(TokenRefused, match="publishes no key of its kid"):
        judged(sign(CLAIMS, version.local, kid=version.kid), key)


@pytest.mark.parametrize("kid", ["", "1", "../k"])
def test_a_token_of_another_kid_is_refused(kid: str) -> None:
    key = transit_key("k")
    with pytest.raises(TokenRefused, match="kid"):
        judged(sign(CLAIMS, key.active.local, kid=kid), key)


def test_a_token_under_the_kid_of_another_version_is_refused() -> None:
    key = transit_key("k", "active", "published")
    one, other = key.versions
    with pytest.raises(TokenRefused, match="does not verify"):
        judged(sign(CLAIMS, one.local, kid=other.kid), key)
