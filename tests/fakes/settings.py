"""Settings as TOML gives them, complete and right, and what a test makes of them."""

from traceback import format_exception
from typing import Any, Final

from fakes.issued import overheard
from pullpass.errors import PullpassError

ISSUER: Final = "https://id.example.com/t/6f1c/jwt/nodes"
REGISTRY: Final = "registry.example.com"

# Where a value stands: keys of tables and positions in lists.
Place = tuple[str | int, ...]


def settings() -> dict[str, Any]:
    """Returns settings that use every section."""
    return {
        "state_dir": "/srv/pullpass",
        "keys": {"identity": {}, "registry-token": {"type": "ecdsa-p256"}, "exchange": {}},
        "issuers": {
            "nodes": {"issuer": ISSUER, "signing_key": "identity", "roles": {"docker-pull": role()}}
        },
        "registry": {
            REGISTRY: {
                "provider": "jfrog",
                "exchange": "https://auth.example.com",
                "parameters": {"provider_name": "strongbox"},
                "credential": [{"repository": "*", "issuer": "nodes", "role": "docker-pull"}],
            }
        },
        "serve": {
            "issuer": {"listen": "127.0.0.1:8441"},
            "token-server": {
                "listen": "[::1]:8442",
                "certificate": "/etc/pullpass/tls.pem",
                "private_key": "/etc/pullpass/tls.key",
            },
        },
        "services": {
            REGISTRY: {
                "issuer": "https://auth.example.com",
                "signing_key": "registry-token",
                "exchange_key": "exchange",
            }
        },
        "connections": {
            "strongbox": {
                "issuer": ISSUER,
                "audiences": [REGISTRY],
                "rulesets": [
                    {
                        "label": "nodes",
                        "subject": ["registry-pull"],
                        "resources": ["repository:team/*"],
                        "actions": ["pull"],
                        "username": "puller",
                    }
                ],
            }
        },
    }


def role(**changes: Any) -> dict[str, Any]:
    """Returns a role for REGISTRY with these changes."""
    return {"allowed_audiences": [REGISTRY], "subject_template": "registry-pull"} | changes


def changed(*changes: tuple[Place, Any]) -> dict[str, Any]:
    """Returns the settings with each value at its place; tables on the way are made."""
    values = settings()
    for place, value in changes:
        inner, last = _above(values, place)
        inner[last] = value
    return values


def without(place: Place) -> dict[str, Any]:
    """Returns the settings without what stands at place."""
    values = settings()
    inner, last = _above(values, place)
    del inner[last]
    return values


def refusal_of(error: PullpassError) -> str:
    """Returns the message of error, once it was seen to be one printable line.

    What a traceback says, causes included, is overheard.
    """
    overheard("".join(format_exception(error)))
    text = str(error)
    assert text
    assert text.isprintable()
    return text


def _above(values: dict[str, Any], place: Place) -> tuple[Any, Any]:
    inner: Any = values
    for step in place[:-1]:
        inner = inner.setdefault(step, {}) if isinstance(inner, dict) else inner[step]
    return inner, place[-1]
