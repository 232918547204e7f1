"""A provider's spec: what its TOML says, and what it becomes.

    audience = "{registry}"            # what the subject token is made for
    exchange = "https://{registry}"    # the origin {exchange} of an entry which names none
    defaults = { region = "eu" }       # parameters with defaults
    hosts = ["region"]                 # parameters which may name a host or a label of one
    paths = ["token_path"]             # parameters which may hold several segments of a path

    [[steps]]                          # any number; none is passthrough
    id = "token"
    method = "POST"                    # or GET
    url = "https://{region}.example.com/{token_path}"    # or {exchange}/…, https://{registry}/…
    when = "service_account"           # the step is left out where this parameter is not set
    encoding = "form"                  # of fields: json, form or none
    query = { aud = "{registry}" }
    headers = { x-vault-namespace = "{namespace?}" }
    auth = { bearer = "{identity}" }   # or { basic = ["user", "password"] }
    fields = { subject_token = "{identity}", scope = "{scope?}" }
    error = ["error"]                  # where an answer names its error code
    out = { token = "access_token", username = "username?" }       # «?» may be absent
    derive = { subject = "jwt_sub:token", team = "jwt_claim:token:team" }
    hints = { 401 = "what its reader should do next" }

    [credential]
    username = ["{token.username}", "{token.subject}"]              # the first that is there
    password = "{token.token}"
    expires = ["in:expires_in", "jwt:exp", "fixed:60"]              # of the last step's answer

Every other name in a template is a parameter of the entry. ``{x}`` makes it required, ``{x?}`` not.
``{identity}`` and outputs never stand in a URL or a query: those are logged.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pullpass.exchange.expiry import Expiry
from pullpass.exchange.names import is_parameter
from pullpass.exchange.paths import Path
from pullpass.exchange.template import Hole, Template
from pullpass.exchange.url import Url


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
        kind: jwt_sub or jwt_claim.
        output: the JWT, an output of the same step.
        claim: for jwt_claim.
    """

    kind: str
    output: str
    claim: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """An Authorization header: bearer with one template, basic with two."""

    scheme: str
    templates: tuple[Template, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
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
    fields: Mapping[str, Template]
    error: tuple[Path, ...]
    out: Mapping[str, Output]
    derive: Mapping[str, Derivation]
    hints: Mapping[int, str]

    @property
    def holes(self) -> tuple[Hole, ...]:
        """Returns the holes of all its templates."""
        texts = (*self.query.values(), *self.headers.values(), *self.fields.values())
        auth = self.auth.templates if self.auth else ()
        return tuple(hole for text in (*self.url.templates, *auth, *texts) for hole in text.holes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """How one kind of registry trades a subject token for a credential."""

    name: str
    audience: Template
    exchange: Url
    defaults: Mapping[str, str]
    steps: tuple[Step, ...]
    username: tuple[Template, ...]
    password: Template
    expires: tuple[Expiry, ...]

    @property
    def parameters(self) -> frozenset[str]:
        """Returns every parameter that the spec knows."""
        whens = {step.when for step in self.steps if step.when}
        return _parameters((*self._outer, *_holes(self.steps))) | whens

    def required(self, given: Iterable[str]) -> frozenset[str]:
        """Returns the parameters which must be there, where the given ones are."""
        there = {"", *given, *self.defaults}
        running = [step for step in self.steps if step.when in there]
        holes = (hole for hole in (*self._outer, *_holes(running)) if not hole.optional)
        return _parameters(holes) - self.defaults.keys()

    @property
    def _outer(self) -> tuple[Hole, ...]:
        texts = (self.audience, *self.exchange.templates, *self.username, self.password)
        return tuple(hole for text in texts for hole in text.holes)


def _holes(steps: Iterable[Step]) -> list[Hole]:
    return [hole for step in steps for hole in step.holes]


def _parameters(holes: Iterable[Hole]) -> frozenset[str]:
    return frozenset(hole.name for hole in holes if is_parameter(hole.name))
