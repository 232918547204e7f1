"""Asks the agent.

Whoever listens must be root or this process's own user, else nothing is sent: the place of a
socket is no proof of who made it.
"""

import asyncio
import json
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pullpass import errors
from pullpass.agent.granted import Granted, granted_of
from pullpass.agent.peer import Connection, is_trusted_server, need_linux
from pullpass.agent.protocol import Reply, Request, Status, parse_reply, render_request
from pullpass.errors import AgentError, AgentUnavailable, MalformedInput, PullpassError

TIMEOUT: Final = 25.0  # seconds for a whole question; the exchange has twenty of them
HOST_SOCKET: Final = Path("/run/pullpass/agent.sock")
VARIABLE: Final = "PULLPASS_AGENT"
_CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class AgentClient:
    """Asks the agent that listens at path.

    Attributes:
        timeout: seconds for a whole question.
    """

    path: Path
    timeout: float = TIMEOUT

    def ask(self, verb: str, body: bytes = b"") -> Reply:
        """Returns the agent's reply, whatever its status.

        Raises:
            AgentUnavailable: if no agent that can be trusted listens.
            AgentError: if it took the question and broke off, or spoke something else.
        """
        need_linux()
        raw = render_request(Request(verb=verb, body=body))
        until = time.monotonic() + self.timeout
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            try:
                connection.settimeout(self.timeout)
                connection.connect(str(self.path))
                self._check(connection)
            except OSError as error:
                raise self._unavailable(error) from error
            try:
                return _whole(_exchange(connection, raw, until))
            except (OSError, MalformedInput) as error:
                raise self._failed(error) from error

    async def resolve(
        self,
        registry: str,
        repository: str | None = None,
        *,
        facts: Mapping[str, str] | None = None,
        fresh: bool = False,
    ) -> Granted:
        """Returns the credential for repository at registry.

        Args:
            registry: ``host[:port]``.
            repository: None where only the host is known.
            facts: what is proven of a pod; the agent takes them from its shim alone.
            fresh: whether a credential that somebody was given before will not do.

        Raises:
            AgentUnavailable: if no agent that can be trusted listens, or it leaves the work to us.
            AgentError: if it took the question and broke off, or spoke something else.
            PullpassError: the failure that the agent met, as if met here.
        """
        wanted = question_of(registry, repository, facts, fresh=fresh)
        reply = await self.ask_async("resolve", wanted)
        return self.read_granted(reply)

    async def ask_async(self, verb: str, body: bytes = b"") -> Reply:
        """As ``ask``, for an event loop."""
        need_linux()
        raw = render_request(Request(verb=verb, body=body))
        try:
            async with asyncio.timeout(self.timeout):
                return await self._ask_async(raw)
        except (OSError, MalformedInput) as error:  # a TimeoutError is an OSError
            raise self._failed(error) from error

    async def _ask_async(self, raw: bytes) -> Reply:
        try:
            reader, writer = await asyncio.open_unix_connection(self.path)
        except OSError as error:
            raise self._unavailable(error) from error
        try:
            self._check(writer.get_extra_info("socket"))
            writer.write(raw)
            came = bytearray()
            while chunk := await reader.read(_CHUNK):
                came += chunk
                parse_reply(came)
            return _whole(came)
        finally:
            writer.transport.abort()

    def generation(self) -> tuple[int, ...] | None:
        """Returns what is another one once the agent is another, or has other settings.

        Nobody is asked: a new agent makes a new socket, and a reload sets the mode of this one.
        None where there is no socket.
        """
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino, found.st_ctime_ns

    def read_granted(self, reply: Reply) -> Granted:
        """Returns what the agent's reply to ``resolve`` gives. Raises: as ``resolve``."""
        if reply.status is Status.SELF:
            raise AgentUnavailable(f"the agent at {self.path} leaves this to its caller")
        try:
            if reply.status is Status.ERROR:
                raise failure_of(_object(reply.body))
            return granted_of(_object(reply.body))
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise self._failed(MalformedInput("its reply is not as agreed")) from error

    def read_status(self, reply: Reply) -> dict[str, Any]:
        """Returns what the agent's reply to ``status`` holds. Raises: as ``first_status``."""
        try:
            if reply.status is Status.ERROR:
                raise failure_of(_object(reply.body))
            return _object(reply.body)
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise self._failed(MalformedInput("its reply is not as agreed")) from error

    def _check(self, connection: Connection) -> None:
        if not is_trusted_server(connection):
            raise AgentUnavailable(f"{self.path} belongs to another user: it is not asked")

    def _unavailable(self, error: OSError) -> AgentUnavailable:
        return AgentUnavailable(f"no agent at {self.path}: {error.strerror or error}")

    def _failed(self, error: Exception) -> AgentError:
        reason = "no answer in time" if isinstance(error, TimeoutError) else str(error)
        return AgentError(f"the agent at {self.path} failed: {reason}: look at its log")


