"""Reads a provider's spec strictly. What its keys mean stands at the head of ``spec``."""

from collections.abc import Mapping
from typing import Any, Final

from pullpass.config.reader import Table
from pullpass.errors import ConfigError
from pullpass.exchange.address import parse_address
from pullpass.exchange.expiry import MAX_LIFETIME, Expiry, parse_expiry
from pullpass.exchange.names import Names
from pullpass.exchange.spec import Spec, Step, Trust
from pullpass.exchange.steps import PUBLIC, Reach, read_steps
from pullpass.exchange.url import Url

_EVIDENCE: Final = ("", "live", "source", "documented")


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
    reach = Reach(hosts=hosts, paths=paths)
    steps, outputs = read_steps(table, reach)
    address_key = table.dotted("addresses")
    spec = Spec(
        name=name,
        evidence=_read_evidence(table),
        trust=_read_trust(table.table("trust")),
        audience=PUBLIC.template(table.text("audience", "{registry}"), table.dotted("audience")),
        exchange=_read_exchange(table, reach),
        addresses=tuple(parse_address(text, address_key) for text in table.texts("addresses", ())),
        defaults=table.mapping("defaults"),
        steps=steps,
        **_read_credential(table.table("credential"), steps, outputs),
    )
    _check_declared(table, reach, spec)
    table.done()
    return spec


def _read_evidence(table: Table) -> str:
    value = table.text("evidence", "")
    if value not in _EVIDENCE:
        raise table.error("evidence", f"takes one of {', '.join(_EVIDENCE[1:])}")
    return value


def _read_trust(table: Table) -> Trust:
    trust = Trust(
        algorithms=table.texts("algorithms", ()),
        issuers=table.texts("issuers", ()),
        max_lifetime=table.number("max_lifetime", 0, 0, MAX_LIFETIME),
    )
    table.done()
    return trust


def _read_credential(
    table: Table, steps: tuple[Step, ...], outputs: Mapping[str, bool]
) -> dict[str, Any]:
    # What may be absent is no fault here: the first text which can be filled counts.
    names = Names(outputs=dict.fromkeys(outputs, True))
    found: dict[str, Any] = {
        name: tuple(names.template(text, table.dotted(name)) for text in table.texts(name))
        for name in ("username", "password")
    }
    found["expires"] = _read_expires(table, steps)
    table.done()
    return found


def _read_exchange(table: Table, reach: Reach) -> Url:
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


def _check_declared(table: Table, reach: Reach, spec: Spec) -> None:
    declared = {
        "addresses": frozenset[str]().union(*(one.names for one in spec.addresses)),
        "credential.expires": {rule.parameter for rule in spec.expires if rule.parameter},
        "defaults": spec.defaults.keys(),
        "hosts": reach.hosts,
        "paths": reach.paths,
    }
    for key, names in declared.items():
        if unknown := sorted(names - spec.parameters):
            where = f"{table.key}.{key}"
            raise ConfigError(f"{unknown[0]} is no parameter of a template", key=where)
    if not all(text and text.isprintable() for text in spec.defaults.values()):
        raise table.error("defaults", "each is one line of text")
