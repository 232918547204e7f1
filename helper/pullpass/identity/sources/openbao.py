"""OpenBao's and Vault's own identity tokens.

https://openbao.org/api-docs/secret/identity/tokens/
"""

from typing import Final
from urllib.parse import quote

from pullpass.errors import IdentityError
from pullpass.http import Request
from pullpass.identity.effects import Steps, read_file
from pullpass.identity.reading import ask_json
from pullpass.identity.source import Wanted

_ADDRESSES: Final = ("BAO_ADDR", "VAULT_ADDR")
_TOKENS: Final = ("BAO_TOKEN", "VAULT_TOKEN")
_SERVER: Final = "OpenBao"


def identity_token(wanted: Wanted) -> Steps[str | None]:
    """Returns a token of the entity that the client token belongs to."""
    told = wanted.parameters
    address = told["address"] or _first(wanted, _ADDRESSES)
    if not address:
        return None
    headers = {"x-vault-token": (yield from _client_token(wanted))}
    if told["namespace"]:
        headers["x-vault-namespace"] = told["namespace"]
    role = quote(told["role"], safe="")
    url = f"{address.rstrip('/')}/v1/identity/oidc/token/{role}"
    request = Request(method="GET", url=url, headers=headers, patient=True)
    hints = {
        400: f"there is no role {told['role']}, or the client token is of no entity, as root's",
        403: f"let a policy of the client token read identity/oidc/token/{told['role']}, and check"
        " the client token and namespace",
        404: f"there is no role {told['role']}: check role and namespace",
    }
    return (yield from ask_json(request, _SERVER, hints, "data.token"))


def _client_token(wanted: Wanted) -> Steps[str]:
    path = wanted.parameters["token_file"]
    found = (yield from read_file(path)) if path else _first(wanted, _TOKENS)
    if not found:
        where = path or " or ".join(_TOKENS)
        raise IdentityError(
            f"there is no client token in {where}: let whoever logs in write it there"
        )
    return found


def _first(wanted: Wanted, names: tuple[str, ...]) -> str:
    return next((wanted.environ[name] for name in names if wanted.environ.get(name)), "")
