"""Identities that whoever configures brings along: a variable, a file, a program, one request."""

import json
from typing import Final
from urllib.parse import urlencode

from pullpass.errors import IdentityError
from pullpass.http import Request
from pullpass.identity.effects import RunCommand, Steps, read_file, run_command
from pullpass.identity.reading import ask_text, read_json, text_at
from pullpass.identity.source import Wanted

_AUDIENCE: Final = "{audience}"
_ENDPOINT: Final = "the endpoint"
_EVERY_COMMAND: Final = ("PATH", "HOME")


def env(wanted: Wanted) -> Steps[str | None]:
    """Returns the variable that the configuration names."""
    yield from ()
    return wanted.environ.get(wanted.parameters["variable"], "").strip() or None


def file(wanted: Wanted) -> Steps[str | None]:
    """Returns what stands in a file now: whoever keeps it renews it."""
    return (yield from read_file(wanted.parameters["path"]))


def command(wanted: Wanted) -> Steps[str | None]:
    """Returns what a program prints, or the text at ``out`` of the JSON that it prints."""
    told = wanted.parameters
    argv = tuple(_filled(part, wanted) for part in told["command"])
    names = (*_EVERY_COMMAND, *told["environ"])
    environ = {name: wanted.environ[name] for name in names if name in wanted.environ}
    printed = yield from run_command(
        RunCommand(argv=argv, environ=environ, timeout=told["timeout"])
    )
    return text_at(read_json(printed, argv[0]), told["out"], argv[0]) if told["out"] else printed


def request(wanted: Wanted) -> Steps[str | None]:
    """Returns what an endpoint answers, or the text at ``out`` of its JSON."""
    told = wanted.parameters
    bearer = yield from _bearer(wanted)
    query = urlencode({name: _filled(text, wanted) for name, text in told["query"].items()})
    fields = {name: _filled(text, wanted) for name, text in told["fields"].items()}
    headers = {name.lower(): text for name, text in told["headers"].items()}
    asked = Request(
        method=told["method"],
        url=f"{told['url']}?{query}" if query else told["url"],
        headers={"content-type": "application/json", **headers, **bearer},
        body=json.dumps(fields).encode() if fields else b"",
        patient=True,
    )
    text = yield from ask_text(asked, _ENDPOINT, {})
    return text_at(read_json(text, _ENDPOINT), told["out"], _ENDPOINT) if told["out"] else text


def _bearer(wanted: Wanted) -> Steps[dict[str, str]]:
    told = wanted.parameters
    if told["bearer_file"]:
        where, found = told["bearer_file"], (yield from read_file(told["bearer_file"]))
    elif told["bearer_variable"]:
        where, found = told["bearer_variable"], wanted.environ.get(told["bearer_variable"])
    else:
        return {}
    if not found:
        raise IdentityError(f"{where} holds nothing to show to the endpoint: fill it")
    return {"authorization": f"Bearer {found}"}


def _filled(text: str, wanted: Wanted) -> str:
    return text.replace(_AUDIENCE, wanted.audience)
