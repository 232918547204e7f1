"""Every command of the README is run, in its order, as somebody who pastes it would."""

import os
import re
import signal
import subprocess
from pathlib import Path

from fakes.programs import client_home, environment, free_port, tiny_image
from fakes.resting import TOKEN

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(
    r"^```(?P<kind>\w+)(?: (?P<file>[\w.-]+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
INSTALLATION = ("pip install", ".ci/run")
STEPS_WITHIN = 120  # seconds


def test_the_walk_through_works_as_it_is_written(tmp_path: Path) -> None:
    text = README.read_text()
    for port in ("5000", "8441", "8442"):
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free_port()}")
    commands = []
    for block in BLOCK.finditer(text):
        if block["file"]:
            where = f'state_dir = "{tmp_path}/state"\n' if block["kind"] == "toml" else ""
            (tmp_path / block["file"]).write_text(where + block["text"])
        elif block["kind"] == "sh" and not any(word in block["text"] for word in INSTALLATION):
            commands.append(block["text"])
    tiny_image(tmp_path / "image")

    status, printed = run(tmp_path, "".join(commands))

    assert status == 0, printed
    assert (tmp_path / "pulled" / "index.json").exists()
    assert "answers for team/app" in printed
    assert not re.search(TOKEN, printed)


def run(directory: Path, script: str) -> tuple[int, str]:
    """Runs a shell script and everything that it leaves in the background to their end."""
    home = client_home(directory / "home")
    variables = {"HOME": str(home), "XDG_STATE_HOME": f"{home}/state"}
    output = directory / "printed"
    with output.open("wb") as log:
        shell = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=directory,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = shell.wait(STEPS_WITHIN)
        finally:
            end_group(shell.pid)
    return status, output.read_text(errors="replace")


def end_group(leader: int) -> None:
    """Ends what the shell started: all of it is in the shell's own process group."""
    os.killpg(leader, signal.SIGTERM)
