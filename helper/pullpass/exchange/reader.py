"""Reads a provider's spec strictly. What its keys mean stands at the head of ``spec``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pullpass.config.reader import Table
from pullpass.errors import ConfigError
from pullpass.exchange.expiry import Expiry, parse_expiry
from pullpass.exchange.names import Names, is_parameter
from pullpass.exchange.paths import Path, parse_path
from pullpass.exchange.spec import Auth, Derivation, Output, Spec, Step
from pullpass.exchange.template import Template, is_name
from pullpass.exchange.url import Url, parse_url

_TOKEN: Final = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 §5.6.2, in lower case
_OUR_HEADERS: Final = frozenset(
    {"authorization", "connection", "content-length", "host", "transfer-encoding"}
)
_STATUS: Final = re.compile(r"[1-5][0-9]{2}")
_ARGUMENTS: Final[Mapping[str, int]] = {"jwt_sub": 1, "jwt_claim": 2}
_PUBLIC: Final = Names(secrets=False, optional=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reach:
    """The parameters which may hold more than one label or segment."""

    hosts: frozenset[str]
    paths: frozenset[str]

    def url(self, table: Table, name: str, default: str | None = None) -> Url:
        key = table.dotted(name)
        url = parse_url(table.text(name, default), key, hosts=self.hosts, paths=self.paths)
        for template in url.templates:
            _PUBLIC.check(template, key)
        return url


def read_spec(content: Mapping[str, Any], name: str) -> Spec:
    """Returns the spec which a TOML table holds.

    Args:
        content: the table.
        name: the provider's.

    Raises:
        ConfigError: naming the key, for anything that the head of ``spec`` does not allow.
    """
    table = Table(content, f"providers.{name}")
    hosts, paths = frozenset(table.texts("hosts", ())), frozenset(table.texts("paths", ()))
    reach = _Reach(hosts=hosts, paths=paths)
    steps, outputs = _read_steps(table, reach)
    spec = Spec(
        name=name,
        audience=_PUBLIC.template(table.text("audience", "{registry}"), table.dotted("audience")),
        exchange=_read_exchange(table, reach),
        defaults=table.mapping("defaults"),
        steps=steps,
        **_read_credential(table.table("credential"), steps, outputs),
    )
    _check_declared(table, reach, spec)
    table.done()
    return spec


def _read_credential(
    table: Table, steps: tuple[Step, ...], outputs: Mapping[str, bool]
) -> dict[str, Any]:
    # What may be absent is no fault here: the first user name which can be filled counts.
    names = Names(outputs=dict.fromkeys(outputs, True))
    usernames, key = table.texts("username"), table.dotted("username")
    found = {
        "username": tuple(names.template(text, key) for text in usernames),
        "password": names.template(table.text("password"), table.dotted("password")),
        "expires": _read_expires(table, steps),
    }
    table.done()
    return found


def _read_steps(table: Table, reach: _Reach) -> tuple[tuple[Step, ...], dict[str, bool]]:
    steps: list[Step] = []
    outputs: dict[str, bool] = {}
    for one in table.tables("steps"):
        step = _read_step(one, Names(outputs=dict(outputs)), reach)
        if step.id in {before.id for before in steps}:
            raise one.error("id", "stands twice: name each step once")
        steps.append(step)
        outputs |= _outputs(step)
    return tuple(steps), outputs


def _read_step(table: Table, names: Names, reach: _Reach) -> Step:
    out = _read_out(table)
    step = Step(
        id=_name(table, "id", table.text("id")),
        method=_choice(table, "method", ("POST", "GET")),
        url=reach.url(table, "url"),
        when=_name(table, "when", table.text("when")) if table.has("when") else "",
        encoding=_choice(table, "encoding", ("none", "json", "form")),
        query=_templates(table, "query", Names(secrets=False)),
        headers=_read_headers(table, names),
        auth=_read_auth(table.table("auth"), names),
        fields=_templates(table, "fields", names),
        error=_read_error(table),
        out=out,
        derive=_read_derive(table, out),
        hints=_read_hints(table),
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
        if len(arguments) != _ARGUMENTS.get(kind) or arguments[0] not in out or name in out:
            raise table.error("derive", f"{name} takes jwt_sub:OUTPUT or jwt_claim:OUTPUT:CLAIM")
        derived[_name(table, "derive", name)] = Derivation(
            kind=kind, output=arguments[0], claim=arguments[-1]
        )
    return derived


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
    sure = Names(outputs=names.outputs, optional=False)
    auth = None
    if table.has("bearer"):
        bearer = sure.template(table.text("bearer"), table.dotted("bearer"))
        auth = Auth(scheme="bearer", templates=(bearer,))
    elif table.has("basic"):
        texts, key = table.texts("basic"), table.dotted("basic")
        auth = Auth(scheme="basic", templates=tuple(sure.template(text, key) for text in texts))
        if len(texts) != 2:
            raise table.error("basic", "takes a user name and a password")
    table.done()
    return auth


def _read_hints(table: Table) -> dict[int, str]:
    hints = table.mapping("hints")
    for status, text in hints.items():
        if not _STATUS.fullmatch(status) or not text.isprintable():
            raise table.error("hints", f"{status} takes one line for one status")
    return {int(status): text for status, text in hints.items()}


def _read_exchange(table: Table, reach: _Reach) -> Url:
    url = reach.url(table, "exchange", "https://{registry}")
    if url.authority is None or url.path:
        raise table.error("exchange", "takes an origin such as https://{registry}")
    return url


def _read_expires(table: Table, steps: tuple[Step, ...]) -> tuple[Expiry, ...]:
    key = table.dotted("expires")
    rules = tuple(parse_expiry(text, key) for text in table.texts("expires", ()))
    if not steps and any(rule.path for rule in rules):
        raise ConfigError("there is no answer to read it from", key=key)
    return rules


def _check_declared(table: Table, reach: _Reach, spec: Spec) -> None:
    declared = {"defaults": spec.defaults.keys(), "hosts": reach.hosts, "paths": reach.paths}
    for key, names in declared.items():
        if unknown := sorted(names - spec.parameters):
            raise table.error(key, f"{unknown[0]} is no parameter of a template")
    if not all(text and text.isprintable() for text in spec.defaults.values()):
        raise table.error("defaults", "each is one line of text")


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
