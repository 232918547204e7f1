import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes.answers import Answers
from fakes.settings import refusal_of
from pullpass.errors import ConfigError, IdentityError
from pullpass.http import Request, Response
from pullpass.identity.edge import LocalEdge, LoopEdge
from pullpass.identity.effects import Effect, ReadFile, RunCommand

Send = Callable[[Effect], Any]


def locally(effect: Effect) -> Any:
    return LocalEdge(Answers(answers=[Response(status=204)])).send(effect)


class Transport:
    async def send(self, request: Request) -> Response:
        return Answers(answers=[Response(status=204)]).send(request)


EDGE = LoopEdge(Transport())


def in_a_loop(effect: Effect) -> Any:
    return asyncio.run(EDGE.send(effect))


@pytest.fixture(params=[locally, in_a_loop])
def send(request: pytest.FixtureRequest) -> Send:
    chosen: Send = request.param
    return chosen


def python(program: str, **changes: Any) -> RunCommand:
    return RunCommand(argv=(sys.executable, "-c", program), **changes)


def shell(program: str, **changes: Any) -> RunCommand:
    """Returns a program that is on its feet at once, also on a busy machine."""
    path = {"PATH": "/usr/bin:/bin"}
    return RunCommand(argv=("/bin/sh", "-c", program), environ=path, **changes)


def test_a_request_goes_to_the_transport(send: Send) -> None:
    assert send(Request(method="GET", url="https://a.example")) == Response(status=204)


def test_a_file_is_read_anew_each_time(send: Send, tmp_path: Path) -> None:
    file = tmp_path / "token"
    for text in (b"one", b"two", b""):
        file.write_bytes(text)
        assert send(ReadFile(path=str(file))) == text


def test_no_file_is_no_error(send: Send, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert send(ReadFile(path=str(tmp_path / "no"))) is None
    assert send(ReadFile(path=str(tmp_path / "file" / "below"))) is None


def test_a_file_is_read_as_far_as_its_limit(send: Send, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(b"x" * 8)
    assert send(ReadFile(path=str(file), limit=8)) == b"x" * 8
    with pytest.raises(IdentityError, match="longer than 7 bytes"):
        send(ReadFile(path=str(file), limit=7))
    with pytest.raises(IdentityError, match="/dev/zero is longer"):
        send(ReadFile(path="/dev/zero"))


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(send: Send, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert send(ReadFile(path=str(tmp_path / "pipe"))) == b""


def test_what_is_no_file_says_so(send: Send, tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="Is a directory") as error:
        send(ReadFile(path=str(tmp_path)))
    assert str(tmp_path) in refusal_of(error.value)


def test_a_command_says_what_it_writes_to_stdout(send: Send) -> None:
    program = "import sys; print('token'); print('noise', file=sys.stderr)"
    assert send(python(program)) == b"token\n"


def test_a_command_has_the_environment_that_it_is_given_and_no_stdin(send: Send) -> None:
    program = "import os, sys; print(sorted(os.environ), sys.stdin.read())"
    found = send(python(program, environ={"ONLY": "this", "LC_CTYPE": "C.UTF-8"}))
    assert found == b"['LC_CTYPE', 'ONLY'] \n"


def test_a_command_is_found_on_the_path_that_it_is_given(send: Send, tmp_path: Path) -> None:
    program = tmp_path / "give-token"
    program.write_text('#!/bin/sh\necho "$1"\n')
    program.chmod(0o755)
    command = RunCommand(argv=("give-token", "$HOME;`id`"), environ={"PATH": str(tmp_path)})
    assert send(command) == b"$HOME;`id`\n"
    with pytest.raises(IdentityError, match="give-token is not on the PATH"):
        send(RunCommand(argv=("give-token",), environ={"PATH": "/nowhere"}))


def test_a_command_that_may_not_be_run_says_so(send: Send, tmp_path: Path) -> None:
    program = tmp_path / "no-program"
    program.write_bytes(b"\x00")
    program.chmod(0o755)
    with pytest.raises(IdentityError, match="cannot be started: check"):
        send(RunCommand(argv=(str(program),)))


def test_a_command_that_fails_gives_its_status_and_nothing_that_it_wrote(send: Send) -> None:
    with pytest.raises(IdentityError, match="status 3: run it by hand") as error:
        send(python("print('hunter2'); exit(3)"))
    assert "hunter2" not in refusal_of(error.value)


def test_a_command_that_writes_too_much_is_ended(send: Send) -> None:
    with pytest.raises(IdentityError, match="writes more than 10 bytes"):
        send(python("while True: print('x' * 1000)", limit=10))


def test_a_command_that_does_not_end_is_ended_with_all_that_it_started(
    send: Send, tmp_path: Path
) -> None:
    note = tmp_path / "child"
    with pytest.raises(IdentityError, match="has not ended after"):
        send(shell(f"sleep 600 & echo $! >{note}; wait", timeout=4.0))
    assert is_over(int(note.read_text()))


def test_a_child_that_keeps_the_output_open_ends_the_wait_at_the_deadline(
    send: Send, tmp_path: Path
) -> None:
    note = tmp_path / "child"
    with pytest.raises(IdentityError, match="has not ended after"):
        send(shell(f"setsid sleep 600 & echo $! >{note}", timeout=4.0))
    os.kill(int(note.read_text()), signal.SIGKILL)


def test_a_command_that_closes_its_output_must_end_too(send: Send) -> None:
    with pytest.raises(IdentityError, match="closed its output and does not end"):
        send(shell("exec >&-; sleep 600", timeout=4.0))


def test_a_loop_turns_while_a_program_runs(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    async def talk() -> Any:
        running = asyncio.create_task(EDGE.send(shell(f"cat {pipe}", timeout=30.0)))
        await asyncio.to_thread(pipe.write_bytes, b"word")  # waits for the program
        return await running

    assert asyncio.run(talk()) == b"word"


def is_over(pid: int) -> bool:
    """Tells whether pid ends soon; nobody may be there to collect it."""
    for _ in range(500):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True
        if stat.rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.01)
    return False


def test_without_the_plugin_spiffe_says_what_to_install() -> None:
    from pullpass.identity.edge import plugged

    with pytest.raises(ConfigError, match=r"pullpass\[plugin\]"):
        plugged("nobody-plugs-this-in")
