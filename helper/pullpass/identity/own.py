"""The identity that our own issuer gives: a token minted for one pull, kept nowhere."""

from collections.abc import Mapping
from typing import Any

from pullpass.config.model import PULL_TTL, CredentialEntry
from pullpass.http import Flow
from pullpass.issuer.mint import Minted, Minter
from pullpass.issuer.role import MintRequest, draft


def mint_for_pull(
    minter: Minter, entry: CredentialEntry, audience: str, facts: Mapping[str, str]
) -> Flow[Minted]:
    """Yields what a remote key is asked and returns a five-minute token of entry's role.

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
    issuer, role = minter.find(entry.issuer, entry.role)
    return draft(issuer, role, _request(audience, facts), now=0, token_id="")


def _request(audience: str, facts: Mapping[str, str]) -> MintRequest:
    return MintRequest(audiences=(audience,), ttl=PULL_TTL, facts=facts)
