"""Proves who calls from another host: an enrolled node, or a subject of a trusted issuer."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pullpass.claims import audiences_of, read_token
from pullpass.config.issuing import EnrolledNode, Issuer, OutsideCaller
from pullpass.errors import ConfigError, TokenRefused
from pullpass.glob import matches
from pullpass.jose import PublicKey, read_jwk
from pullpass.jose import verify as verify_signature
from pullpass.secret import Secret
from pullpass.verifier.known import KnownKeys
from pullpass.verifier.verify import LEEWAY, Trust, check_times, verify

MAX_ASSERTION: Final = 300  # seconds that an assertion may live
MAX_REPLAYS: Final = 100_000  # assertions that are remembered until they have expired
_SPIFFE: Final = "spiffe://"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """Who calls.

    Attributes:
        name: the same for the same caller, for limits.
        node: its name where it is an enrolled node.
        caller: the name of the trusted issuer's entry where it is not.
        facts: what may stand in a subject.
    """

    name: str
    node: str = ""
    caller: str = ""
    facts: Mapping[str, str]


def node_keys(issuer: Issuer) -> dict[str, tuple[EnrolledNode, PublicKey]]:
    """Returns the enrolled keys of issuer by kid.

    Raises:
        ConfigError: for one that cannot be used, or that two nodes have.
    """
    found: dict[str, tuple[EnrolledNode, PublicKey]] = {}
    for node in issuer.nodes.values():
        for jwk in node.keys:
            public = read_jwk(jwk)
            if public is None:
                raise ConfigError("holds what is no public JWK", key=f"{node.key}.keys")
            if node.offline and issuer.algorithm not in public.algorithms:
                raise ConfigError(
                    f"holds a key that does not sign {issuer.algorithm}, as all that an issuer"
                    " publishes must: make one of the issuer's type",
                    key=f"{node.key}.keys",
                )
            if found.setdefault(public.thumbprint(), (node, public))[0] is not node:
                raise ConfigError("holds a key of another node", key=f"{node.key}.keys")
    return found


class Callers:
    """Those who may prove themselves to one issuer."""

    def __init__(
        self, issuer: Issuer, known: KnownKeys, now: Callable[[], float] = time.time
    ) -> None:
        self._issuer = issuer
        self._nodes = node_keys(issuer)
        self._known = known
        self._now = now
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()

    async def prove(self, token: Secret) -> Proven:
        """Returns who shows token, an assertion (RFC 7523 §3) or an OIDC token for this issuer.

        Raises:
            InvalidToken, TokenRefused: if it proves nobody.
            TransportError: if the keys that would tell cannot be had.
        """
        unverified = read_token(token.reveal())
        enrolled = self._nodes.get(unverified.header_text("kid"))
        if enrolled is not None:
            return self._node(token, *enrolled)
        for caller in self._issuer.callers.values():
            if unverified.text("iss") == caller.issuer:
                return await self._subject(token, unverified.header_text("kid"), caller)
        raise TokenRefused("it is of no enrolled node's key, and of no trusted issuer")

    def _node(self, token: Secret, node: EnrolledNode, key: PublicKey) -> Proven:
        claims = verify_signature(token, key)
        now = self._now()
        if not claims.get("iss") == claims.get("sub") == node.name:
            raise TokenRefused(f"its iss and sub are not {node.name}, as its key is enrolled")
        if audiences_of(claims) != (self._issuer.issuer,):
            raise TokenRefused(f"its aud is not exactly {self._issuer.issuer}")
        check_times(claims, now)
        if claims["exp"] > now + MAX_ASSERTION + LEEWAY:
            raise TokenRefused(f"it lives longer than {MAX_ASSERTION}s")
        self._once(node.name, claims)
        return Proven(name=f"node:{node.name}", node=node.name, facts={"node": node.name})

    async def _subject(self, token: Secret, kid: str, caller: OutsideCaller) -> Proven:
        trust = Trust(
            issuer=caller.issuer,
            audiences=(self._issuer.issuer,),
            algorithms=caller.algorithms,
        )
        keys = await self._known.of(caller.issuer, kid)
        subject = verify(token, trust, keys, self._now()).subject
        if not any(matches(glob, subject) for glob in caller.subjects):
            raise TokenRefused(f"its sub, {subject}, is none of the subjects of {caller.name}")
        facts = {"caller": caller.name, "caller.subject": subject}
        if subject.startswith(_SPIFFE):
            facts["spiffe.id"] = subject
        return Proven(name=f"{caller.name}:{subject}", caller=caller.name, facts=facts)

    def _once(self, node: str, claims: Mapping[str, Any]) -> None:
        """Holds that an assertion is shown once (RFC 7523 §3, 7)."""
        token_id, now = claims.get("jti"), self._now()
        if not isinstance(token_id, str) or not 0 < len(token_id) <= 200:
            raise TokenRefused("it has no jti")
        while self._seen and next(iter(self._seen.values())) <= now:
            self._seen.popitem(last=False)
        if (node, token_id) in self._seen:
            raise TokenRefused("it was shown before: make a new one for each request")
        if len(self._seen) >= MAX_REPLAYS:
            raise TokenRefused("too many are shown just now: try again in a minute")
        # One moment for all, so that they leave in the order in which they came.
        self._seen[node, token_id] = now + MAX_ASSERTION + 2 * LEEWAY
