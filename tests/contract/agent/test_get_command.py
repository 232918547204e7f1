"""``pullpass get`` resolves as the credential helper does: the agent first, then by itself."""

import json
from pathlib import Path

from fakes.agent import READY, Agent
from fakes.programs import Finished, environment, finished
from pullpass.claims import read_token

IMAGE = f"{READY}/team/app:v1"


def get(agent: Agent, home: Path, *arguments: str, **variables: str) -> Finished:
    env = environment(HOME=str(home), PULLPASS_AGENT=str(agent.path), **variables)
    return finished(["pullpass", "get", "--json", *arguments], env=env)


def test_what_the_agent_gives_is_shown(resident: Agent, tmp_path: Path) -> None:
    done = get(resident, tmp_path, "--show-secret", IMAGE)
    assert (done.returncode, done.stderr) == (0, "")
    printed = json.loads(done.stdout)
    assert printed["given_by"] == f"the agent at {resident.path}, a fresh one"
    assert printed["repository"] == "team/app"
    assert read_token(printed["secret"]).claims["aud"] == READY
    assert get(resident, tmp_path, IMAGE).stdout.count("eyJ") == 0


def test_what_the_agent_does_not_know_is_left_to_this_process(
    resident: Agent, tmp_path: Path
) -> None:
    done = get(resident, tmp_path, "other.example/app")
    assert (done.returncode, done.stdout) == (1, "")
    assert "registry other.example is not configured" in done.stderr


def test_settings_that_are_named_are_this_process_s(resident: Agent, tmp_path: Path) -> None:
    done = get(resident, tmp_path, IMAGE, PULLPASS_CONFIG=str(resident.node.config))
    assert json.loads(done.stdout)["given_by"] == "this process"


def test_without_an_agent_this_process_does_it(resident: Agent, tmp_path: Path) -> None:
    settings = tmp_path / ".config" / "pullpass" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(resident.node.config.read_text())
    env = environment(HOME=str(tmp_path), PULLPASS_AGENT=str(tmp_path / "nobody"))
    done = finished(["pullpass", "get", "--json", IMAGE], env=env)
    assert json.loads(done.stdout)["given_by"] == "this process"


def test_a_failure_of_the_agent_is_told_as_if_met_here(agent: Agent, tmp_path: Path) -> None:
    agent.node.key.unlink()
    done = get(agent, tmp_path, IMAGE)
    assert (done.returncode, done.stdout) == (77, "")
    assert f"registry {READY}: no identity" in done.stderr
