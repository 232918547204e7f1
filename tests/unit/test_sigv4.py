from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from pullpass.secret import Secret
from pullpass.sigv4 import Signer, signed_headers

URL: Final = "https://api.ecr.eu-west-1.amazonaws.com"
WORDS: Final = st.from_regex(r"[ -~]*[!-~][ -~]*", fullmatch=True)
TOKENS: Final = st.from_regex(r"[A-Za-z0-9/+=]{1,60}", fullmatch=True)
NAMES: Final = st.from_regex(r"x-[a-z0-9-]{1,20}", fullmatch=True)
SEGMENTS: Final = st.text(min_size=1, max_size=8).filter(lambda text: text not in {".", ".."})
QUERIES: Final = st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=4)
SIGNERS: Final = st.builds(
    Signer,
    key_id=TOKENS,
    secret_key=TOKENS.map(Secret),
    session_token=st.none() | TOKENS.map(Secret),
    service=st.sampled_from(["ecr", "ecr-public", "sts"]),
    region=st.sampled_from(["eu-west-1", "us-east-1"]),
)


@settings(max_examples=400)
@given(
    signer=SIGNERS,
    method=st.sampled_from(["GET", "POST"]),
    segments=st.lists(SEGMENTS, max_size=4),
    query=QUERIES,
    headers=st.dictionaries(NAMES, WORDS, max_size=4),
    body=st.binary(max_size=200),
)
def test_a_signature_is_botocores(
    *,
    signer: Signer,
    method: str,
    segments: list[str],
    query: list[tuple[str, str]],
    headers: Mapping[str, str],
    body: bytes,
) -> None:
    path = "".join(f"/{quote(segment, safe='')}" for segment in segments) or "/"
    url = f"{URL}{path}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")
    theirs = _botocores(signer, method, url, headers, body)
    at = datetime.strptime(theirs["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    ours = signed_headers(signer, method, url, headers=headers, body=body, at=at)
    assert {**headers, **ours} == theirs


def _botocores(
    signer: Signer, method: str, url: str, headers: Mapping[str, str], body: bytes
) -> dict[str, str]:
    token = signer.session_token.reveal() if signer.session_token else None
    keys = Credentials(signer.key_id, signer.secret_key.reveal(), token)
    request = AWSRequest(method=method, url=url, headers=dict(headers), data=body)
    SigV4Auth(keys, signer.service, signer.region).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}
