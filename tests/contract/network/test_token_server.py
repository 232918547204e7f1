"""The token server reaches an issuer's documents by the same rules."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import trustme

from fakes.endpoint import answering
from fakes.oidc import Issuer
from fakes.programs import environment, finished, free_port, listens, running
from fakes.proxy import Asked, certified, proxying
from fakes.sending import send
from pullpass.http import Request, Response

SERVICE: Final = "reg.example"
ISSUER: Final = "https://id.example"
SETTINGS: Final = """
state_dir = "{place}/state"
[keys.registry-token]
[keys.exchange]
[serve.token-server]
listen = "127.0.0.1:{port}"
[services."reg.example"]
issuer = "https://auth.example"
signing_key = "registry-token"
exchange_key = "exchange"
[connections.strongbox]
issuer = "https://id.example"
audiences = ["reg.example"]
[[connections.strongbox.rulesets]]
label = "all"
subject = ["*"]
resources = ["repository:team/*"]
actions = ["pull"]
[http]
ca_bundle = "{ca}"
"""


@pytest.fixture
def issuer(authority: trustme.CA) -> Iterator[tuple[Issuer, int]]:
    """An issuer that speaks TLS, and its port."""
    made = Issuer(url=ISSUER)

    def answer(request: Request) -> Response:
        return Response(status=200, body=json.dumps(made.documents()[request.url]).encode())

    with answering(answer, certified(authority, "id.example")) as origin:
        yield made, int(origin.rpartition(":")[2])


def test_documents_are_had_through_the_proxy(
    tmp_path: Path, ca: Path, issuer: tuple[Issuer, int]
) -> None:
    port, config = free_port(), tmp_path / "config.toml"
    config.write_text(SETTINGS.format(place=tmp_path, port=port, ca=ca))
    signer, documents = issuer
    with proxying(Asked(routes={"id.example:443": documents})) as proxy:
        env = environment(PULLPASS_CONFIG=str(config), HTTPS_PROXY=proxy.origin)
        for key in ("registry-token", "exchange"):
            assert finished(["pullpass", "key", "create", key], env=env).returncode == 0
        log = tmp_path / "server.log"
        with running(["pullpass", "serve", "token-server"], log=log, env=env) as server:
            server.until(lambda: listens(port))
            answer = send(exchange(port, signer))

    assert answer.status == 200, answer.body
    assert set(proxy.seen) == {"id.example:443"}


def exchange(port: int, signer: Issuer) -> Request:
    """Returns JFrog's request for a credential, with an identity of signer's."""
    now = int(time.time())
    claims = {"iss": ISSUER, "sub": "puller", "aud": SERVICE, "iat": now, "exp": now + 300}
    fields = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        "subject_token": signer.sign(claims | {"jti": "one"}).reveal(),
        "provider_name": "strongbox",
    }
    return Request(
        method="POST",
        url=f"http://127.0.0.1:{port}/access/api/v1/oidc/token",
        headers={"content-type": "application/json"},
        body=json.dumps(fields).encode(),
    )
