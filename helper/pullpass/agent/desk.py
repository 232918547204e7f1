"""What the agent answers to each verb.

It answers for registries that its own configuration names, letter by letter, and leaves all others
to whoever asks: their own settings may know them, and which identity is used must not depend on
whether an agent is alive. So ``list`` is theirs as well.
"""

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pullpass import __version__
from pullpass.agent.counters import Counters
from pullpass.agent.journal import Journal
from pullpass.agent.peer import Peer
from pullpass.agent.policy import Policy
from pullpass.agent.protocol import MAX_REPLY, Reply, Request, Status
from pullpass.agent.question import Question, read_question
from pullpass.agent.resolver import Resolver
from pullpass.agent.reuse import Grant
from pullpass.config.digest import digest
from pullpass.config.model import Config
from pullpass.errors import MalformedInput, PullpassError, UsageError
from pullpass.resolve.docker import NO_SERVER_URL, query_of, read_server_url, refusal, render

PROGRAM = "docker-credential-pullpass"  # whose ``version`` this is
_DECLINED = Reply(status=Status.SELF)


class Desk:
    """Answers by one configuration.

    Attributes:
        config: what it answers for.
    """

    def __init__(
        self,
        *,
        config: Config,
        policy: Policy,
        resolver: Resolver,
        counters: Counters,
        journal: Journal,
        status: Callable[[], Mapping[str, Any]],
    ) -> None:
        self.config = config
        self._policy = policy
        self._resolver = resolver
        self._counters = counters
        self._journal = journal
        self._status = status

    async def answer(self, request: Request, peer: Peer) -> Reply:
        """Returns the reply to request; a failure is a reply too."""
        began = time.perf_counter()
        reply = await self._caught(request, peer)
        self._counters.note(_known(request.verb), reply.status, time.perf_counter() - began)
        return reply

    async def _caught(self, request: Request, peer: Peer) -> Reply:
        try:
            return _bounded(await self._verb(request.verb)(request.body, peer))
        except PullpassError as error:
            return _failure(request.verb, error)
        except Exception as error:  # noqa: BLE001 - a defect must not look like an agent that died
            kind = type(error).__name__
            self._journal.tell("defect", verb=request.verb, uid=peer.uid, kind=kind)
            defect = PullpassError(f"a defect in pullpass's agent ({kind}): please report it")
            return _failure(request.verb, defect)

    def _verb(self, name: str) -> Callable[[bytes, Peer], Awaitable[Reply]]:
        verbs = {
            "get": self._get,
            "list": self._list,
            "version": self._version,
            "resolve": self._resolve,
            "status": self._tell_status,
        }
        if name not in verbs:
            raise UsageError(f"the agent does not know {name}: it takes {', '.join(verbs)}")
        return verbs[name]

    async def _get(self, body: bytes, peer: Peer) -> Reply:
        server_url = read_server_url(body)
        if not server_url:
            return _line(Status.ERROR, NO_SERVER_URL)
        query = query_of(server_url)
        question = Question(query=query)
        if not self._knows(query.registry) or self._resolver.declines(question, peer):
            return _DECLINED
        grant = await self._grant("get", question, peer)
        return _line(Status.OK, render(server_url, grant.credential))

    async def _list(self, _: bytes, __: Peer) -> Reply:
        return _DECLINED

    async def _version(self, _: bytes, __: Peer) -> Reply:
        return _line(Status.OK, f"{PROGRAM} (pullpass) v{__version__}")

    async def _resolve(self, body: bytes, peer: Peer) -> Reply:
        question = read_question(body)
        # The shim asks for pods, which have no settings of their own: nobody else could know.
        if not self._knows(question.query.registry) and peer.uid != self._policy.shim:
            return _DECLINED
        if self._resolver.declines(question, peer):
            return _DECLINED
        grant = await self._grant("resolve", question, peer)
        credential = grant.credential
        return _object(
            Status.OK,
            {
                "username": credential.username,
                "secret": credential.secret.reveal(),
                "expires_at": credential.expires_at,
                "reused": grant.reused,
                "minted_at": grant.minted_at,
                "until": grant.until,
            },
        )

    async def _tell_status(self, _: bytes, peer: Peer) -> Reply:
        self._policy.check_caller(peer)
        sources = [str(path) for path in self.config.sources]
        known = self.config.registries.values()
        told = {
            **self._status(),
            "sources": sources,
            "registries": {one.address: digest(self.config, one) for one in known},
            "counters": self._counters.shown(),
        }
        return _object(Status.OK, told)

    def _knows(self, registry: str) -> bool:
        return registry in self.config.registries

    async def _grant(self, event: str, question: Question, peer: Peer) -> Grant:
        """Returns the credential and tells the journal how it came about."""
        began = time.perf_counter()
        asked = {
            "uid": peer.uid,
            "pid": peer.pid,
            "registry": question.query.registry,
            "repository": question.query.repository,
            **question.pod,
        }
        outcome: dict[str, Any] = {"error": "the caller left"}
        try:
            grant = await self._resolver.resolve(question, peer)
            outcome = {
                "entry": grant.entry,
                "jti": grant.token_id,
                "token_sha256": grant.fingerprint,
                "reused": grant.reused,
            }
        except PullpassError as error:
            outcome = {"error": str(error), "kind": type(error).__name__}
            raise
        else:
            return grant
        finally:
            took = round(1000 * (time.perf_counter() - began), 2)
            self._journal.tell(event, **asked, **outcome, ms=took)


def _known(verb: str) -> str:
    """Returns verb for the counters, which must not grow by what somebody makes up."""
    return verb if verb in {"get", "list", "version", "resolve", "status"} else "unknown"


def _failure(verb: str, error: PullpassError) -> Reply:
    if verb not in {"resolve", "status"}:
        return _line(Status.ERROR, refusal(error))
    kind = "PullpassError" if type(error).__module__ != PullpassError.__module__ else None
    return _object(
        Status.ERROR,
        {
            "error": str(error),
            "kind": kind or type(error).__name__,
            "exit_status": error.exit_status,
        },
    )


def _line(status: Status, text: str) -> Reply:
    return Reply(status=status, body=f"{text}\n".encode(errors="replace"))


def _object(status: Status, content: Mapping[str, Any]) -> Reply:
    return Reply(status=status, body=json.dumps(content).encode())


def _bounded(reply: Reply) -> Reply:
    if len(reply.body) > MAX_REPLY:
        raise MalformedInput(f"the credential is longer than {MAX_REPLY} bytes")
    return reply
