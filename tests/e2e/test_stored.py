"""A registry that knows passwords alone: its password rests in pass, and the clients use it."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fakes.programs import (
    Passwords,
    ask_helper,
    client_home,
    docker_registry,
    environment,
    skopeo,
)
from fakes.resting import rests_nowhere
from fakes.stores import Store, password_store

USER, WORD = "puller", "stored-word"
HTPASSWD = f"{USER}:$2y$04$abcdefghijklmnopqrstuujECJSols9Jphr/jc9TWOp6mDRCncJoK\n"  # of WORD
WITHIN = 60.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host whose clients ask pullpass for a registry that is marked for a store."""

    registry: str
    home: Path
    store: Store
    engine: str

    @property
    def image(self) -> str:
        """Returns the name of an image that the registry has."""
        return f"{self.registry}/team/app:v1"

    def run(self, *argv: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Runs a client."""
        env = environment(
            **self.store.variables,
            PASSWORD_STORE_DIR=f"{self.store.variables['HOME']}/.password-store",
            PULLPASS_CONFIG=str(self.home / "pullpass.toml"),
            DOCKER_HOST=self.engine,
            DOCKER_CONFIG=f"{self.home}/.docker",
            REGISTRY_AUTH_FILE=f"{self.home}/auth.json",
        )
        return subprocess.run(
            argv,
            input=stdin,
            env=env,
            cwd=self.home,
            capture_output=True,
            check=False,
            text=True,
            timeout=WITHIN,
        )


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with password_store() as made:
        yield made


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, image: Path) -> Iterator[str]:
    """The address of a registry that has an image and gives it for a password."""
    directory = tmp_path_factory.mktemp("guarded")
    users = directory / "htpasswd"
    users.write_text(HTPASSWD)
    with docker_registry(directory, auth=Passwords(file=users)) as address:
        home = client_home(directory / "publisher")
        target = f"docker://{address}/team/app:v1"
        done = skopeo(home, "copy", f"--dest-creds={USER}:{WORD}", f"oci:{image}", target)
        assert done.returncode == 0, done.stderr
        yield address


@pytest.fixture
def host(tmp_path: Path, guarded: str, store: Store, engine: str) -> Host:
    home = client_home(tmp_path / "home")
    ask_helper(home, guarded)
    (home / "pullpass.toml").write_text(f"""
state_dir = "{tmp_path}/state"
[registry."{guarded}"]
insecure = true
[[registry."{guarded}".credential]]
store = "pass"
secret = "guarded"
""")
    return Host(registry=guarded, home=home, store=store, engine=engine)


def test_docker_logs_in_pulls_and_logs_out(host: Host) -> None:
    login = ["docker", "login", "--username", USER, "--password-stdin", host.registry]
    done = host.run(*login, stdin=WORD)
    assert done.returncode == 0, done.stderr
    assert "unencrypted" not in done.stderr

    for pull in (["docker", "pull", host.image], inspect(host)):
        done = host.run(*pull)
        assert done.returncode == 0, done.stderr
    assert rests_nowhere(WORD, [host.home], canary=WORD)

    done = host.run("docker", "logout", host.registry)
    assert done.returncode == 0, done.stderr
    done = host.run(*inspect(host))
    assert done.returncode != 0
    assert "there is no secret guarded in pass: store it with" in done.stderr


def test_skopeo_uses_what_pullpass_secret_stored_and_logs_out(host: Host) -> None:
    done = host.run("pullpass", "docker", "configure", "--podman")  # writes REGISTRY_AUTH_FILE
    assert done.returncode == 0, done.stderr
    done = host.run("pullpass", "secret", "set", "guarded", "--username", USER, stdin=WORD)
    assert done.returncode == 0, done.stderr
    done = host.run(*inspect(host))
    assert done.returncode == 0, done.stderr
    login = ["skopeo", "login", "--tls-verify=false", host.registry]
    done = host.run(*login)
    assert done.returncode == 0, done.stderr

    done = host.run("skopeo", "logout", host.registry)
    assert done.returncode == 0, done.stderr
    assert "not there" in host.run("pullpass", "secret", "list").stdout


def test_a_login_whose_password_cannot_be_stored_fails(host: Host, tmp_path: Path) -> None:
    unbegun = Store(name="pass", variables={"HOME": str(tmp_path / "nobody")})
    other = Host(registry=host.registry, home=host.home, store=unbegun, engine=host.engine)
    login = ["docker", "login", "--username", USER, "--password-stdin", host.registry]
    done = other.run(*login, stdin=WORD)
    assert done.returncode != 0
    assert "error storing credentials" in done.stderr
    assert "pass ended with status 1: run it by hand" in done.stderr
    assert WORD not in done.stderr + done.stdout


def inspect(host: Host) -> list[str]:
    return ["skopeo", "inspect", "--tls-verify=false", "--raw", f"docker://{host.image}"]
