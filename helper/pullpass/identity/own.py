"""The identity that our own issuer gives: a token minted for one pull, kept nowhere."""

from collections.abc import Mapping

from pullpass.config.model import PULL_TTL, CredentialEntry
from pullpass.issuer.mint import Minted, Minter
from pullpass.issuer.role import MintRequest


def mint_for_pull(
    minter: Minter, entry: CredentialEntry, audience: str, facts: Mapping[str, str]
) -> Minted:
    """Returns a five-minute token of entry's role for audience.

    Raises:
        MintDenied: if the role does not allow it.
        KeyStoreError: if the signing key cannot be had.
        IdentityError: if the audit line cannot be written.
    """
    request = MintRequest(audiences=(audience,), ttl=PULL_TTL, facts=facts)
    return minter.mint(entry.issuer, entry.role, request)
