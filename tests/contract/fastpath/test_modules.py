"""What Python loads for an answer of the agent, beyond what it loads for nothing at all."""

import subprocess
import sys
from pathlib import Path

import pytest

from fakes.fastpath import TIMEOUT, Client, told
from fakes.scripted_agent import agent, error, ok

PROFILE = b"import time:"
# The first argument is what another system lacks: a module, or a name in one.
ELSEWHERE = """
import sys
module, _, name = sys.argv.pop(1).partition(".")
if name:
    delattr(__import__(module), name)
else:
    sys.modules[module] = None
from pullpass.credhelper.fast import main
main()
"""


@pytest.mark.parametrize("reply", [ok(b"{}\n"), error(b"no\n")], ids=["ok", "error"])
@pytest.mark.parametrize("action", ["get", "list"])
@pytest.mark.parametrize(
    ("name", "python", "modules"),
    [
        ("script", [str(Path(sys.executable).resolve()), "-I", "-S"], {"_socket"}),
        (
            "pip",
            [sys.executable],
            {"_socket", "pullpass", "pullpass.credhelper", "pullpass.credhelper.fast"},
        ),
    ],
    ids=["script", "pip"],
)
def test_an_answer_loads_one_module_of_c_and_the_client(  # noqa: PLR0917 - one row and two choices
    built: dict[str, Client],
    place: Path,
    name: str,
    python: list[str],
    modules: set[str],
    action: str,
    reply: bytes,
) -> None:
    with agent(place, lambda _: reply):
        loaded = imports([*python, "-X", "importtime", str(built[name].path), action], place)
    assert loaded - imports([*python, "-X", "importtime", "-c", "pass"], place) == modules


@pytest.mark.parametrize("missing", ["posix", "_socket", "_socket.AF_UNIX", "_socket.SO_PEERCRED"])
def test_another_system_asks_no_agent(env: dict[str, str], place: Path, missing: str) -> None:
    with agent(place, lambda _: ok(b"{}\n")) as running:
        done = subprocess.run(
            [sys.executable, "-c", ELSEWHERE, missing, "list"],
            env=env | {"PULLPASS_AGENT": str(place)},
            capture_output=True,
            check=False,
            timeout=TIMEOUT,
        )
    assert (done.stdout, done.stderr) == (b'{"reg.example": "pullpass"}\n', b"")
    assert not running.asked


def imports(argv: list[str], place: Path) -> set[str]:
    """Returns every module that argv imports while the agent listens at place."""
    said = told(argv, stdin=b"reg.example", env={"PULLPASS_AGENT": str(place)})
    lines = [line for line in said.stderr.splitlines() if line.startswith(PROFILE)]
    assert lines
    return {line.rpartition(b"|")[2].strip().decode() for line in lines[1:]}
