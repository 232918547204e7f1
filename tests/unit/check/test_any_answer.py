"""Whatever anybody answers, a walk ends and each link has its finding."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.chain import BASE, DISCOVERY, EXCHANGE, JWKS, REALM, Chain
from fakes.walking import LINKS, says, walked
from pullpass.http import Response

SECRETLESS = st.text(max_size=40).filter(lambda text: "eyJ" not in text and "hidden" not in text)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | SECRETLESS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SECRETLESS, inner, max_size=3),
    max_leaves=6,
)
MEMBERS = ["access_token", "token", "username", "expires_in", "issuer", "jwks_uri", "keys", "error"]
BODIES = st.binary(max_size=60) | st.dictionaries(st.sampled_from(MEMBERS), JSON).map(
    lambda value: json.dumps(value).encode()
)
HEADERS = st.dictionaries(
    st.sampled_from(["www-authenticate", "retry-after", "location", "content-type", "date"]),
    SECRETLESS | SECRETLESS.map(lambda text: f'Bearer realm="{text}"'),
)
ANSWERS = st.builds(
    Response,
    status=st.sampled_from([200, 401]) | st.integers(100, 599),
    headers=HEADERS,
    body=BODIES,
)


@settings(max_examples=200)
@given(st.sampled_from([DISCOVERY, JWKS, EXCHANGE, BASE, REALM]), ANSWERS)
def test_any_answer_of_anybody_gives_findings(place: tuple[str, str], answer: Response) -> None:
    chain = Chain()
    chain.broken[place] = answer
    assert list(walked(chain)) == LINKS


@settings(max_examples=100)
@given(SECRETLESS, SECRETLESS)
def test_any_user_name_and_secret_give_findings(username: str, secret: str) -> None:
    chain = Chain()
    chain.broken[EXCHANGE] = says(200, {"access_token": secret, "username": username})
    assert list(walked(chain)) == LINKS
