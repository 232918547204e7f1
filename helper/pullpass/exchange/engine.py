"""Runs a provider's spec as a generator of requests: no socket, no clock of its own.

Nothing is retried here. The caller knows how long its own caller waits, and a subject token may be
good for one showing only.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlencode

from pullpass.credential import Credential
from pullpass.errors import (
    ConfigError,
    ExchangeDenied,
    ExchangeError,
    ExchangeUnavailable,
    IdentityError,
    MalformedInput,
    TransportError,
)
from pullpass.exchange.answer import Answer, error_code, read_answer
from pullpass.exchange.expiry import expires_at
from pullpass.exchange.place import Place, public_values
from pullpass.exchange.spec import Auth, Spec, Step
from pullpass.exchange.template import Encode, Template, Values, header_value, plain, render
from pullpass.exchange.url import render_url
from pullpass.http import MAX_SKEW, Flow, Request, Response
from pullpass.secret import Secret

__all__ = ["Place", "audience", "check_parameters", "exchange"]

_MAX_WAIT: Final = 24 * 3600  # seconds; a longer Retry-After is no advice
_HINTS: Final[Mapping[int, str]] = {
    400: "check the entry's parameters against what the exchange expects",
    401: "check that the exchange trusts the token's issuer, audience and subject",
    403: "check what the token's subject may do at the exchange",
    404: "there is no such endpoint: check provider and exchange",
}
_DENIED_HINT: Final = "check the entry's provider, exchange and parameters"
_TOKEN_REFUSED: Final = frozenset({400, 401, 403})
_TRY_LATER: Final = frozenset({408, 425, 429})
_CONTENT_TYPES: Final[Mapping[str, str]] = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
}


def check_parameters(spec: Spec, parameters: Mapping[str, object], key: str) -> None:
    """Refuses parameters of an entry which spec does not know, cannot use or lacks.

    Args:
        spec: of the entry's provider.
        parameters: as the entry has them.
        key: their dotted name.

    Raises:
        ConfigError: naming the parameter's key.
    """
    known = ", ".join(sorted(spec.parameters)) or "none at all"
    for name, value in parameters.items():
        if name not in spec.parameters:
            raise ConfigError(f"unknown; {spec.name} knows {known}", key=f"{key}.{name}")
        if not isinstance(value, str) or not value or not value.isprintable():
            why = "must be one line of text; leave it out where it is empty"
            raise ConfigError(why, key=f"{key}.{name}")
    if missing := sorted(spec.required(parameters) - parameters.keys()):
        raise ConfigError(f"is missing and {spec.name} needs it", key=f"{key}.{missing[0]}")


def audience(spec: Spec, parameters: Mapping[str, str], place: Place) -> str:
    """Returns for whom the subject token is made: the registry, byte for byte, unless spec says.

    Raises:
        ConfigError: if a parameter is unknown, wrong or missing.
    """
    return _filled(spec.audience, _checked_values(spec, parameters, place), place)


def exchange(
    spec: Spec,
    parameters: Mapping[str, str],
    place: Place,
    subject_token: Secret,
    now: Callable[[], float],
) -> Flow[Credential]:
    """Trades subject_token for a credential.

    Args:
        spec: of the registry's provider.
        parameters: the entry's own.
        place: which registry, and where its exchange is.
        subject_token: what is shown.
        now: Unix seconds.

    Raises:
        ConfigError: if a parameter or the origin is unknown, wrong or missing.
        IdentityError: if subject_token is no token at all.
        ExchangeDenied: if the exchange said no.
        ExchangeUnavailable: if it cannot be had now.
        ExchangeError: if it answered something else than a credential.
    """
    values = dict(_checked_values(spec, parameters, place))
    values["identity"] = _checked_token(subject_token, place)
    last = None
    for step in spec.steps:
        if not step.when or step.when in values:
            last = yield from _ask(step, values, place, now)
            values |= last.outputs
    return _credential(spec, values, place, last, now)


def _checked_values(spec: Spec, parameters: Mapping[str, str], place: Place) -> Values:
    check_parameters(spec, parameters, f"{place.key}.parameters")
    return public_values(spec, parameters, place)


def _checked_token(token: Secret, place: Place) -> Secret:
    text = token.reveal()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise IdentityError(
            f"{place.registry}: the subject token is empty or holds what no token does:"
            " check the entry's identity"
        )
    return token


def _ask(step: Step, values: Values, place: Place, now: Callable[[], float]) -> Flow[Answer]:
    request = _request(step, values, place)
    asked_at = now()
    try:
        response = yield request
    except TransportError as error:
        message = f"{place.registry}: step {step.id} at {error}; check exchange and try again"
        raise ExchangeUnavailable(message) from error
    where = f"{place.registry}: step {step.id} at {request.origin}"
    if not 200 <= response.status < 300:
        raise _refusal(step, response, where, now())
    try:
        return read_answer(step, response, asked_at)
    except MalformedInput as error:
        raise ExchangeError(f"{where} answered {response.status} {error}") from error


def _request(step: Step, values: Values, place: Place) -> Request:
    try:
        url = render_url(step.url, values, insecure=place.insecure)
        query = urlencode(_present(step.query, values))
        fields = _present(step.fields, values)
        headers = {
            **_present(step.headers, values, header_value),
            **_authorization(step.auth, values),
        }
    except MalformedInput as error:
        raise _unwritable(step, place, error) from error
    kind = {"content-type": _CONTENT_TYPES[step.encoding]} if step.encoding != "none" else {}
    return Request(
        method=step.method,
        url=f"{url}?{query}" if query else url,
        headers={"accept": "application/json", **kind, **headers},
        body=_body(step.encoding, fields),
    )


def _present(
    templates: Mapping[str, Template], values: Values, encode: Encode = plain
) -> dict[str, str]:
    rendered = {name: render(template, values, encode) for name, template in templates.items()}
    return {name: text for name, text in rendered.items() if text is not None}


def _authorization(auth: Auth | None, values: Values) -> dict[str, str]:
    if auth is None:
        return {}
    texts = [render(template, values) or "" for template in auth.templates]
    if auth.scheme == "bearer":
        return {"authorization": f"Bearer {header_value(texts[0])}"}
    if ":" in texts[0]:
        raise MalformedInput("the user name of auth.basic holds a colon (RFC 7617 §2)")
    return {"authorization": f"Basic {b64encode(':'.join(texts).encode()).decode()}"}


def _body(encoding: str, fields: Mapping[str, str]) -> bytes:
    if encoding == "json":
        return json.dumps(fields).encode()
    return urlencode(fields).encode()


def _unwritable(step: Step, place: Place, error: MalformedInput) -> ExchangeError | ConfigError:
    if any("." in hole.name for hole in step.holes):
        return ExchangeError(f"{place.registry}: step {step.id} cannot be asked: {error}")
    return ConfigError(str(error), key=f"{place.key}.parameters")


def _refusal(step: Step, response: Response, where: str, now: float) -> ExchangeError:
    status = response.status
    code = error_code(step, response)
    said = f"{where} answered {status}{f' ({code})' if code else ''}"
    if status >= 500 or status in _TRY_LATER:
        hint = step.hints.get(status, "the exchange cannot serve now")
        return ExchangeUnavailable(f"{said}: {hint}; try again {_when(response)}")
    if status >= 400:
        skewed = _clock(response, now) if status in _TOKEN_REFUSED else ""
        hint = skewed or step.hints.get(status) or _HINTS.get(status, _DENIED_HINT)
        return ExchangeDenied(f"{said}: {hint}")
    if status >= 300:
        hint = "set exchange to the address which answers itself"
        return ExchangeError(f"{said}, and redirects are not followed: {hint}")
    return ExchangeError(f"{said}, which is no answer to this step: {_DENIED_HINT}")


def _clock(response: Response, now: float) -> str:
    """Returns what to do where a token is refused by a clock that differs from ours."""
    skew = 0.0 if response.date is None else now - response.date
    if abs(skew) <= MAX_SKEW:
        return ""
    side = "ahead of" if skew > 0 else "behind"
    return f"compare the clocks: this host's is {abs(skew):.0f}s {side} the exchange's"


def _when(response: Response) -> str:
    # RFC 9110 §10.2.3; the other form, a date, depends on whose clock is right.
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) <= _MAX_WAIT:
        return f"in {int(text)} seconds"
    return "later"


def _credential(
    spec: Spec, values: Values, place: Place, last: Answer | None, now: Callable[[], float]
) -> Credential:
    what = f"step {last.step} answered {last.status}" if last else f"{spec.name} came back"
    where = f"{place.registry}: {what}"
    members = last.members if last else {}
    asked_at = last.asked_at if last else now()
    try:
        username, password = _first(spec.username, values), _first((spec.password,), values)
        end = expires_at(spec.expires, members, password, asked_at)
    except MalformedInput as error:
        hint = "check the entry's provider and parameters"
        raise ExchangeError(f"{where} {error}: {hint}") from error
    if ":" in username:
        raise ExchangeError(
            f"{where} with a user name that holds a colon, which Basic cannot carry:"
            " let the exchange give another"
        )
    if end is not None and end <= now():
        raise ExchangeError(f"{where} with what has expired already: check the clock of this host")
    return Credential(username=username, secret=Secret(password), expires_at=end)


def _first(templates: tuple[Template, ...], values: Values) -> str:
    for template in templates:
        if text := render(template, values):
            return text
    raise MalformedInput("without a user name or a password")


def _filled(template: Template, values: Values, place: Place) -> str:
    try:
        return render(template, values) or ""
    except MalformedInput as error:
        raise ConfigError(str(error), key=place.key) from error
