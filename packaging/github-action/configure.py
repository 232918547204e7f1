"""Installs pullpass on a runner of GitHub Actions and lets Docker ask it for one registry.

Used again for another registry, it adds that one. ``--undo`` takes everything back. The standard
library alone, since nothing is installed yet. What the workflow gives is in INPUT_…: it becomes
text of TOML, or a whole word for a program.
"""

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).resolve().parents[2]
LEAST_PYTHON: Final = (3, 11)
HELPER: Final = "docker-credential-pullpass"
CONFIG: Final = "config.toml"
KNOWN: Final = "registries.json"


def main(arguments: Sequence[str]) -> None:
    """Does what the step asks for."""
    place = Path(os.environ["RUNNER_TEMP"]) / "pullpass"
    if arguments == ["--undo"]:
        undo(place)
        return
    registry = os.environ["INPUT_REGISTRY"].strip()
    known = known_of(place) | {registry: entry(registry, os.environ)}
    draft = write(place / "draft.toml", "\n".join(known.values()))
    programs = installed(place)
    run(programs, draft, "docker", "configure", "--", registry)
    write(place / KNOWN, json.dumps(known))
    config = draft.replace(place / CONFIG)
    tell("GITHUB_ENV", f"PULLPASS_CONFIG={config}")
    tell("GITHUB_PATH", str(programs))
    tell("GITHUB_OUTPUT", f"config={config}")
    if os.environ.get("INPUT_CHECK", "true") == "true":
        run(programs, config, "check", "--", registry)


def entry(registry: str, inputs: Mapping[str, str]) -> str:
    """Returns the settings of registry as TOML."""
    table = f"registry.{text(registry)}"
    pairs = ", ".join(f"{text(name)} = {text(value)}" for name, value in parameters(inputs))
    lines = [f"[{table}]", f"provider = {text(inputs['INPUT_PROVIDER'].strip())}"]
    if exchange := inputs.get("INPUT_EXCHANGE", "").strip():
        lines.append(f"exchange = {text(exchange)}")
    credential = [f"[[{table}.credential]]", 'identity = "github-actions"']
    return "\n".join([*lines, f"parameters = {{ {pairs} }}", *credential, ""])


def parameters(inputs: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yields the lines NAME=VALUE of the input."""
    for line in filter(None, map(str.strip, inputs.get("INPUT_PARAMETERS", "").splitlines())):
        name, equals, value = line.partition("=")
        if not equals:
            sys.exit("parameters takes one NAME=VALUE a line")
        yield name.strip(), value.strip()


def text(value: str) -> str:
    """Returns value as a basic string of TOML, whose escapes are JSON's."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def known_of(place: Path) -> dict[str, str]:
    """Returns the settings of each registry for which the action was used before."""
    known = place / KNOWN
    found: dict[str, str] = json.loads(known.read_text(encoding="utf-8")) if known.exists() else {}
    return found


def write(path: Path, content: str) -> Path:
    """Writes a file, in a directory that is made if need be, and returns it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def installed(place: Path) -> Path:
    """Returns where the programs are: on PATH already, or installed from the action's source."""
    if found := shutil.which(HELPER):
        return Path(found).parent
    if sys.version_info < LEAST_PYTHON:
        needed = ".".join(map(str, LEAST_PYTHON))
        sys.exit(f"pullpass needs Python {needed}: use actions/setup-python before this step")
    directory = place / "venv"
    venv.create(directory, with_pip=True)
    programs = directory / "bin"
    pip = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--no-input"]
    subprocess.run([*pip, str(SOURCE)], check=True)
    return programs


def run(programs: Path, config: Path, *arguments: str) -> None:
    """Runs pullpass with the settings, and ends with its status if that is not 0."""
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PULLPASS_CONFIG": str(config)}
    done = subprocess.run([programs / "pullpass", *arguments], env=environment, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def tell(variable: str, line: str) -> None:
    """Adds line to the file by which the runner is told."""
    with Path(os.environ[variable]).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def undo(place: Path) -> None:
    """Takes back what was changed; nothing is there where nothing was."""
    config = place / CONFIG
    if config.exists():
        run(installed(place), config, "docker", "unconfigure")
    shutil.rmtree(place, ignore_errors=True)
    tell("GITHUB_ENV", "PULLPASS_CONFIG=")


if __name__ == "__main__":
    main(sys.argv[1:])
