"""The configuration first, then every link of one registry or of all that it names."""

import os
from collections.abc import Iterator, Mapping

from pullpass.check import callers
from pullpass.check.finding import Finding, Level
from pullpass.check.walk import Walk
from pullpass.config.load import HOST, load
from pullpass.config.model import Config
from pullpass.config.network import network_of
from pullpass.errors import ConfigError, CredentialNotFound, PullpassError
from pullpass.network import Network
from pullpass.resolve.choose import find_registry
from pullpass.resolve.here import minter_of
from pullpass.transport import HttpTransport


def findings(
    address: str, repository: str | None, expected: Mapping[str, str]
) -> Iterator[Finding]:
    """Yields what is found; nothing but the configuration, if that is wrong.

    Args:
        address: of a registry, empty for all.
        repository: what to ask a token for, None to ask for none.
        expected: globs over the identity's claims, by claim.
    """
    try:
        config = _configured()
        network, minter = network_of(config), minter_of(config)
        transport = HttpTransport(network)
    except PullpassError as error:
        status = error.exit_status
        yield Finding(link="configuration", level=Level.ERROR, saw=str(error), exit_status=status)
        return
    files = ", ".join(map(str, config.sources))
    names = ", ".join(config.registries)
    yield Finding(link="configuration", level=Level.OK, saw=f"{files}: registry {names}")
    yield Finding(link="network", level=Level.OK, saw=_way(network))
    with transport:
        for registry in [address] if address else config.registries:
            yield from _callers(config, registry)
            yield from Walk(
                config=config,
                minter=minter,
                transport=transport,
                registry=registry,
                repository=repository,
                expected=expected,
                environ=os.environ,
            ).findings()


def _configured() -> Config:
    config = load()
    if not config.registries:
        where = ", ".join(map(str, config.sources)) or HOST / "config.toml"
        raise ConfigError(f'no registry is configured: add [registry."HOST"] to {where}')
    return config


def _callers(config: Config, address: str) -> Iterator[Finding]:
    try:
        registry = find_registry(config, address)
    except CredentialNotFound:
        return  # which the walk says
    yield from callers.findings(config, registry)


def _way(network: Network) -> str:
    """Says how others are reached."""
    trusted = [os.environ.get("SSL_CERT_FILE") or "the host's own", network.ca_bundle]
    trust = f"authorities: {' and '.join(str(one) for one in trusted if one)}"
    if network.proxy is None:
        return f"no proxy; {trust}"
    around = f", but for {', '.join(network.no_proxy)}" if network.no_proxy else ""
    return f"https through the proxy {network.proxy.origin}{around}; {trust}"
