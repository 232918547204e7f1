"""The identity that our own issuer gives: a token minted for one pull, kept nowhere."""

from collections.abc import Mapping
from typing import Any

from pullpass.config.model import PULL_TTL, CredentialEntry
from pullpass.issuer.mint import Minted, Minter
from pullpass.issuer.role import MintRequest, draft


def mint_for_pull(
    minter: Minter, entry: CredentialEntry, audience: str, facts: Mapping[str, str]
) -> Minted:
    """Returns a five-minute token of entry's role for audience.

    Raises:
        MintDenied: if the role does not allow it.
        KeyStoreError: if the signing key cannot be had.
        IdentityError: if the audit line cannot be written.
    """
    return minter.mint(entry.issuer, entry.role, _request(audience, facts))


def claims_for_pull(
    minter: Minter, entry: CredentialEntry, audience: str, facts: Mapping[str, str]
) -> Mapping[str, Any]:
    """Returns what the token of such a pull will say, as if minted at the epoch; nothing is minted.

    Raises:
        MintDenied: if the role does not allow it.
    """
    issuer = minter.issuers[entry.issuer]
    request = _request(audience, facts)
    return draft(issuer, issuer.roles[entry.role], request, now=0, token_id="")


def _request(audience: str, facts: Mapping[str, str]) -> MintRequest:
    return MintRequest(audiences=(audience,), ttl=PULL_TTL, facts=facts)