def question_of(
    registry: str,
    repository: str | None,
    facts: Mapping[str, str] | None = None,
    *,
    fresh: bool = False,
) -> bytes:
    """Returns the body of ``resolve`` for what ``AgentClient.resolve`` is asked."""
    wanted = {
        "registry": registry,
        "repository": repository,
        "facts": dict(facts or {}),
        "fresh": fresh,
    }
    return json.dumps(wanted).encode()


def places(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Returns where an agent may listen, in the order in which to try; none where it must not.

    ``PULLPASS_CONFIG`` names settings that no agent has, so then none is asked.
    """
    if environ.get("PULLPASS_CONFIG"):
        return ()
    if named := environ.get(VARIABLE):
        return (Path(named),)
    runtime = environ.get("XDG_RUNTIME_DIR")
    own = (Path(runtime) / "pullpass" / "agent.sock",) if runtime else ()
    return (*own, HOST_SOCKET)


def first_granted(paths: Iterable[Path], body: bytes) -> tuple[Path, Granted] | None:
    """Returns where the first agent of paths listens, and the credential that it gives for body.

    None where no agent can be trusted or answers, or where it leaves the work to whoever asks:
    then they do it themselves, as the credential helper does.

    Raises:
        PullpassError: the failure that the agent met, as if met here.
    """
    for path in paths:
        client = AgentClient(path)
        try:
            reply = client.ask("resolve", body)
        except AgentUnavailable:
            continue
        except AgentError:
            return None
        return None if reply.status is Status.SELF else (path, client.read_granted(reply))
    return None


def first_status(paths: Iterable[Path]) -> tuple[Path, dict[str, Any]]:
    """Returns where the first agent of paths listens, and what it says of itself.

    Raises:
        AgentUnavailable: if no agent that can be trusted listens at any of them.
        AgentError: if one took the question and broke off.
        PullpassError: what it answers to whoever may not ask.
    """
    unavailable = AgentUnavailable("there is no place where an agent could listen")
    for path in paths:
        client = AgentClient(path)
        try:
            reply = client.ask("status")
        except AgentUnavailable as error:
            unavailable = error
            continue
        return path, client.read_status(reply)
    raise unavailable


def _exchange(connection: socket.socket, raw: bytes, until: float) -> bytearray:
    """Sends raw and returns all that comes until the other end closes."""
    connection.settimeout(_left(until))
    connection.sendall(raw)
    came = bytearray()
    while True:
        connection.settimeout(_left(until))
        chunk = connection.recv(_CHUNK)
        if not chunk:
            return came
        came += chunk
        parse_reply(came)  # refuses what is too long before more of it is read


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _whole(came: bytearray) -> Reply:
    reply = parse_reply(came)
    if reply is None:
        raise MalformedInput("its reply was cut short")
    return reply


def _object(body: bytes) -> dict[str, Any]:
    found = json.loads(body)
    if not isinstance(found, dict):
        raise TypeError("not an object")
    return found


def failure_of(found: Mapping[str, Any]) -> PullpassError:
    """Returns the error that the agent tells of, of its own class where that is known here."""
    kind = getattr(errors, str(found["kind"]), None)
    if not (isinstance(kind, type) and issubclass(kind, PullpassError)):
        kind = AgentError
    return kind(str(found["error"]))
