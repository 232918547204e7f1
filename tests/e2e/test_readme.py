"""Every command of the pages is run, in its order, as somebody who pastes it would."""

import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

from fakes.programs import client_home, environment, free_port, tiny_image
from fakes.resting import TOKEN

ROOT = Path(__file__).parents[2]
WALK_THROUGH = ROOT / "helper" / "pullpass" / "issuer" / "WALKTHROUGH.md"
BLOCK = re.compile(
    r"^```(?P<kind>\w+)(?: (?P<file>[\w.-]+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
INSTALLATION = ("pip install", ".ci/run")
STEPS_WITHIN = 180  # seconds


def test_the_readme_works_as_it_is_written(tmp_path: Path) -> None:
    printed = followed(ROOT / "README.md", tmp_path)

    assert (tmp_path / "pulled" / "index.json").exists()
    assert "answers for team/app" in printed


def test_the_walk_through_from_a_key_to_a_pull_and_its_failures_works_as_it_is_written(
    tmp_path: Path,
) -> None:
    followed(WALK_THROUGH, tmp_path)

    for pulled in ("pulled", "pulled-again"):
        assert (tmp_path / pulled / "index.json").exists()


def followed(page: Path, directory: Path) -> str:
    """Returns what is printed by who follows page in directory, once all that it shows is seen."""
    text = page.read_text().replace("/tmp/try", str(directory))
    for port in ("5000", "8441", "8442"):
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free_port()}")
    blocks = list(BLOCK.finditer(text))
    tiny_image(directory / "image")
    begun = {block["file"]: block["text"] for block in reversed(blocks) if block["kind"] == "toml"}
    for name, settings in begun.items():
        if name and "state_dir" not in settings:
            (directory / name).write_text(f'state_dir = "{directory}/state"\n')

    status, printed = run(directory, "".join(map(typed, blocks)))

    assert status == 0, printed
    assert not re.search(TOKEN, printed)
    for block in blocks:
        if block["kind"] == "text":
            for line in block["text"].splitlines():
                assert line in printed
    return printed


def typed(block: re.Match[str]) -> str:
    """Returns what is typed for a block: a file is written, or carried on; commands are run."""
    if block["file"]:
        return f"printf %s {shlex.quote(block['text'])} >> {block['file']}\n"
    if block["kind"] == "sh" and not any(word in block["text"] for word in INSTALLATION):
        return block["text"]
    return ""


def run(directory: Path, script: str) -> tuple[int, str]:
    """Runs a shell script and everything that it leaves in the background to their end."""
    home = client_home(directory / "home", insecure=False)
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
