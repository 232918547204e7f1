"""What settings say of each other. Pure."""

from collections.abc import Iterable

from pullpass.config.callers import Caller
from pullpass.config.issuing import Issuer, Role
from pullpass.config.model import (
    PULL_TTL,
    Config,
    Connection,
    OwnIssuer,
    exchange_issuer,
)
from pullpass.config.reader import dotted
from pullpass.errors import ConfigError


def check_names(config: Config) -> None:
    """Holds that every name which a setting mentions is there, and fits where it is used.

    Raises:
        ConfigError: for the first that is not.
    """
    for issuer in config.issuers.values():
        _check_key(config, dotted("issuers", issuer.name, "signing_key"), issuer.signing_key)
    _check_issuers(config.issuers.values())
    _check_callers(config.issuers.values())
    for registry in config.registries.values():
        for entry in registry.credentials:
            if isinstance(entry.source, OwnIssuer):
                _check_role(config, entry.key, entry.source)
    for service in config.services.values():
        for setting in ("signing_key", "exchange_key"):
            _check_key(config, dotted("services", service.name, setting), getattr(service, setting))
    _check_exchange_keys(config)
    for connection in config.connections.values():
        _check_connection(config, connection)


def _check_connection(config: Config, connection: Connection) -> None:
    for audience in connection.audiences:
        if audience not in config.services:
            raise ConfigError(
                f"{audience} is none of the services: add it under [services]",
                key=dotted("connections", connection.name, "audiences"),
            )
    for service in config.services.values():
        if connection.issuer in {service.issuer, exchange_issuer(service)}:
            # A token of ours would otherwise pass for an identity, and renew itself for ever.
            raise ConfigError(
                "is this token server itself: name the issuer of the identities",
                key=dotted("connections", connection.name, "issuer"),
            )


def _check_key(config: Config, key: str, name: str) -> None:
    if name not in config.keys:
        raise ConfigError(f"{name} is none of the keys: add [{dotted('keys', name)}]", key=key)


def _check_issuers(issuers: Iterable[Issuer]) -> None:
    """Holds that an issuer's URL leads to one JWKS."""
    found: dict[str, str] = {}
    for issuer in issuers:
        other = found.setdefault(issuer.issuer, issuer.name)
        if other != issuer.name:
            raise ConfigError(
                f"is the URL of {dotted('issuers', other)} too: give each its own",
                key=dotted("issuers", issuer.name, "issuer"),
            )


def _check_callers(issuers: Iterable[Issuer]) -> None:
    """Holds that no token of ours has another one minted, and so renews itself for ever."""
    own = {issuer.issuer for issuer in issuers}
    for issuer in issuers:
        for caller in issuer.callers.values():
            if caller.issuer in own:
                raise ConfigError(
                    "is one of these issuers itself: name who gives the callers their identity",
                    key=dotted("issuers", issuer.name, "callers", caller.name, "issuer"),
                )


def _check_role(config: Config, entry: str, source: OwnIssuer) -> None:
    issuer = config.issuers.get(source.issuer)
    if issuer is None:
        raise ConfigError(f"{source.issuer} is none of the issuers", key=f"{entry}.issuer")
    role = issuer.roles.get(source.role)
    if role is None:
        raise ConfigError(f"{source.role} is no role of {issuer.name}", key=f"{entry}.role")
    if role.max_ttl < PULL_TTL:
        raise ConfigError(
            f"is under 5m, which the token of a pull lives: raise it for {entry}",
            key=dotted("issuers", issuer.name, "roles", role.name, "max_ttl"),
        )
    if role.mint and not any(isinstance(one, Caller) for one in role.mint):
        raise ConfigError(
            f"lets no user of this host mint, as {entry} wants it: add one, or a group",
            key=dotted("issuers", issuer.name, "roles", role.name, "mint"),
        )
    _check_pull(issuer, role, entry)


def _check_pull(issuer: Issuer, role: Role, entry: str) -> None:
    """Holds that a pull, which asks for an audience and nothing else, can be given a token."""
    wrong = {
        "require_audience": not role.require_audience,
        "subject_template": not role.subject_template,
        "required_claims": bool(set(role.required_claims) - role.fixed_claims.keys()),
    }
    for setting, is_wrong in wrong.items():
        if is_wrong:
            raise ConfigError(
                f"leaves to the caller what a pull does not say: mend it for {entry}",
                key=dotted("issuers", issuer.name, "roles", role.name, setting),
            )


def _check_exchange_keys(config: Config) -> None:
    """Holds that no registry can be shown an exchanged credential as if it were a token."""
    trusted = {service.signing_key for service in config.services.values()}
    trusted |= {issuer.signing_key for issuer in config.issuers.values()}
    for service in config.services.values():
        if service.exchange_key in trusted:
            raise ConfigError(
                f"{service.exchange_key} signs other tokens too: name a key of its own",
                key=dotted("services", service.name, "exchange_key"),
            )
