"""Reads the steps of a provider's spec."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pullpass.config.reader import Table
from pullpass.exchange.derive import MADE
from pullpass.exchange.names import Names, is_parameter
from pullpass.exchange.paths import Path, parse_path
from pullpass.exchange.spec import Auth, Derivation, Field, Output, Step
from pullpass.exchange.template import Template, is_name
from pullpass.exchange.url import Url, parse_url

PUBLIC: Final = Names(secrets=False, optional=False)
_TOKEN: Final = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 §5.6.2, in lower case
_OUR_HEADERS: Final = frozenset(
    {"authorization", "connection", "content-length", "host", "transfer-encoding"}
)
_STATUS: Final = re.compile(r"[1-5][0-9]{2}")
_WORD: Final = re.compile(r".*[A-Za-z0-9_].*")
_SIGV4: Final = ("service", "region", "key_id", "secret_key", "session_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The parameters which may hold more than one label or segment."""

    hosts: frozenset[str]
    paths: frozenset[str]

    def url(self, table: Table, name: str, default: str | None = None) -> Url:
        """Takes a URL whose holes may stand there. Raises: ConfigError."""
        key = table.dotted(name)
        url = parse_url(table.text(name, default), key, hosts=self.hosts, paths=self.paths)
        for template in url.templates:
            PUBLIC.check(template, key)
        return url


def read_steps(table: Table, reach: Reach) -> tuple[tuple[Step, ...], dict[str, bool]]:
    """Returns the steps, and their outputs with whether each is sure to be there.

    Raises:
        ConfigError: naming the key, for anything that the head of ``spec`` does not allow.
    """
    steps: list[Step] = []
    outputs: dict[str, bool] = {}
    for one in table.tables("steps"):
        step = _read_step(one, Names(outputs=dict(outputs)), reach)
        if step.id in {before.id for before in steps}:
            raise one.error("id", "stands twice: name each step once")
        steps.append(step)
        outputs |= _outputs(step)
    return tuple(steps), outputs


def _read_step(table: Table, names: Names, reach: Reach) -> Step:
    out = _read_out(table)
    step = Step(
        id=_name(table, "id", table.text("id")),
        method=_choice(table, "method", ("POST", "GET")),
        url=reach.url(table, "url"),
        when=_name(table, "when", table.text("when")) if table.has("when") else "",
        encoding=_choice(table, "encoding", ("none", "json", "form")),
        query=_templates(table, "query", Names(secrets=False)),
        headers=_read_headers(table, names),
        auth=_read_auth(table.table("auth"), Names(outputs=names.outputs, optional=False)),
        fields=_read_fields(table.table("fields"), names),
        response=_choice(table, "response", ("json", "xml")),
        error=_read_error(table),
        codes=_read_sentences(table, "codes", _WORD),
        hints={int(key): text for key, text in _read_sentences(table, "hints", _STATUS).items()},
        out=out,
        derive=_read_derive(table, out),
    )
    table.done()
    _check_step(table, step)
    return step


def _check_step(table: Table, step: Step) -> None:
    if step.when and not is_parameter(step.when):
        raise table.error("when", "names a parameter")
    if step.fields and step.encoding == "none":
        raise table.error("encoding", "is needed where there are fields: json or form")
    if step.encoding != "none" and step.method == "GET":
        raise table.error("method", "is POST where there is an encoding")
    if step.encoding != "json" and any(isinstance(one, tuple) for one in step.fields.values()):
        raise table.error("fields", "are text where the encoding is not json")


def _outputs(step: Step) -> dict[str, bool]:
    sure = {name: output.sure and not step.when for name, output in step.out.items()}
    derived = dict.fromkeys(step.derive, False)
    return {f"{step.id}.{name}": certain for name, certain in (sure | derived).items()}


def _read_out(table: Table) -> dict[str, Output]:
    outputs: dict[str, Output] = {}
    for name, text in table.mapping("out").items():
        path = parse_path(text.removesuffix("?"), table.dotted("out"))
        outputs[_name(table, "out", name)] = Output(path=path, sure=not text.endswith("?"))
    return outputs


def _read_derive(table: Table, out: Mapping[str, Output]) -> dict[str, Derivation]:
    derived: dict[str, Derivation] = {}
    for name, text in table.mapping("derive").items():
        kind, *arguments = text.split(":", 2)
        fits = kind in MADE and len(arguments) == 1 + (kind == "jwt_claim") and all(arguments)
        if not fits or arguments[0] not in out or name in out:
            known = ", ".join(f"{one}:OUTPUT" for one in MADE if one != "jwt_claim")
            raise table.error("derive", f"{name} takes {known} or jwt_claim:OUTPUT:CLAIM")
        derived[_name(table, "derive", name)] = Derivation(
            kind=kind, output=arguments[0], claim=arguments[-1]
        )
    return derived


def _read_fields(table: Table, names: Names) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    for name in table.names():
        key = table.dotted(name)
        if isinstance(table.peek(name), list):
            fields[name] = tuple(names.template(text, key) for text in table.texts(name))
        else:
            fields[name] = names.template(table.text(name), key)
    return fields


def _read_error(table: Table) -> tuple[Path, ...]:
    texts, key = table.texts("error", ("error", "errors.code")), table.dotted("error")
    return tuple(parse_path(text, key) for text in texts)


def _read_headers(table: Table, names: Names) -> dict[str, Template]:
    headers: dict[str, Template] = {}
    for name, template in _templates(table, "headers", names).items():
        lower = name.lower()
        if not _TOKEN.fullmatch(lower) or lower in _OUR_HEADERS or lower in headers:
            raise table.error("headers", f"{name} cannot be set here")
        headers[lower] = template
    return headers


def _read_auth(table: Table, names: Names) -> Auth | None:
    auth = None
    if table.has("bearer"):
        bearer = names.template(table.text("bearer"), table.dotted("bearer"))
        auth = Auth(scheme="bearer", templates={"token": bearer})
    elif table.has("basic"):
        texts, key = table.texts("basic"), table.dotted("basic")
        if len(texts) != 2:
            raise table.error("basic", "takes a user name and a password")
        pair = (names.template(text, key) for text in texts)
        auth = Auth(scheme="basic", templates=dict(zip(("user", "password"), pair, strict=True)))
    elif table.has("sigv4"):
        inner = table.table("sigv4")
        parts = {n: names.template(inner.text(n), inner.dotted(n)) for n in _SIGV4}
        auth = Auth(scheme="sigv4", templates=parts)
        inner.done()
    table.done()
    return auth


def _read_sentences(table: Table, name: str, keys: re.Pattern[str]) -> dict[str, str]:
    sentences = table.mapping(name)
    for key, text in sentences.items():
        if not keys.fullmatch(key) or not text or not text.isprintable():
            raise table.error(name, f"{key} takes one line")
    return sentences


def _templates(table: Table, name: str, names: Names) -> dict[str, Template]:
    key = table.dotted(name)
    return {one: names.template(text, key) for one, text in table.mapping(name).items()}


def _choice(table: Table, name: str, choices: tuple[str, ...]) -> str:
    value = table.text(name, choices[0])
    if value not in choices:
        raise table.error(name, f"takes one of {', '.join(choices)}")
    return value


def _name(table: Table, key: str, text: str) -> str:
    if not is_name(text):
        raise table.error(key, "takes a name of letters, digits and underscores")
    return text
