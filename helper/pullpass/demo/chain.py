"""The demo's steps, in their order. What one step learns, the next ones use."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from pullpass.credential import Credential
from pullpass.demo import clients
from pullpass.demo.programs import servers
from pullpass.demo.search import forms, prove
from pullpass.demo.settings import REPOSITORY, TAG, Files
from pullpass.demo.step import Display, Step
from pullpass.errors import PullpassError
from pullpass.http import Request, Response, Transport, run
from pullpass.identity.edge import LocalEdge
from pullpass.identity.facts import process_facts
from pullpass.identity.token import SubjectToken
from pullpass.registry.client import Grant, Session, authenticate
from pullpass.registry.image import tiny_image
from pullpass.registry.place import Place
from pullpass.registry.pusher import push
from pullpass.resolve.choose import Query
from pullpass.resolve.flow import Plan, identify, plan, trade
from pullpass.resolve.here import minter_of, resolve_here
from pullpass.scope import Scope
from pullpass.secret import Secret
from pullpass.transport import HttpTransport

_PULL: Final = Scope(type="repository", name=REPOSITORY, actions=frozenset({"pull"}))
_NO: Final = (401, 403)
_PUSH: Final = Scope(type="repository", name=REPOSITORY, actions=frozenset({"pull", "push"}))

Facts = Mapping[str, Any]
T = TypeVar("T")


class DemoFailed(PullpassError):
    """A step of the demo showed something else than it should."""


def demonstrate(directory: Path, display: Display, client: str | None) -> None:
    """Runs the whole chain below directory and shows each step on display.

    Args:
        directory: an empty one, for everything that the demo writes.
        display: where steps are shown.
        client: a name of ``clients.NAMES``, or None for the first that works.

    Raises:
        PullpassError: if a step fails.
    """
    name, act = clients.choose(client)
    title = "The issuer, the token server and a registry start"
    display.begin(title)
    began = time.monotonic()
    with servers(directory) as (files, registry), HttpTransport() as transport:
        facts = {
            "registry_program": registry,
            "registry": files.addresses.registry,
            "issuer": files.addresses.issuer,
            "token_server": files.addresses.token_server,
            "directory": str(directory),
        }
        seconds = time.monotonic() - began
        display.end(Step(name="start", title=title, facts=facts, seconds=seconds))
        chain = Chain(files=files, transport=transport, client=name, act=act)
        for step, title, take in chain.steps():
            display.begin(title)
            began = time.monotonic()
            found = take()
            display.end(Step(name=step, title=title, facts=found, seconds=time.monotonic() - began))


@dataclass(slots=True, kw_only=True)
class Chain:
    """What the steps know of each other."""

    files: Files
    transport: Transport
    client: str
    act: clients.Pull
    secrets: list[Secret] = field(default_factory=list)
    digests: frozenset[str] = frozenset()
    plan: Plan | None = None
    minted: SubjectToken | None = None
    credential: Credential | None = None
    refusal: Response | None = None

    def steps(self) -> list[tuple[str, str, Callable[[], Facts]]]:
        """Returns the steps after the start: a name, a sentence and what to do."""
        client = "The built-in puller" if self.client == "builtin" else self.client
        return [
            ("push", "A publisher pushes a tiny image, keyless too", self.push),
            ("mint", "A five-minute identity is minted for one pull", self.mint),
            ("exchange", "The identity is exchanged for a credential", self.trade),
            ("challenge", "The registry asks for a token", self.challenge),
            ("token", "The credential is shown and a scope granted", self.token),
            ("pull", f"{client} pulls through {clients.HELPER}", self.pull),
            ("refuse", "The same identity may not push", self.refuse),
            ("promise", "No issued secret lies in any file", self.promise),
        ]

    def push(self) -> Facts:
        """Pushes the image as the publisher, whose role allows it."""
        flow = push(
            self._place(), REPOSITORY, TAG, tiny_image(), self._resolve(self.files.publisher)
        )
        pushed = run(flow, self.transport)
        digests = [blob.digest for blob in (pushed.manifest, *pushed.blobs)]
        self.digests = frozenset(digests)
        self._note(pushed.grant)
        image = f"{self.files.addresses.registry}/{REPOSITORY}:{TAG}"
        return {"image": image, "granted": _scopes(pushed.grant), "digests": digests}

    def mint(self) -> Facts:
        """Mints an identity as the helper does, to show what is in it."""
        config = self.files.load(self.files.node)
        self.plan = plan(config, self._query())
        flow = identify(minter_of(config), self.plan, process_facts(), {})
        self.minted = run(flow, LocalEdge(self.transport))
        self.secrets.append(self.minted.token)
        said = self.minted.said
        lifetime = f"{said.claims['exp'] - said.claims['iat']} s"
        return {
            "kid": said.header_text("kid"),
            "claims": dict(said.claims),
            "lifetime": lifetime,
        }

    def trade(self) -> Facts:
        """Exchanges the identity."""
        chosen = _had(self.plan)
        self.credential = run(trade(chosen, _had(self.minted)), self.transport)
        self.secrets.extend(forms(self.credential))
        left = int((self.credential.expires_at or time.time()) - time.time())
        return {
            "provider": chosen.registry.provider,
            "exchange": chosen.registry.exchange,
            "username": self.credential.username,
            "secret": "hidden",
            "lifetime": f"{left} s",
        }

    def challenge(self) -> Facts:
        """Asks the registry without a token, as every client does first."""
        url = self._place().url(f"{REPOSITORY}/manifests/{TAG}")
        self.refusal = self.transport.send(Request(method="GET", url=url))
        said = self.refusal.headers.get("www-authenticate", "")
        return {"status": self.refusal.status, "www_authenticate": said}

    def token(self) -> Facts:
        """Shows the credential to the realm that the challenge names."""
        flow = authenticate(self._place(), _had(self.refusal), self.credential, (_PULL,))
        grant = run(flow, self.transport)
        self._note(grant)
        return {"asked": str(_PULL), "granted": _scopes(grant), "token": "hidden"}

    def pull(self) -> Facts:
        """Lets a client pull, with the helper as a process of its own."""
        before = len(self._audit())
        errand = clients.Errand(files=self.files, transport=self.transport, digests=self.digests)
        verified = self.act(errand)
        minted = self._audit()[before:]
        if not minted:
            raise DemoFailed("the pull went through, but no identity was minted for it")
        return {
            "client": self.client,
            "helper": clients.HELPER,
            "minted": [f"jti {line['jti']} for {line['aud']}" for line in minted],
            "digests": list(verified),
        }

    def refuse(self) -> Facts:
        """Begins a push with an identity that may only pull; anything but a refusal is an error."""
        credential = self._resolve(self.files.node)
        session = Session(place=self._place(), scope=_PUSH, credential=credential)
        upload = Request(method="POST", url=session.place.url(f"{REPOSITORY}/blobs/uploads/"))
        answer = run(session.ask(upload, "the push that is to be refused", _NO), self.transport)
        self._note(session.grant)
        return {"asked": str(_PUSH), "granted": _scopes(session.grant), "status": answer.status}

    def promise(self) -> Facts:
        """Searches all that was written for all that was issued."""
        searched = prove(self.files.directory, self.secrets)
        return {
            "canary": "planted, found, removed",
            "secrets": searched.secrets,
            "files": searched.files,
            "bytes": searched.size,
            "found": 0,
        }

    def _resolve(self, config: Path) -> Credential:
        resolved = resolve_here(self.files.load(config), self._query())
        if resolved.identity:
            self.secrets.append(resolved.identity.token)
        self.secrets.extend(forms(resolved.credential))
        return resolved.credential

    def _query(self) -> Query:
        return Query(registry=self.files.addresses.registry, repository=REPOSITORY, plaintext=True)

    def _place(self) -> Place:
        return Place(registry=self.files.addresses.registry, plaintext=True)

    def _note(self, grant: Grant | None) -> None:
        if grant is not None:
            self.secrets.append(Secret(grant.authorization.reveal().removeprefix("Bearer ")))

    def _audit(self) -> list[dict[str, Any]]:
        path = self.files.load(self.files.node).state_dir / "audit.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _scopes(grant: Grant | None) -> list[str]:
    return [str(scope) for scope in (grant.granted if grant else None) or ()]


def _had(value: T | None) -> T:
    if value is None:
        raise DemoFailed("a step was left out")
    return value
