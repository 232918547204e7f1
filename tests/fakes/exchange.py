"""One exchange at a standing clock, as tests drive it."""

import json
from collections.abc import Mapping
from typing import Any

from fakes.answers import Answers
from fakes.jfrog import unsigned
from pullpass.credential import Credential
from pullpass.exchange.catalog import load
from pullpass.exchange.engine import exchange
from pullpass.exchange.place import Place
from pullpass.exchange.reader import read_spec
from pullpass.exchange.spec import Spec
from pullpass.http import Response, Transport, run
from pullpass.secret import Secret

NOW = 1_800_000_000.0
REGISTRY = "acme.jfrog.io"
PLACE = Place(registry=REGISTRY)
STRONGBOX = {"provider_name": "strongbox"}
CLAIMS = {"iss": "https://id.example.com", "sub": "registry-pull", "aud": REGISTRY}
TOKEN = unsigned(CLAIMS)
GOOD = {"access_token": "given-token", "username": "puller"}


def trade(
    transport: Transport,
    *,
    spec: Spec | None = None,
    parameters: Mapping[str, str] = STRONGBOX,
    place: Place = PLACE,
    token: str = TOKEN,
) -> Credential:
    flow = exchange(spec or load("jfrog"), parameters, place, Secret(token), lambda: NOW)
    return run(flow, transport)


def says(status: int, body: object, **headers: str) -> Answers:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answers(answers=[Response(status=status, headers=named, body=raw)])


def spec_of(
    step: Mapping[str, Any], credential: Mapping[str, Any] | None = None, **more: object
) -> Spec:
    base = {"id": "one", "url": "https://{registry}/t", "out": {"token": "token"}}
    ends = {"username": ["u"], "password": ["{one.token}"]}
    return read_spec(
        {"steps": [{**base, **step}], "credential": {**ends, **(credential or {})}, **more}, "acme"
    )
