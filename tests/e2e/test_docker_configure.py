"""What ``pullpass docker`` writes is what the real clients read, whatever happens meanwhile."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fakes.deployment import Deployment
from fakes.helper import NOT_FOUND
from fakes.programs import Finished, Puller, docker, environment, finished

PASSWORD = "aHVudGVyMjpzZWNyZXQ="
BEFORE = json.dumps({"auths": {"other.example": {"auth": PASSWORD}}}, indent="\t")


def pullpass(deployment: Deployment, home: Path, *arguments: str, **variables: str) -> Finished:
    env = environment(HOME=str(home), **{**deployment.environment(), **variables})
    return finished(["pullpass", "docker", *arguments], env=env)


def test_a_client_pulls_once_the_file_was_written(
    *, puller: Puller, deployment: Deployment, home: Path, reference: str
) -> None:
    file = home / ".docker" / "config.json"
    file.write_text(BEFORE)
    assert puller.pull(home, reference, **deployment.environment()).returncode != 0

    done = pullpass(deployment, home, "configure")
    assert done.returncode == 0, done.stderr
    done = puller.pull(home, reference, **deployment.environment())
    assert done.returncode == 0, done.stderr

    done = pullpass(deployment, home, "unconfigure")
    assert done.returncode == 0, done.stderr
    assert file.read_text() == BEFORE


def test_a_full_disk_loses_nothing(deployment: Deployment, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    script = f"""
set -eu
mount -t tmpfs -o size=8k tmpfs {disk}
printf %s "$BEFORE" > {disk}/config.json
head -c 100000 /dev/zero > {disk}/filling 2>/dev/null || true
status=0
pullpass docker configure --file {disk}/config.json || status=$?
[ "$(cat {disk}/config.json)" = "$BEFORE" ]
ls -A {disk}
exit $status
"""
    env = environment(HOME=str(tmp_path), BEFORE=BEFORE, **deployment.environment())

    done = finished(["unshare", "--mount", "sh", "-c", script], env=env)

    assert done.returncode == 74, done.stderr
    assert "config.json.pullpass cannot be written: No space left on device" in done.stderr
    assert done.stdout.split() == ["config.json", "filling"]


def test_a_user_who_may_not_write_is_told(deployment: Deployment, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    file = tmp_path / "config.json"
    file.write_text(BEFORE)
    file.chmod(0o644)
    config = deployment.settings("readable")
    argv = ["setpriv", "--reuid=4711", "--regid=4711", "--clear-groups", "pullpass", "docker"]
    env = environment(HOME=str(tmp_path), PULLPASS_CONFIG=str(config))
    for above in (config, *config.parents):
        above.chmod(above.stat().st_mode | stat.S_IROTH | (above.is_dir() and stat.S_IXOTH))

    done = finished([*argv, "configure", "--file", file], env=env)

    assert done.returncode == 74, done.stderr
    assert "cannot be written: Permission denied" in done.stderr
    assert file.read_text() == BEFORE


def test_many_at_once_lose_no_registry(deployment: Deployment, tmp_path: Path) -> None:
    hosts = [f"r{number}.example" for number in range(8)]
    table = """
[registry."{host}"]
provider = "passthrough"
[[registry."{host}".credential]]
issuer = "nodes"
role = "docker-pull"
"""
    settings = tmp_path / "settings.toml"
    settings.write_text(f"""
state_dir = "{tmp_path}/state"
[keys.identity]
[issuers.nodes]
issuer = "https://id.example.com"
signing_key = "identity"
[issuers.nodes.roles.docker-pull]
allowed_audiences = ["**"]
subject_template = "registry-pull"
{"".join(table.format(host=host) for host in hosts)}
""")
    file = tmp_path / "config.json"
    file.write_text(BEFORE)

    def configure(host: str) -> Finished:
        arguments = ["configure", "--file", str(file), host]
        return pullpass(deployment, tmp_path, *arguments, PULLPASS_CONFIG=str(settings))

    with ThreadPoolExecutor(len(hosts)) as pool:
        assert [done.returncode for done in pool.map(configure, hosts)] == [0] * len(hosts)

    assert json.loads(file.read_text())["credHelpers"] == dict.fromkeys(hosts, "pullpass")
    done = pullpass(deployment, tmp_path, "unconfigure", "--file", str(file))
    assert done.returncode == 0, done.stderr
    assert file.read_text() == BEFORE


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """The file in which the machine's own store notes what Docker asks it for."""
    log = tmp_path / "asked"
    store = tmp_path / "bin" / "docker-credential-pass"  # Docker's default where there is pass
    store.parent.mkdir()
    store.write_text(f"#!/bin/sh\necho $1 $(cat) >> {log}\necho {NOT_FOUND.strip()}\nexit 1\n")
    store.chmod(0o755)
    return log


def pull_from_elsewhere(home: Path, asked: Path, engine: str) -> list[str]:
    """Returns what Docker asks the machine's own store for, on a pull from another registry."""
    asked.unlink(missing_ok=True)
    path = f"{asked.parent}/bin:{environment()['PATH']}"
    docker(home, "pull", "localhost:9/team/app", DOCKER_HOST=engine, PATH=path)
    return asked.read_text().splitlines() if asked.exists() else []


def test_docker_goes_on_asking_the_store_that_it_uses_unasked(
    *, deployment: Deployment, home: Path, engine: str, asked: Path
) -> None:
    file = home / ".docker" / "config.json"
    file.write_text("{}")
    assert pull_from_elsewhere(home, asked, engine) == ["get localhost:9"]
    file.write_text('{"credHelpers": {"reg.example": "pullpass"}}')
    assert pull_from_elsewhere(home, asked, engine) == []  # which is what must not happen
    file.write_text("{}")

    path = f"{asked.parent}/bin:{environment()['PATH']}"
    done = pullpass(deployment, home, "configure", PATH=path)
    assert done.returncode == 0, done.stderr
    assert pull_from_elsewhere(home, asked, engine) == ["get localhost:9"]

    done = pullpass(deployment, home, "unconfigure", PATH=path)
    assert done.returncode == 0, done.stderr
    assert file.read_text() == "{}"
