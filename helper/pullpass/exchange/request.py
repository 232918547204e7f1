"""A step as the request that it is."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote, urlencode

from pullpass.errors import ConfigError, ExchangeError, MalformedInput
from pullpass.exchange.place import Place
from pullpass.exchange.spec import Field, Step
from pullpass.exchange.template import Encode, Template, Values, header_value, plain, render
from pullpass.exchange.url import render_url
from pullpass.http import Request
from pullpass.secret import Secret
from pullpass.sigv4 import Signer, signed_headers

_CONTENT_TYPES: Final[Mapping[str, str]] = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
}


def build_request(step: Step, values: Values, place: Place, at: float) -> Request:
    """Returns the request of step at a time, Unix seconds.

    Raises:
        ConfigError: if a parameter cannot stand where it would.
        ExchangeError: if an answer before gave what cannot stand where it would.
    """
    try:
        return _proven(step, _unproven(step, values, place), values, at)
    except MalformedInput as error:
        if any("." in hole.name for hole in step.holes):
            why = f"registry {place.registry}: step {step.id} cannot be asked: {error}"
            raise ExchangeError(why) from error
        raise ConfigError(str(error), key=f"{place.key}.parameters") from error


def _unproven(step: Step, values: Values, place: Place) -> Request:
    url = render_url(step.url, values, insecure=place.insecure)
    query = urlencode(_present(step.query, values), quote_via=quote)
    fields = {name: _field(field, values) for name, field in step.fields.items()}
    kind = {"content-type": _CONTENT_TYPES[step.encoding]} if step.encoding != "none" else {}
    return Request(
        method=step.method,
        url=f"{url}?{query}" if query else url,
        headers={
            "accept": f"application/{step.response}",
            **kind,
            **_present(step.headers, values, header_value),
        },
        body=_body(step.encoding, {n: text for n, text in fields.items() if text is not None}),
        patient=True,
    )


def _present(
    templates: Mapping[str, Template], values: Values, encode: Encode = plain
) -> dict[str, str]:
    rendered = {name: render(template, values, encode) for name, template in templates.items()}
    return {name: text for name, text in rendered.items() if text is not None}


def _field(field: Field, values: Values) -> str | list[str] | None:
    if isinstance(field, Template):
        return render(field, values)
    texts = (render(template, values) for template in field)
    return [text for text in texts if text is not None]


def _body(encoding: str, fields: Mapping[str, str | list[str]]) -> bytes:
    if encoding == "json":
        return json.dumps(fields).encode()
    return urlencode(fields).encode()


def _proven(step: Step, request: Request, values: Values, at: float) -> Request:
    if step.auth is None:
        return request
    texts = {name: render(text, values) for name, text in step.auth.templates.items()}
    proof = _PROOFS[step.auth.scheme](request, {n: text or "" for n, text in texts.items()}, at)
    return replace(request, headers={**request.headers, **proof})


def _bearer(_request: Request, texts: Mapping[str, str], _at: float) -> dict[str, str]:
    return {"authorization": f"Bearer {header_value(texts['token'])}"}


def _basic(_request: Request, texts: Mapping[str, str], _at: float) -> dict[str, str]:
    if ":" in texts["user"]:
        raise MalformedInput("the user name of auth.basic holds a colon (RFC 7617 §2)")
    pair = f"{texts['user']}:{texts['password']}"
    return {"authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def _sigv4(request: Request, texts: Mapping[str, str], at: float) -> dict[str, str]:
    for text in texts.values():
        header_value(text)
    signer = Signer(
        key_id=texts["key_id"],
        secret_key=Secret(texts["secret_key"]),
        session_token=Secret(texts["session_token"]),
        service=texts["service"],
        region=texts["region"],
    )
    return signed_headers(
        signer, request.method, request.url, headers=request.headers, body=request.body, at=at
    )


_PROOFS: Final = {"bearer": _bearer, "basic": _basic, "sigv4": _sigv4}
