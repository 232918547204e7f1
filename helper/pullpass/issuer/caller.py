"""Proves who calls from another host: an enrolled node, or a subject of a trusted issuer."""

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pullpass.claims import audiences_of, read_token
from pullpass.config.issuing import EnrolledNode, Issuer, OutsideCaller
from pullpass.errors import ConfigError, TokenRefused
from pullpass.glob import matches
from pullpass.issuer.admission import Proven, TooOften
from pullpass.jose import PublicKey
from pullpass.relying import read_jwk
from pullpass.relying import verify as verify_signature
from pullpass.secret import Secret
from pullpass.verifier.known import KnownKeys
from pullpass.verifier.verify import Trust, verify

MAX_ASSERTION: Final = 60  # seconds after which an assertion has ended by this clock
MAX_REPLAYS: Final = 100_000  # assertions that are remembered until they have expired
_SPIFFE: Final = "spiffe://"
_SERVICE_ACCOUNT: Final = re.compile(r"system:serviceaccount:([a-z0-9-]+):([a-z0-9.-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Who calls, and by what.

    Attributes:
        token_id: of an assertion, which is good once; empty for a token of another issuer.
    """

    proven: Proven
    token_id: str = ""


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
        self._since = int(now())
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()

    async def prove(self, token: Secret, endpoint: str) -> Proof:
        """Returns who shows token, an assertion (RFC 7523 §3) or an OIDC token for this issuer.

        Args:
            token: what is shown.
            endpoint: the URL for which an assertion has to be, to the letter.

        Raises:
            InvalidToken, TokenRefused: if it proves nobody.
            TransportError: if the keys that would tell cannot be had.
        """
        unverified = read_token(token.reveal())
        enrolled = self._nodes.get(unverified.header_text("kid"))
        if enrolled is not None:
            return self._node(token, endpoint, *enrolled)
        for caller in self._issuer.callers.values():
            if unverified.text("iss") == caller.issuer:
                return await self._subject(token, unverified.header_text("kid"), caller)
        raise TokenRefused("it is of no enrolled node's key, and of no trusted issuer")

    def take(self, proof: Proof) -> None:
        """Holds that an assertion is shown once (RFC 7523 §3, 7).

        Raises:
            TokenRefused: if it was shown before.
            TooOften: if there is no room to remember it.
        """
        node, now = proof.proven.node, self._now()
        if not node:
            return
        while self._seen and next(iter(self._seen.values())) <= now:
            self._seen.popitem(last=False)
        if (node, proof.token_id) in self._seen:
            raise TokenRefused("it was shown before: make a new one for each request")
        if len(self._seen) >= MAX_REPLAYS:
            raise TooOften(
                "too many are shown just now: try again in a minute", constraint="assertions"
            )
        # One moment for all, so that they leave in the order in which they came.
        self._seen[node, proof.token_id] = now + MAX_ASSERTION

    def _node(self, token: Secret, endpoint: str, node: EnrolledNode, key: PublicKey) -> Proof:
        claims = verify_signature(token, key)
        if not claims.get("iss") == claims.get("sub") == node.name:
            raise TokenRefused(f"its iss and sub are not {node.name}, as its key is enrolled")
        if audiences_of(claims) != (endpoint,):
            raise TokenRefused(f"its aud is not exactly {endpoint}")
        self._check_times(claims)
        token_id = claims.get("jti")
        if not isinstance(token_id, str) or not 0 < len(token_id) <= 200:
            raise TokenRefused("it has no jti")
        facts = {"node": node.name}
        proven = Proven(name=f"node:{node.name}", node=node.name, facts=facts)
        return Proof(proven=proven, token_id=token_id)

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        """Holds that an assertion is alive, short, and not from before what is remembered."""
        ends, issued, now = claims.get("exp"), claims.get("iat"), self._now()
        if type(ends) is not int or type(issued) is not int:
            raise TokenRefused("it has no exp and iat")
        if ends <= now:
            raise TokenRefused(
                f"it expired {int(now - ends)}s ago by this clock: compare the clocks"
            )
        if max(ends, issued, claims.get("nbf", issued)) > now + MAX_ASSERTION:
            raise TokenRefused(
                f"it is good for {MAX_ASSERTION}s at most, and is ahead of this clock by more:"
                " compare the clocks"
            )
        if issued < self._since:
            raise TokenRefused("it is older than this server: make a new one, compare the clocks")

    async def _subject(self, token: Secret, kid: str, caller: OutsideCaller) -> Proof:
        trust = Trust(
            issuer=caller.issuer,
            audiences=(self._issuer.issuer,),
            algorithms=caller.algorithms,
        )
        keys = await self._known.of(caller.issuer, kid)
        subject = verify(token, trust, keys, self._now()).subject
        if not any(matches(glob, subject) for glob in caller.subjects):
            raise TokenRefused(f"its sub, {subject}, is none of the subjects of {caller.name}")
        proven = Proven(
            name=f"{caller.name}:{subject}",
            caller=caller.name,
            issuer=caller.issuer,
            subject=subject,
            facts={"caller": caller.name, "caller.subject": subject, **_told_by(subject)},
        )
        return Proof(proven=proven)


def _told_by(subject: str) -> Mapping[str, str]:
    """Returns what subjects of SPIFFE and of Kubernetes tell, by the form that theirs alone have.

    https://github.com/spiffe/spiffe/blob/main/standards/JWT-SVID.md §3.1 and
    https://kubernetes.io/docs/reference/access-authn-authz/authentication/#service-account-tokens
    """
    if subject.startswith(_SPIFFE):
        return {"spiffe.id": subject}
    if found := _SERVICE_ACCOUNT.fullmatch(subject):
        return {"k8s.namespace": found[1], "k8s.serviceaccount": found[2]}
    return {}
