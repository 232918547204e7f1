"""Runs a provider's spec as a generator of requests: no socket, no clock of its own.

Nothing is asked twice here, since a subject token may be good for one showing only. What the other
side says it did not do, and when to ask again, its ``patient`` requests leave to the transport.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pullpass.claims import read_token
from pullpass.credential import Credential
from pullpass.errors import (
    ConfigError,
    ExchangeError,
    ExchangeUnavailable,
    IdentityError,
    InvalidToken,
    MalformedInput,
    TransportError,
)
from pullpass.exchange.answer import Answer, read_answer
from pullpass.exchange.expiry import Given, expires_at
from pullpass.exchange.place import Place, public_values
from pullpass.exchange.refusal import refusal
from pullpass.exchange.request import build_request
from pullpass.exchange.spec import Spec, Step
from pullpass.exchange.template import Template, Values, render
from pullpass.http import MAX_SKEW, Flow
from pullpass.secret import Secret

__all__ = ["Place", "audience", "check_parameters", "exchange"]


def check_parameters(spec: Spec, parameters: Mapping[str, object], place: Place) -> None:
    """Refuses parameters of place's entry which spec does not know, cannot use or lacks.

    Raises:
        ConfigError: naming the parameter's key.
    """
    key = f"{place.key}.parameters"
    known = ", ".join(sorted(spec.parameters)) or "none at all"
    for name, value in parameters.items():
        if name not in spec.parameters:
            raise ConfigError(f"unknown; {spec.name} knows {known}", key=f"{key}.{name}")
        if not isinstance(value, str) or not value or not value.isprintable():
            why = "must be one line of text; leave it out where it is empty"
            raise ConfigError(why, key=f"{key}.{name}")
    given = {**spec.told(place.registry), **parameters}
    if missing := sorted(spec.required(given) - given.keys()):
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
    check_parameters(spec, parameters, place)
    return public_values(spec, parameters, place)


def _checked_token(token: Secret, place: Place) -> Secret:
    text = token.reveal()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise IdentityError(
            f"registry {place.registry}: the subject token is empty or holds what no token does:"
            " check the entry's identity"
        )
    return token


def _ask(step: Step, values: Values, place: Place, now: Callable[[], float]) -> Flow[Answer]:
    asked_at = now()
    request = build_request(step, values, place, asked_at)
    try:
        response = yield request
    except TransportError as error:
        hint = "check exchange and try again" if step.url.moves else "try again"
        message = f"registry {place.registry}: step {step.id} at {error}; {hint}"
        raise ExchangeUnavailable(message) from error
    where = f"registry {place.registry}: step {step.id} at {request.origin}"
    if not 200 <= response.status < 300:
        raise refusal(step, response, where, now())
    try:
        return read_answer(step, response, asked_at)
    except MalformedInput as error:
        raise ExchangeError(f"{where} answered {response.status} {error}") from error


def _credential(
    spec: Spec, values: Values, place: Place, last: Answer | None, now: Callable[[], float]
) -> Credential:
    what = f"step {last.step} answered {last.status}" if last else f"{spec.name} came back"
    where = f"registry {place.registry}: {what}"
    try:
        username, password = _first(spec.username, values), _first(spec.password, values)
        given = Given(
            answer=last.members if last else {},
            claims=_claims(password),
            values=values,
            asked_at=last.asked_at if last else now(),
        )
        end = expires_at(spec.expires, given)
    except MalformedInput as error:
        hint = "check the entry's provider and parameters"
        raise ExchangeError(f"{where} {error}: {hint}") from error
    if why := _unusable(username, given.claims.get("nbf"), end, now()):
        raise ExchangeError(f"{where} with {why}")
    return Credential(username=username, secret=Secret(password), expires_at=end)


def _claims(password: str) -> Mapping[str, Any]:
    try:
        return read_token(password).claims
    except InvalidToken:
        return {}


def _unusable(username: str, start: float | None, end: float | None, now: float) -> str:
    if ":" in username:
        return (
            "a user name that holds a colon, which Basic cannot carry: let the exchange give"
            " another"
        )
    if end is not None and end <= now:
        return "what has expired already: check the clock of this host"
    if start is not None and start > now + MAX_SKEW:
        return "what is not good yet: check the clock of this host"
    return ""


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
