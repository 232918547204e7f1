from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.jose import generate_key, sign
from pullpass.registry.embedded.access import LEEWAY, challenge
from pullpass.registry.embedded.settings import Trust
from pullpass.scope import Scope

KEY = generate_key()
KID = KEY.public.libtrust_id()
TRUST = Trust(realm="https://r.test", service="s", issuer="https://i.test", keys={KID: KEY.public})
WANTED = (Scope(type="repository", name="a", actions=frozenset({"pull", "push"})),)
NOW = 1_000_000
ACCESS = [{"type": "repository", "name": "a", "actions": ["pull", "push"]}]
CLAIMS = {"iss": "https://i.test", "aud": "s", "nbf": NOW, "exp": NOW + 300, "access": ACCESS}


def asked(header: str, now: float = NOW) -> str | None:
    return challenge(TRUST, header, WANTED, now)


def bearer(**claims: Any) -> str:
    return f"Bearer {sign(CLAIMS | claims, KEY, kid=KID).reveal()}"


def test_a_challenge_names_realm_service_scope_and_error_in_this_order() -> None:
    start = 'Bearer realm="https://r.test",service="s",scope="repository:a:pull,push"'
    assert asked("") == start
    assert asked("Bearer junk") == f'{start},error="invalid_token"'
    assert asked(bearer(access=[])) == f'{start},error="insufficient_scope"'


@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        (NOW, True),
        (NOW - LEEWAY, True),
        (NOW - LEEWAY - 1, False),
        (NOW + 300 + LEEWAY, True),
        (NOW + 300 + LEEWAY + 1, False),
    ],
)
def test_the_clock_may_be_off_by_the_leeway(now: float, *, is_open: bool) -> None:
    assert (asked(bearer(), now) is None) is is_open


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["a", "pull"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "name", "actions"]), inner)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["aud", "nbf", "exp", "sub", "jti", "access"]), JSON))
def test_any_claims_are_judged(claims: dict[str, Any]) -> None:
    found = asked(bearer(**claims))
    if found is None:
        assert not {"aud", "exp", "access"} & claims.keys()
    else:
        assert "error=" in found


@given(st.text())
def test_any_header_is_challenged(header: str) -> None:
    assert asked(header) is not None
