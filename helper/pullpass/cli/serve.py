"""``pullpass serve``: the HTTP servers."""

from collections.abc import Callable

import click

from pullpass.config.load import load
from pullpass.config.model import Config, Listener
from pullpass.errors import ConfigError, UsageError


@click.group()
def serve() -> None:
    """The HTTP servers: the issuer's documents and the token server."""


@serve.command()
def issuer() -> None:
    """Serve discovery and JWKS of all configured issuers."""
    _serve("pullpass.issuer.app:create", load().issuer_listener, "issuer", _issuer_settings)


def _issuer_settings() -> Config:
    from pullpass.issuer.app import check

    return check()


@serve.command("token-server")
def token_server() -> None:
    """Exchange identities for credentials, and credentials for registry tokens."""
    listener = _token_server_settings().token_server_listener
    _serve("pullpass.tokenserver.app:create", listener, "token-server", _token_server_settings)


def _token_server_settings() -> Config:
    from pullpass.config.network import network_of
    from pullpass.trust import trusted

    config = load()
    trusted(network_of(config).ca_bundle)  # a wrong one is told here, not by a worker
    if not config.services:
        raise ConfigError("is empty: add the registry that trusts this server", key="services")
    return config


def _serve(factory: str, listener: Listener | None, name: str, check: Callable[[], object]) -> None:
    if listener is None:
        raise ConfigError(
            'is missing: say where to listen, as "127.0.0.1:8441"', key=f"serve.{name}.listen"
        )
    try:
        from pullpass.serving import serve as run
    except ImportError as error:
        raise UsageError("the servers need more: pip install 'pullpass[server]'") from error
    check()
    scheme = "https" if listener.certificate else "http"
    host = f"[{listener.host}]" if ":" in listener.host else listener.host
    click.echo(f"{name} at {scheme}://{host}:{listener.port}", err=True)
    run(factory, listener, check)
