"""``POST <issuer>/roles/<role>/mint`` as HTTP has it: statuses, headers and endless bodies."""

import asyncio
import time
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from fakes.asgi import ask
from fakes.issuing import Keys, transit_key
from fakes.settings import ISSUER, REGISTRY, changed, role
from pullpass.config.parse import parse
from pullpass.issuer.app import PATIENCE, IssuerServer, application
from pullpass.issuer.outside import MAX_BODY
from pullpass.jose import generate_key, sign

URL: Final = f"{ISSUER}/roles/node/mint"
KEY: Final = generate_key()
NODES: Final = ("issuers", "nodes")


def server(state: Path, patience: float = PATIENCE) -> IssuerServer:
    """Returns a server that lets edge-17 mint, thrice a minute."""
    node = {"keys": [KEY.public.jwk("any")]}
    minted = role(subject_template="${node}", mint=[{"node": "edge-*"}])
    settings = changed(
        (("state_dir",), str(state)),
        ((*NODES, "nodes"), {"edge-17": node}),
        ((*NODES, "roles", "node"), minted),
        ((*NODES, "mints_per_minute"), 3),
    )
    keys = Keys({"identity": transit_key("identity")})
    return application(parse(settings, Path("/nowhere")), keys, patience=patience)


@pytest.fixture
def app(tmp_path: Path) -> IssuerServer:
    return server(tmp_path)


def shown() -> dict[str, str]:
    now = int(time.time())
    claims = {"iss": "edge-17", "sub": "edge-17", "aud": URL, "jti": str(time.time_ns())}
    token = sign({**claims, "iat": now, "exp": now + 30}, KEY, kid=KEY.public.thumbprint())
    return {"Authorization": f"Bearer {token.reveal()}"}


def post(
    app: IssuerServer, headers: dict[str, str], body: bytes = b"", url: str = URL
) -> httpx.Response:
    asked = body or b'{"audiences": ["%s"]}' % REGISTRY.encode()
    return ask(app, url, "POST", headers, asked)


def test_a_token_is_kept_by_nobody_on_its_way(app: IssuerServer) -> None:
    answer = post(app, shown())
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"jwt", "expires_in"}


def test_who_proves_nothing_is_told_how_to(app: IssuerServer) -> None:
    answer = post(app, {})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["error"] == "invalid_client"


def test_who_comes_too_often_is_told_when_to_come_back(app: IssuerServer) -> None:
    assert [post(app, shown()).status_code for _ in range(3)] == [200, 200, 200]
    answer = post(app, shown())
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "20")


def test_a_body_that_is_too_long_is_refused_unread(app: IssuerServer) -> None:
    assert post(app, shown(), b"x" * (MAX_BODY + 1)).status_code == 413


def test_a_body_that_does_not_end_is_not_waited_for(tmp_path: Path) -> None:
    sent: list[Any] = []

    async def endless() -> dict[str, Any]:
        await asyncio.sleep(60)
        raise AssertionError("it was waited for")

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": URL.removeprefix("https://id.example.com"),
        "headers": [(b"host", b"id.example.com")],
    }
    asyncio.run(server(tmp_path, patience=0.01)(scope, endless, send))
    assert sent[0]["status"] == 413


@pytest.mark.parametrize(
    "url",
    [
        f"{ISSUER}/roles/docker-pull/mint",
        f"{ISSUER}/roles/unknown/mint",
        f"{ISSUER}/roles/node/mint/",
        "https://evil.org/t/6f1c/jwt/nodes/roles/node/mint",
    ],
)
def test_nothing_is_minted_anywhere_else(app: IssuerServer, url: str) -> None:
    assert post(app, shown(), url=url).status_code == 405


def test_metrics_count_what_was_asked_for(app: IssuerServer) -> None:
    post(app, shown())
    post(app, {})
    told = ask(app, "http://127.0.0.1:8441/metrics").text
    for status in (200, 401):
        name = f'pullpass_issuer_requests_total{{document="mint",status="{status}"}} 1.0'
        assert name in told
