"""The identity that our own issuer gives: a token minted for one pull, kept nowhere."""

from collections.abc import Mapping
from typing import Any, Final

from pullpass.config.model import PULL_TTL, OwnIssuer
from pullpass.http import Flow
from pullpass.identity.token import SubjectToken, read_jwt
from pullpass.issuer.mint import Minter
from pullpass.issuer.role import MintRequest, draft

NAME: Final = "own issuer"


def mint_for_pull(
    minter: Minter, source: OwnIssuer, audience: str, facts: Mapping[str, str]
) -> Flow[SubjectToken]:
    """Yields what a remote key is asked and returns a five-minute token of source's role.

    Raises:
        MintDenied: if the role does not allow it.
        KeyStoreError: if the signing key cannot be had.
        IdentityError: if the audit line cannot be written.
    """
    minted = yield from minter.mint(source.issuer, source.role, _request(audience, facts))
    return read_jwt(minted.token.reveal(), NAME)


def claims_for_pull(
    minter: Minter, source: OwnIssuer, audience: str, facts: Mapping[str, str]
) -> Mapping[str, Any]:
    """Returns what the token of such a pull will say, as if minted at the epoch; nothing is minted.

    Raises:
        MintDenied: if the role does not allow it.
    """
    issuer, role = minter.find(source.issuer, source.role)
    return draft(issuer, role, _request(audience, facts), now=0, token_id="")


def _request(audience: str, facts: Mapping[str, str]) -> MintRequest:
    return MintRequest(audiences=(audience,), ttl=PULL_TTL, facts=facts)
