"""What an exchange's answer holds. Faults are phrases which go on after «answered 200»."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, cast

from pullpass.claims import UnverifiedToken, read_token
from pullpass.errors import InvalidToken, MalformedInput
from pullpass.exchange.paths import find
from pullpass.exchange.spec import Derivation, Output, Step
from pullpass.http import Response
from pullpass.secret import Secret

# RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 8693 §2.2.2, and what JFrog's platform answers.
# Any other word is the peer's own text and is not repeated.
_KNOWN_CODES: Final = frozenset(
    {
        *("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client"),
        *("unsupported_grant_type", "invalid_scope", "access_denied", "server_error"),
        *("temporarily_unavailable", "invalid_token", "insufficient_scope", "invalid_target"),
        *("BAD_REQUEST", "UNAUTHORIZED", "FORBIDDEN", "NOT_FOUND"),
    }
)
_CHECK: Final = "check that exchange is the address of the API itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one step got.

    Attributes:
        asked_at: Unix seconds, before the request was sent.
        members: the answer itself.
        outputs: what the step reads from it.
    """

    step: str
    status: int
    asked_at: float
    members: Mapping[str, Any] = field(repr=False)
    outputs: Mapping[str, Secret] = field(repr=False)


def read_answer(step: Step, response: Response, asked_at: float) -> Answer:
    """Returns what a good answer to step holds.

    Raises:
        MalformedInput: if it is not what the step reads.
    """
    members = _read_object(response)
    outputs = dict(_outputs(step, members))
    for name, derivation in step.derive.items():
        if made := _derive(derivation, outputs.get(derivation.output)):
            outputs[name] = made
    return Answer(
        step=step.id,
        status=response.status,
        asked_at=asked_at,
        members=members,
        outputs={f"{step.id}.{name}": value for name, value in outputs.items()},
    )


def error_code(step: Step, response: Response) -> str:
    """Returns the answer's error code where it is a known one, else the empty string."""
    try:
        members = _read_object(response)
    except MalformedInput:
        return ""
    found = (find(members, path) for path in step.error)
    return next((code for code in found if isinstance(code, str) and code in _KNOWN_CODES), "")


def _read_object(response: Response) -> dict[str, Any]:
    if _is_page(response):
        raise MalformedInput(f"with a web page: {_CHECK} and that no sign-in page stands before it")
    try:
        members = json.loads(response.body.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise MalformedInput(f"with something else than JSON: {_CHECK}") from error
    if not isinstance(members, dict):
        raise MalformedInput(f"with something else than a JSON object: {_CHECK}")
    return cast("dict[str, Any]", members)


def _is_page(response: Response) -> bool:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "text/html" or response.body.lstrip()[:1] == b"<"


def _outputs(step: Step, members: Mapping[str, Any]) -> Mapping[str, Secret]:
    found = {name: _output(output, members) for name, output in step.out.items()}
    return {name: value for name, value in found.items() if value}


def _output(output: Output, members: Mapping[str, Any]) -> Secret | None:
    value = find(members, output.path)
    name = ".".join(output.path)
    if value is None or value == "":
        if output.sure:
            raise MalformedInput(f"without {name}: {_CHECK} and that the provider is the right one")
        return None
    if not isinstance(value, str) or not value.isprintable():
        raise MalformedInput(f"with a {name} that is not one line of text: {_CHECK}")
    return Secret(value)


def _derive(derivation: Derivation, token: Secret | None) -> Secret | None:
    if token is None:
        return None
    try:
        text = _DERIVED[derivation.kind](read_token(token.reveal()), derivation.claim)
    except InvalidToken:
        return None
    return Secret(text) if text and text.isprintable() else None


def _jwt_sub(token: UnverifiedToken, _claim: str) -> str:
    # JFrog's rule. Elsewhere a slash belongs to the name: groups are called provider/mapping.
    subject = token.text("sub")
    is_path = subject.startswith("jfrt@") or "/users/" in subject
    return subject.rpartition("/")[2] if is_path else subject


def _jwt_claim(token: UnverifiedToken, claim: str) -> str:
    return token.text(claim)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DERIVED: Final[Mapping[str, Callable[[UnverifiedToken, str], str]]] = {
    "jwt_sub": _jwt_sub,
    "jwt_claim": _jwt_claim,
}
