"""A provider's spec: what its TOML says, and what it becomes.

    audience = "{registry}"            # what the subject token is made for
    exchange = "https://{registry}"    # the origin {exchange} of an entry which names none
    addresses = ["*.{region}.cr.example.com"]         # a registry's; its labels are parameters
    defaults = { region = "eu" }       # parameters with defaults, where the address tells none
    hosts = ["region"]                 # parameters which may name a host or a label of one
    paths = ["token_path"]             # parameters which may hold several segments of a path
    evidence = "source"                # how sure this is: live, source or documented

    [trust]                            # what the other side takes; nothing named is anything
    algorithms = ["RS256"]             # of the subject token's signature
    issuers = ["https://id.example.com/*"]            # globs
    max_lifetime = 300                 # seconds from the subject token's iat to its exp

    [[steps]]                          # any number; none is passthrough
    id = "token"
    method = "POST"                    # or GET
    url = "https://{region}.example.com/{token_path}"    # or {exchange}/…, https://{registry}/…
    when = "service_account"           # the step is left out where this parameter is not set
    encoding = "form"                  # of fields: json, form or none
    query = { aud = "{registry}" }
    headers = { x-vault-namespace = "{namespace?}" }
    auth = { bearer = "{identity}" }   # or { basic = ["user", "password"] } or { sigv4 = { … } }
    fields = { subject_token = "{identity}", expires_in = "{lifetime?}" }  # JSON also takes lists
    response = "json"                  # or xml, where paths begin within the document's element
    error = ["error"]                  # where an answer says why it is none
    codes = { invalid_target = "what to do where error holds this word" }
    hints = { 401 = "what to do where no code says more" }
    out = { token = "access_token", username = "username?" }       # «?» may be absent
    derive = { subject = "jwt_sub:token", team = "jwt_claim:token:team" }
    # pair_user and pair_password split the base64 of user:password; sigv4 takes service, region,
    # key_id, secret_key and session_token

    [credential]
    username = ["{token.username}", "{token.subject}"]              # the first that is there
    password = ["{token.token}"]                                    # likewise
    expires = ["in:expires_in", "jwt:exp", "asked:lifetime", "fixed:60"]  # of the last answer

Every other name in a template is a parameter of the entry. ``{x}`` makes it required, ``{x?}`` not.
``{identity}`` and outputs never stand in a URL or a query: those are logged.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from pullpass.exchange.address import Address
from pullpass.exchange.expiry import Expiry
from pullpass.exchange.names import is_parameter
from pullpass.exchange.paths import Path
from pullpass.exchange.template import Hole, Template
from pullpass.exchange.url import Url

Field = Template | tuple[Template, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a step reads from its answer.

    Attributes:
        path: where it stands.
        sure: whether an answer without it is an error.
    """

    path: Path
    sure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """What is made of an output; absent where it cannot be.

    Attributes:
        kind: one of ``derive.MADE``.
        output: an output of the same step.
        claim: for jwt_claim.
    """

    kind: str
    output: str
    claim: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """What proves a request: bearer with token, basic with user and password, or sigv4."""

    scheme: str
    templates: Mapping[str, Template]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What the other side takes of subject tokens. Nothing named is anything.

    Attributes:
        algorithms: of the signature, as in ``alg``.
        issuers: globs over ``iss``.
        max_lifetime: seconds from ``iat`` to ``exp``, 0 for any.
    """

    algorithms: tuple[str, ...] = ()
    issuers: tuple[str, ...] = ()
    max_lifetime: int = 0


@dataclass(frozen=True, kw_only=True)
class Step:
    """One request and how its answer is read. The module's head says what each key means."""

    id: str
    method: str
    url: Url
    when: str
    encoding: str
    query: Mapping[str, Template]
    headers: Mapping[str, Template]
    auth: Auth | None
    fields: Mapping[str, Field]
    response: str
    error: tuple[Path, ...]
    codes: Mapping[str, str]
    hints: Mapping[int, str]
    out: Mapping[str, Output]
    derive: Mapping[str, Derivation]

    @cached_property
    def holes(self) -> tuple[Hole, ...]:
        """Returns the holes of all its templates."""
        auth = self.auth.templates.values() if self.auth else ()
        texts = (*auth, *self.query.values(), *self.headers.values(), *_flat(self.fields))
        return tuple(hole for text in (*self.url.templates, *texts) for hole in text.holes)


@dataclass(frozen=True, kw_only=True)
class Spec:
    """How one kind of registry trades a subject token for a credential."""

    name: str
    evidence: str
    trust: Trust
    audience: Template
    exchange: Url
    addresses: tuple[Address, ...]
    defaults: Mapping[str, str]
    steps: tuple[Step, ...]
    username: tuple[Template, ...]
    password: tuple[Template, ...]
    expires: tuple[Expiry, ...]

    @cached_property
    def parameters(self) -> frozenset[str]:
        """Returns every parameter that the spec knows."""
        whens = {step.when for step in self.steps if step.when}
        return _parameters((*self._outer, *_holes(self.steps))) | whens

    def told(self, registry: str) -> Mapping[str, str]:
        """Returns the parameters that a registry's address tells."""
        found = (address.read(registry) for address in self.addresses)
        return next((told for told in found if told is not None), {})

    def required(self, given: Iterable[str]) -> frozenset[str]:
        """Returns the parameters which must be there, where the given ones are."""
        there = {"", *given, *self.defaults}
        running = [step for step in self.steps if step.when in there]
        holes = (hole for hole in (*self._outer, *_holes(running)) if not hole.optional)
        return _parameters(holes) - self.defaults.keys()

    @cached_property
    def _outer(self) -> tuple[Hole, ...]:
        texts = (self.audience, *self.exchange.templates, *self.username, *self.password)
        return tuple(hole for text in texts for hole in text.holes)


def _flat(fields: Mapping[str, Field]) -> list[Template]:
    return [
        template
        for field in fields.values()
        for template in ([field] if isinstance(field, Template) else field)
    ]


def _holes(steps: Iterable[Step]) -> list[Hole]:
    return [hole for step in steps for hole in step.holes]


def _parameters(holes: Iterable[Hole]) -> frozenset[str]:
    return frozenset(hole.name for hole in holes if is_parameter(hole.name))
