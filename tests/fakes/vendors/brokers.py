"""OpenBao and Vault as keepers of registries' passwords, in the words of OpenBao 2.7."""

from dataclasses import replace
from typing import Any, Final

from fakes.issued import issued
from fakes.vendors.vendor import JSON, NO_BODY, TOKEN, UNKNOWN, Call, Refusal, Vendor
from pullpass.errors import ExchangeUnavailable

_CLIENT: Final = issued("s.token-of-client")
_PASSWORD: Final = issued("pass word of harbor")
_IN: Final = {"x-vault-namespace": "team/a"}
_LOGIN: Final = Call(
    url="https://bao.example.com/v1/auth/k8s/prod/login",
    headers={**JSON, **_IN},
    body={"role": "puller", "jwt": TOKEN},
    answer={"auth": {"client_token": _CLIENT, "lease_duration": 3600}, "warnings": None},
)


def _secret(path: str, data: Any, lease: int) -> Call:
    return Call(
        method="GET",
        url=f"https://bao.example.com/v1/{path}",
        headers={**NO_BODY, **_IN, "x-vault-token": _CLIENT},
        answer={"data": data, "lease_duration": lease, "renewable": False, "lease_id": ""},
    )


def _errors(status: int, error: str, says: str, call: int = 0) -> Refusal:
    return Refusal(call=call, status=status, body={"errors": [error]}, says=f"{status}{says}")


_INVALID: Final = "error validating token: invalid"
_TOLD: Final = (
    (
        'role "puller" could not be found',
        "could not be found",
        "there is no such role at auth_path",
    ),
    (
        f"{_INVALID} audience (aud) claim: audience",
        "invalid audience",
        "the role's bound_audiences",
    ),
    (f"{_INVALID} subject (sub) claim", "invalid subject", "the role's bound_subject must be"),
    (f"{_INVALID} issuer (iss) claim", "invalid issuer", "bound_issuer at auth_path must be"),
    ('error validating claims: claim "team"', "validating claims", "the role's bound_claims do"),
    ("error verifying token signature: no key", "token signature", "the keys at auth_path did not"),
    (f"{_INVALID} expiration time: token is expired", "token is expired", "compare the clocks"),
    (f"{_INVALID} not before: token not yet valid", "token not yet valid", "compare the clocks"),
)
_PAIR: Final = {"username": "robot$puller", "password": _PASSWORD}
OPENBAO: Final = Vendor(
    name="openbao",
    provider="openbao",
    registry="harbor.example.com",
    exchange="https://bao.example.com",
    parameters={
        "role": "puller",
        "auth_path": "k8s/prod",
        "namespace": "team/a",
        "secret": "secret/data/harbor/puller",
    },
    audience="harbor.example.com",
    calls=(
        _LOGIN,
        _secret("secret/data/harbor/puller", {"data": _PAIR, "metadata": {"version": 3}}, 0),
    ),
    username="robot$puller",
    password=_PASSWORD,
    lives=None,
    refusals=(
        *(_errors(400, f"{text} {UNKNOWN}", f" ({code}): {says}") for text, code, says in _TOLD),
        _errors(404, "namespace not found", " (namespace not found): check namespace"),
        _errors(400, UNKNOWN, ": check role, and that its bound_issuer, bound_audiences and"),
        _errors(403, "permission denied", " (permission denied): check auth_path"),
        _errors(404, UNKNOWN, ": there is no such login: check exchange"),
        _errors(403, UNKNOWN, ": check auth_path, role and namespace"),
        _errors(
            403,
            "1 error occurred:\n\t* permission denied\n\n",
            " (permission denied): let a policy of the role read secret",
            1,
        ),
        _errors(403, UNKNOWN, ": let a policy of the role read secret", 1),
        Refusal(call=1, status=404, body={"errors": []}, says="404: there is no such secret"),
        *(
            Refusal(
                call=call,
                status=503,
                body={"errors": ["Vault is sealed"]},
                says="503: OpenBao or Vault is sealed or has no leader; try again later",
                kind=ExchangeUnavailable,
            )
            for call in (0, 1)
        ),
    ),
)
OPENBAO_DYNAMIC: Final = replace(
    OPENBAO,
    name="openbao-dynamic",
    provider="openbao-dynamic",
    parameters={**OPENBAO.parameters, "secret": "harbor/creds/puller"},
    calls=(_LOGIN, _secret("harbor/creds/puller", _PAIR, 1800)),
    lives=1800,
)
