"""The program ``docker-credential-pullpass`` as Docker starts it: it asks the agent first.

Docker waits for this at every pull, so ``_socket`` is all that it loads beyond what Python itself
has loaded, and the agent's bytes are printed as they are. Whatever the agent does not answer in
full is left to the full program, ``cli``, with stdin as it was.

Packages install this very file behind ``#!/usr/bin/python3 -IS``. Nothing of pullpass can be
imported there, so the full program is one to start. packaging/launcher has the same client in C;
tests/contract/fastpath holds all of them to the same answers.
"""

import sys

try:
    import _signal  # type: ignore[import-not-found]  # in every Python, in no stub
    import posix
    from _socket import AF_UNIX, SO_PEERCRED, SOCK_STREAM, SOL_SOCKET, socket
except ImportError:  # Linux alone tells who listens
    LINUX = False
else:
    LINUX = True

NAME = b"docker-credential-pullpass"
FULL_PROGRAM = ["/usr/bin/python3", "-I", "-m", "pullpass.credhelper"]  # packages write theirs
PATIENCE = 25  # seconds for stdin and agent together; the agent gives its exchange twenty
MAX_STDIN = 64 * 1024  # bytes, as in cli
MAX_BODY = 1024 * 1024  # bytes
MAX_REPLY = 64 + MAX_BODY
NOT_FOUND = b"credentials not found in native keychain\n"
NOT_STARTED = b"the full program cannot be started: install pullpass again\n"
STILL_OPEN = b"stdin is still open after 25s: try again\n"


def main() -> None:
    """Runs the program as pip installs it: the rest of it is at hand. Never returns."""
    held = ask_agent()
    from pullpass.credhelper import cli

    cli.main(held)


def start_full_program(held: bytes | None) -> None:
    """Becomes FULL_PROGRAM, whose stdin begins with what is held of ours. Never returns."""
    try:
        if held is not None:
            kept = posix.memfd_create("stdin")
            posix.write(kept, held)
            posix.lseek(kept, 0, 0)
            posix.dup2(kept, 0)
        posix.execv(FULL_PROGRAM[0], FULL_PROGRAM + sys.argv[1:])
    except OSError:
        _end(NOT_STARTED, 1)


def ask_agent() -> bytes | None:
    """Prints what the agent answers and ends the process. Returns only if it answers nothing.

    Returns:
        What was read of stdin, up to one byte more than MAX_STDIN; None if nothing was.
    """
    asked = sys.argv[1:]
    if not LINUX or asked not in (["get"], ["list"]) or posix.environ.get(b"PULLPASS_CONFIG"):
        return None
    held = answer = None
    try:
        _signal.signal(_signal.SIGALRM, _give_up)
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, {_signal.SIGALRM})
        _signal.setitimer(_signal.ITIMER_REAL, PATIENCE)
        try:
            agent = _connected()
            if agent and asked == ["get"]:
                held = _read_stdin()
                answer = parse(_asked(agent, b"get", held)) if len(held) <= MAX_STDIN else None
            elif agent:
                answer = parse(_asked(agent, b"list", b""))
        finally:
            _signal.setitimer(_signal.ITIMER_REAL, 0)
    except OSError:  # a time-out, too
        answer = None
    if answer:
        _end(*answer)
    return held


def parse(reply: bytes) -> tuple[bytes, int] | None:
    """Returns the line and the exit status of a whole reply; None for ``self`` and all else."""
    head, _, body = reply.partition(b"\n")
    if len(body) > MAX_BODY or not body.endswith(b"\n"):
        return None
    if head == b"ok %d" % len(body):
        return body, 0
    if head == b"error %d" % len(body) and body.count(b"\n") == 1:
        return body, 1
    return None


def _places() -> list[bytes]:
    if named := posix.environ.get(b"PULLPASS_AGENT"):
        return [named]
    runtime = posix.environ.get(b"XDG_RUNTIME_DIR")
    own = [runtime + b"/pullpass/agent.sock"] if runtime else []
    return [*own, b"/run/pullpass/agent.sock"]


def _connected() -> "socket | None":
    """Returns a connection to the first agent that root or this user runs."""
    for place in _places():
        agent = socket(AF_UNIX, SOCK_STREAM)
        try:
            agent.connect(place)
        except TimeoutError:
            raise
        except OSError:
            continue
        peer = agent.getsockopt(SOL_SOCKET, SO_PEERCRED, 12)  # pid, uid, gid
        owner = int.from_bytes(peer[4:8], sys.byteorder)
        # Where stdin, stdout or stderr is closed, the connection would stand in its place.
        if owner in (0, posix.geteuid()) and agent.fileno() > 2:
            return agent
    return None


def _read_stdin() -> bytes:
    held = b""
    try:
        while len(held) <= MAX_STDIN and (chunk := posix.read(0, MAX_STDIN + 1 - len(held))):
            held += chunk
    except TimeoutError:
        _end(STILL_OPEN, 1)
    return held


def _asked(agent: "socket", verb: bytes, body: bytes) -> bytes:
    agent.sendall(b"%b %d\n%b" % (verb, len(body), body))
    reply = b""
    while len(reply) <= MAX_REPLY and (chunk := agent.recv(MAX_STDIN)):
        reply += chunk
    return reply


def _end(line: bytes, status: int) -> None:
    """Says line on the streams where clients look for it, and ends the process."""
    try:
        if status and line != NOT_FOUND:
            posix.write(2, NAME + b": " + line)
    except OSError:
        pass  # the line on stdout says the same
    try:
        while line:
            line = line[posix.write(1, line) :]
    except OSError:
        status = 1
    posix._exit(status)  # noqa: SLF001 - os._exit; an orderly exit takes as long as all of this


def _give_up(*_: object) -> None:
    raise TimeoutError


if __name__ == "__main__":
    start_full_program(ask_agent())
