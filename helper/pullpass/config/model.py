"""The settings as values. Durations are whole seconds; every name was checked by ``load``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pullpass.config.callers import Caller
from pullpass.config.issuing import Audit, Issuer, KeySettings
from pullpass.network import Proxy

KEYRING, PASS, SYSTEMD = "keyring", "pass", "systemd"  # where a credential may rest
STORES: Final = (KEYRING, PASS, SYSTEMD)
PULL_TTL: Final = 300  # seconds; what the token of a pull lives
MIN_TOKEN_TTL: Final = 60  # seconds; clients take no registry token that lives shorter


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """``[agent]``: the resident process.

    Attributes:
        socket: where it listens, None for the usual place.
        allow: who may ask at all; none named means root and the agent's own user.
        shim: who may state facts about pods.
        metrics: where Prometheus is answered: a Unix socket, or host and port on loopback.
        drain: seconds for running requests once the agent is asked to end.
    """

    socket: Path | None = None
    allow: tuple[Caller, ...] = ()
    shim: Caller | None = None
    max_connections: int = 512
    max_connections_per_user: int = 256
    metrics: Path | tuple[str, int] | None = None
    drain: int = 22  # the exchange has twenty of them


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnIssuer:
    """``issuer`` and ``role`` of an entry: a token of one of our own issuers."""

    issuer: str
    role: str

    def __str__(self) -> str:
        return f"issuer {self.issuer}, role {self.role}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """``identity`` of an entry, ``[identities.NAME]``: a token that others give.

    Attributes:
        source: which kind of platform gives it.
        parameters: what the source is told; all that it knows, of the types that it takes.
        key: the dotted key, for errors.
    """

    name: str
    source: str
    parameters: Mapping[str, Any]
    key: str

    def __str__(self) -> str:
        return f"identity {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """``store`` and ``secret`` of an entry: a credential that rests on this host.

    Attributes:
        store: one of STORES.
        secret: the credential's name there.
    """

    store: str
    secret: str

    def __str__(self) -> str:
        return f"store {self.store}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialEntry:
    """``[[registry.R.credential]]``: by what right which repositories are pulled.

    Attributes:
        repository: a glob over repositories; the most specific one answers.
        source: where its identity comes from, or its credential.
        host_default: answers where only the host is known.
        reuse: how long the agent may give the same credential again, in seconds; 0 for never.
        key: the dotted key, for errors.
    """

    repository: str
    source: OwnIssuer | Identity | Stored
    host_default: bool
    reuse: int = 0
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CriPull:
    """``[registry.R.cri]``: how the CRI shim treats pulls from a registry.

    Attributes:
        override: whether our credential replaces one that the kubelet sends.
        fail_open: whether a pull goes on without our credential where none can be had.
        server_address: the origin of the mirror that is the real registry, empty for the registry.
        auth_failures: what the registry's refusals say beside the usual, in any case.
    """

    override: bool = False
    fail_open: bool = False
    server_address: str = ""
    auth_failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """``[registry."HOST"]``: a registry and how its credentials are had.

    Attributes:
        address: ``host[:port]`` as written, Docker Hub's names as ``docker.io``.
        provider: empty where every credential rests in a store.
        exchange: the origin that answers the exchange, empty for the one that its provider names.
        callers: who may ask the agent for it; none named means all whom the agent allows.
        key: the dotted key, for errors.
    """

    address: str
    provider: str
    exchange: str
    parameters: Mapping[str, str]
    insecure: bool
    credentials: tuple[CredentialEntry, ...]
    callers: tuple[Caller, ...] = ()
    key: str
    cri: CriPull = field(default_factory=CriPull)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """``[serve.NAME]``: where a server listens; TLS where both files are named."""

    host: str
    port: int
    certificate: Path | None
    private_key: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cri:
    """``[cri]``: the CRI shim.

    Attributes:
        listen: the socket that the kubelet's ``imageServiceEndpoint`` names.
        backend: the runtime's socket.
        status: the socket that tells health and metrics.
        credentials: who resolves, ``agent`` or ``in-process``.
        agent: the agent's socket.
        exchange_timeout: within which a credential must be there.
        drain: how long running pulls may take once the shim is asked to end.
    """

    listen: Path = Path("/run/pullpass-cri/cri.sock")
    backend: Path = Path("/run/containerd/containerd.sock")
    status: Path = Path("/run/pullpass-cri/status.sock")
    credentials: str = "agent"
    agent: Path = Path("/run/pullpass/agent.sock")
    exchange_timeout: int = 10
    drain: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """``[services."NAME"]``: a registry which trusts the token server.

    Attributes:
        name: what the registry sends as ``service``, the audience of its tokens.
        issuer: the ``iss`` of its tokens.
        signing_key: the transit key that the registry trusts.
        exchange_key: the transit key of exchanged credentials, which the registry must not trust.
        token_ttl: what a registry token lives.
        exchange_ttl: what an exchanged credential lives; no registry token outlives it.
    """

    name: str
    issuer: str
    signing_key: str
    exchange_key: str
    token_ttl: int
    exchange_ttl: int


def exchange_issuer(service: Service) -> str:
    """Returns the ``iss`` of the credentials that service's exchange gives out."""
    return f"{service.issuer}/exchange"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruleset:
    """``[[connections.C.rulesets]]``: what subjects may do.

    Attributes:
        subject: globs over ``sub``.
        actions: exactly those that a client asks for; ``*`` is the one that a catalog is asked for
            with, not all of them.
        resources: globs such as ``repository:team/*``; ``*`` stays within a path segment.
        username: the user that matching subjects become, empty for the subject itself.
    """

    label: str
    subject: tuple[str, ...]
    resources: tuple[str, ...]
    actions: frozenset[str]
    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """``[connections.NAME]``: an OIDC issuer that the token server trusts.

    Attributes:
        issuer: the exact ``iss``, whose discovery document is fetched.
        audiences: names of services; a token must be meant for exactly one of them.
        active: whether it answers at all.
    """

    name: str
    issuer: str
    audiences: tuple[str, ...]
    algorithms: tuple[str, ...]
    insecure: bool
    active: bool
    rulesets: tuple[Ruleset, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """``[http]``: how others are reached. What is None is the environment's or the program's.

    Attributes:
        proxy: who is asked for connections.
        no_proxy: what is reached without a proxy.
        ca_bundle: a file of authorities that are believed beside the system's.
        connect_timeout: for a connection.
        timeout: for a whole request.
    """

    proxy: Proxy | None = None
    no_proxy: tuple[str, ...] | None = None
    ca_bundle: Path | None = None
    connect_timeout: int | None = None
    timeout: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFile:
    """A provider's spec of somebody's own, which nobody has looked into yet."""

    path: Path
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings, of all files.

    Attributes:
        state_dir: keys and audit.
        providers: the specs beside those that come with the package, by name.
        sources: the files that were read, in their order.
    """

    state_dir: Path
    keys: Mapping[str, KeySettings] = field(default_factory=dict)
    issuers: Mapping[str, Issuer] = field(default_factory=dict)
    registries: Mapping[str, Registry] = field(default_factory=dict)
    providers: Mapping[str, ProviderFile] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    connections: Mapping[str, Connection] = field(default_factory=dict)
    audit: Audit = field(default_factory=Audit)
    agent: Agent = field(default_factory=Agent)
    issuer_listener: Listener | None = None
    token_server_listener: Listener | None = None
    cri: Cri = field(default_factory=Cri)
    http: Http = field(default_factory=Http)
    sources: tuple[Path, ...] = ()
