"""What the helper answers to each action. The exact texts are the protocol's."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pullpass.config.load import load
from pullpass.credhelper.cli import MAX_STDIN
from pullpass.errors import ConfigError, CredentialNotFound, MalformedInput, PullpassError
from pullpass.resolve.choose import find
from pullpass.resolve.docker import (
    NO_SERVER_URL,
    query_of,
    read_server_url,
    refusal,
    render,
)
from pullpass.secret import Secret

DEADLINE: Final = 20.0  # seconds; some clients wait 30, and Python has to start and end too
NO_USERNAME: Final = "no credentials username"


class Answer(NamedTuple):
    """What goes to stdout, what to stderr, and the exit status: 0 or 1, never another.

    Attributes:
        late: given up at the deadline, while a thread still waits.
    """

    line: str
    hint: str = ""
    status: int = 0
    late: bool = False


@dataclass(slots=True, kw_only=True)
class _Request:
    """What a client asks, and what the answer waits for: the deadline's message tells it."""

    read: Callable[[], bytes]
    environ: Mapping[str, str]
    waits_for: str = "no answer"

    def stdin(self) -> bytes:
        """Returns what stdin holds. Raises: MalformedInput if that is too long."""
        self.waits_for = "stdin is still open"
        held = self.read()
        if len(held) > MAX_STDIN:
            raise MalformedInput(f"stdin is longer than {MAX_STDIN} bytes: no request is so long")
        return held


def answer(
    action: str,
    read: Callable[[], bytes],
    environ: Mapping[str, str],
    deadline: float = DEADLINE,
) -> Answer:
    """Returns the answer to action within deadline seconds, whatever happens; read gives stdin."""
    request = _Request(read=read, environ=environ)
    answers: list[Answer] = []
    # A thread, since nothing else ends a blocking read or a name lookup on every system.
    worker = threading.Thread(target=lambda: answers.append(_caught(action, request)), daemon=True)
    worker.start()
    worker.join(deadline)
    if answers:
        return answers[0]
    message = f"{request.waits_for} after {deadline:.0f}s: try again"
    return _failure(action, message)._replace(late=True)


def _caught(action: str, request: _Request) -> Answer:
    actions = {"get": _get, "store": _store, "erase": _erase, "list": _list}
    try:
        return actions[action](request)
    except CredentialNotFound as error:
        return Answer(refusal(error), status=1)
    except PullpassError as error:
        return _failure(action, str(error))
    except Exception as error:  # noqa: BLE001 - clients need their one line even from a defect
        defect = f"a defect in pullpass ({type(error).__name__}): please report it"
        return _failure(action, defect)


def _failure(action: str, message: str) -> Answer:
    if action == "list":
        return Answer("{}", message)  # Docker drops every credential it has where a list fails
    return Answer(message.replace("`", "'"), message, 1)  # Docker puts the line between backticks


def _get(request: _Request) -> Answer:
    server_url = read_server_url(request.stdin())
    if not server_url:
        return _failure("get", NO_SERVER_URL)
    query = query_of(server_url)
    request.waits_for = f"registry {query.registry}: its exchange has not answered"
    config = load(request.environ)
    find(config, query)  # foreign registries end here, before HTTP and keys are imported
    from pullpass.resolve.here import resolve_here

    return Answer(render(server_url, resolve_here(config, query, request.environ).credential))


def _store(request: _Request) -> Answer:
    """Stores where the registry is marked for it, else accepts and forgets."""
    entry = _entry(request.stdin())
    server_url, username = entry.get("ServerURL"), entry.get("Username")
    if not isinstance(server_url, str) or not server_url:
        return _failure("store", NO_SERVER_URL)
    if not isinstance(username, str) or not username:
        return _failure("store", NO_USERNAME)
    secret = entry.get("Secret")
    try:
        config = load(request.environ)
    except ConfigError as error:  # nobody can say that the registry is marked
        return Answer("", str(error))
    from pullpass.credhelper.keep import save

    request.waits_for = "the store has not answered"
    kept = Secret(secret if isinstance(secret, str) else "")
    save(config, server_url, username, kept, request.environ)
    return Answer("")


def _entry(stdin: bytes) -> Mapping[str, Any]:
    malformed = MalformedInput("store takes a JSON object with ServerURL, Username and Secret")
    try:
        entry = json.loads(stdin)
    except (ValueError, RecursionError):
        raise malformed from None  # the error's own text would hold the secret
    if not isinstance(entry, dict):
        raise malformed
    return entry


def _erase(request: _Request) -> Answer:
    """Erases where the registry is marked for it; a failure would crash older podman and skopeo."""
    server_url = read_server_url(request.stdin())
    if not server_url:
        return _failure("erase", NO_SERVER_URL)
    from pullpass.credhelper.keep import erase

    try:
        erase(load(request.environ), server_url, request.environ)
    except PullpassError as error:
        return Answer("", str(error))
    return Answer("")


def _list(request: _Request) -> Answer:
    """Lists the hosts that ``get`` answers. stdin is not read: some clients leave it open."""
    from pullpass.credhelper.keep import hosts

    return Answer(json.dumps(dict(hosts(load(request.environ), request.environ))))
