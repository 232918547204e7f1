"""What an exchange's answer holds. Faults are phrases which go on after «answered 200»."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, cast

from pullpass.errors import MalformedInput
from pullpass.exchange.derive import derive
from pullpass.exchange.paths import find
from pullpass.exchange.spec import Output, Step
from pullpass.exchange.xmltree import read_xml
from pullpass.http import Response
from pullpass.secret import Secret

_CHECK: Final[Mapping[bool, str]] = {  # by whether the entry says where the step asks
    True: "check that exchange is the address of the API itself",
    False: "check that nothing else answers in the place of the API",
}


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
    members = _read_object(step, response)
    outputs = dict(_outputs(step, members))
    for name, one in step.derive.items():
        token = outputs.get(one.output)
        if token and (made := derive(one.kind, token.reveal(), one.claim)):
            outputs[name] = Secret(made)
    return Answer(
        step=step.id,
        status=response.status,
        asked_at=asked_at,
        members=members,
        outputs={f"{step.id}.{name}": value for name, value in outputs.items()},
    )


def error_texts(step: Step, response: Response) -> Iterator[str]:
    """Yields the texts in which a refusal says why, in the order of the step's paths."""
    try:
        members = _read_object(step, response)
    except MalformedInput:
        return
    for path in step.error:
        found = find(members, path)
        for text in found if isinstance(found, list) else [found]:
            if isinstance(text, str) or type(text) is int:
                yield str(text)


def _read_object(step: Step, response: Response) -> dict[str, Any]:
    is_xml, check = step.response == "xml", _CHECK[step.url.moves]
    if _is_page(response, b"<!doctype" if is_xml else b"<"):
        raise MalformedInput(f"with a web page: {check} and that no sign-in page stands before it")
    kind, wanted = ("XML", "an XML tree") if is_xml else ("JSON", "a JSON object")
    try:
        members = read_xml(response.body) if is_xml else _read_json(response.body)
    except (MalformedInput, ValueError, RecursionError) as error:
        raise MalformedInput(f"with something else than {kind}: {check}") from error
    if not isinstance(members, dict):
        raise MalformedInput(f"with something else than {wanted}: {check}")
    return cast("dict[str, Any]", members)


def _is_page(response: Response, beginning: bytes) -> bool:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "text/html" or response.body.lstrip()[:16].lower().startswith(beginning)


def _read_json(raw: bytes) -> Any:
    return json.loads(raw.decode("utf-8"), parse_constant=_refuse)


def _outputs(step: Step, members: Mapping[str, Any]) -> Mapping[str, Secret]:
    check = _CHECK[step.url.moves]
    found = {name: _output(output, members, check) for name, output in step.out.items()}
    return {name: value for name, value in found.items() if value}


def _output(output: Output, members: Mapping[str, Any], check: str) -> Secret | None:
    value = find(members, output.path)
    name = ".".join(output.path)
    if value is None or value == "":
        if output.sure:
            raise MalformedInput(f"without {name}: {check} and that the provider is the right one")
        return None
    if not isinstance(value, str) or not value.isprintable():
        raise MalformedInput(f"with a {name} that is not one line of text: {check}")
    return Secret(value)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
