"""Why an entry answers for an image, or none does. Pure: nothing is minted and nobody is asked."""

from dataclasses import dataclass
from typing import Final

from pullpass.config.callers import Caller
from pullpass.config.model import Config, CredentialEntry, Registry, Stored
from pullpass.errors import PullpassError
from pullpass.glob import matches
from pullpass.resolve.choose import Query, find, find_registry, specificity
from pullpass.resolve.flow import Plan, of_caller, plan
from pullpass.store.systemd import VARIABLE

_SERVICE: Final = {VARIABLE: "/run/credentials"}  # an agent that systemd runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An entry of the registry.

    Attributes:
        entry: its dotted key.
        identity: whose identity is shown.
        repository: its glob.
        matches: whether the glob covers the image's repository.
        specificity: how many characters of the glob are no wildcard; more of them win.
    """

    entry: str
    identity: str
    repository: str
    matches: bool
    specificity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Who answers one kind of client.

    Attributes:
        entry: the dotted key, empty where none answers.
        why: the reason; an error's sentence where none answers.
        exit_status: that of the error, 0 where an entry answers.
    """

    entry: str = ""
    why: str
    exit_status: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentView:
    """What an agent with the same configuration does.

    Attributes:
        answers: by itself, where the image names the registry as the settings do and what it gets
            does not depend on whoever asks; else it leaves the work to them.
        allow: who may ask it at all.
        callers: who of these may have the credential.
        reuse: how long it gives a credential again, in seconds.
    """

    answers: bool
    allow: tuple[str, ...]
    callers: tuple[str, ...]
    reuse: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What the configuration says about an image.

    Attributes:
        registry: as the image names it.
        configured: the dotted key of its settings, empty where it has none.
        audience: of the identity that is shown, empty where none is.
        by_repository: for clients that name the repository.
        by_host: for those that name the host alone, as Docker's do.
        agent: None where the registry is not configured.
    """

    registry: str
    repository: str
    configured: str = ""
    provider: str = ""
    audience: str = ""
    candidates: tuple[Candidate, ...] = ()
    by_repository: Choice
    by_host: Choice
    agent: AgentView | None = None


def explain(config: Config, registry: str, repository: str) -> Explanation:
    """Returns what config says about repository at registry. Raises nothing: errors are told."""
    try:
        found = find_registry(config, registry)
    except PullpassError as error:
        nobody = _refused(error)
        return Explanation(
            registry=registry, repository=repository, by_repository=nobody, by_host=nobody
        )
    chosen = _chosen(config, Query(registry=registry, repository=repository))
    worked = None if isinstance(chosen, PullpassError) else chosen
    return Explanation(
        registry=registry,
        repository=repository,
        configured=found.key,
        provider=found.provider,
        audience=chosen.audience if isinstance(chosen, Plan) else "",
        candidates=tuple(_candidate(entry, repository) for entry in found.credentials),
        by_repository=_by_repository(chosen, found, repository),
        by_host=_by_host(_chosen(config, Query(registry=registry))),
        agent=_agent(config, found, registry, worked),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stands:
    """An entry whose credential is stored: there is nothing to plan."""

    entry: CredentialEntry


_Chosen = Plan | _Stands


def _chosen(config: Config, query: Query) -> _Chosen | PullpassError:
    try:
        _, entry = find(config, query)
        return _Stands(entry=entry) if isinstance(entry.source, Stored) else plan(config, query)
    except PullpassError as error:
        return error


def _candidate(entry: CredentialEntry, repository: str) -> Candidate:
    literal, _ = specificity(entry)
    return Candidate(
        entry=entry.key,
        identity=str(entry.source),
        repository=entry.repository,
        matches=matches(entry.repository, repository),
        specificity=literal,
    )


def _by_repository(chosen: _Chosen | PullpassError, found: Registry, repository: str) -> Choice:
    if isinstance(chosen, PullpassError):
        return _refused(chosen)
    many = sum(matches(entry.repository, repository) for entry in found.credentials)
    why = f"the most specific of {many} that match" if many > 1 else "the only one that matches"
    return Choice(entry=chosen.entry.key, why=why)


def _by_host(chosen: _Chosen | PullpassError) -> Choice:
    if isinstance(chosen, PullpassError):
        return _refused(chosen)
    why = "it is marked host_default" if chosen.entry.host_default else "it is for the whole host"
    return Choice(entry=chosen.entry.key, why=why)


def _refused(error: PullpassError) -> Choice:
    return Choice(why=str(error), exit_status=error.exit_status)


def _agent(config: Config, found: Registry, asked: str, chosen: _Chosen | None) -> AgentView:
    allow = tuple(map(_caller, config.agent.allow)) or ("root", "the agent's own user")
    return AgentView(
        answers=asked in config.registries and not (chosen and of_caller(chosen.entry, _SERVICE)),
        allow=allow,
        callers=tuple(map(_caller, found.callers)) or allow,
        reuse=chosen.entry.reuse if chosen else 0,
    )


def _caller(caller: Caller) -> str:
    if caller.uid is not None:
        return f"uid {caller.uid}"
    return f"user {caller.user}" if caller.user else f"group {caller.group}"
