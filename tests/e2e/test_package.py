"""The package, on a machine that has Debian's Python and nothing else of ours."""

import asyncio
import gzip
import json
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from fakes.cri import Runtime, connected
from fakes.cri.runtime import listening
from fakes.loop import in_a_loop
from fakes.machine import Machine, machine, package
from fakes.programs import Process, environment, finished
from pullpass.claims import read_token

REGISTRY: Final = "reg.example"
SETTINGS: Final = f"""
[keys.identity]
[issuers.nodes]
issuer = "https://id.example.com/nodes"
signing_key = "identity"
[issuers.nodes.roles.pull]
allowed_audiences = ["{REGISTRY}"]
subject_template = "host"
[issuers.nodes.roles.by-pod]
allowed_audiences = ["{REGISTRY}"]
subject_template = "${{k8s.namespace}}"
[registry."{REGISTRY}"]
provider = "passthrough"
[[registry."{REGISTRY}".credential]]
issuer = "nodes"
role = "pull"
[[registry."{REGISTRY}".credential]]
repository = "pods/*"
issuer = "nodes"
role = "by-pod"
[agent]
shim = {{ user = "pullpass-cri" }}
"""
HELPER: Final = "/usr/bin/docker-credential-pullpass"
UNITS: Final = ("pullpass-agent.service", "pullpass-cri.service")


@pytest.fixture(scope="module")
def host() -> Iterator[Machine]:
    """A machine on which the package is installed, with a key and settings."""
    with machine() as made:
        done = made.dpkg("--install", package("deb"))
        assert done.returncode == 0, done.stderr
        made.path("/etc/pullpass/config.toml").write_text(SETTINGS)
        assert made.run("/usr/bin/pullpass", "key", "create", "identity").returncode == 0
        yield made


@contextmanager
def agent(host: Machine) -> Iterator[Process]:
    with host.runs("/usr/bin/pullpass", "agent") as process:
        process.until(host.path("/run/pullpass/agent.sock").is_socket)
        yield process


def subject_of(printed: str) -> object:
    return read_token(json.loads(printed)["Secret"]).claims["sub"]


def get(host: Machine, helper: str) -> str:
    """Returns what helper says of REGISTRY."""
    done = host.run(helper, "get", stdin=REGISTRY)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_helper_asks_the_agent_and_does_the_work_itself_without_one(host: Machine) -> None:
    for helper in (HELPER, "/usr/lib/pullpass/bin/docker-credential-pullpass"):
        with agent(host) as process:
            assert subject_of(get(host, helper)) == "host"
            assert process.printed().count('"event": "get"') == 1
        assert subject_of(get(host, helper)) == "host"


def test_the_launcher_is_static_and_the_script_loads_nothing_of_the_machines(
    host: Machine,
) -> None:
    assert b"/ld-linux" not in host.path(HELPER).read_bytes()
    script = host.path("/usr/lib/pullpass/bin/docker-credential-pullpass").read_text()
    assert script.startswith("#!/usr/lib/pullpass/bin/python -IS\n")


@in_a_loop
async def test_the_shim_has_a_user_of_its_own_and_no_key(host: Machine) -> None:
    """It reaches the two sockets that it is given, as containerd's setting gid gives the one."""
    uid, gid = host.user("pullpass-cri")
    backend = host.path("/run/containerd/containerd.sock")
    backend.parent.mkdir()
    own = host.path("/run/pullpass-cri")  # as RuntimeDirectory makes it
    own.mkdir(mode=0o700)
    os.chown(own, uid, gid)
    runtime = Runtime()
    with agent(host):
        async with listening(runtime, backend):
            os.chown(backend, 0, gid)
            backend.chmod(0o660)
            with host.runs("/usr/bin/pullpass-cri", user="pullpass-cri:pullpass-cri") as shim:
                await asyncio.to_thread(shim.until, lambda: '"listening"' in shim.printed())
                async with connected(own / "cri.sock") as client:
                    await client.pull(f"{REGISTRY}/pods/web", namespace="shop", name="web")
                shim.popen.send_signal(signal.SIGTERM)
    token = read_token(runtime.pulls[0].auth.password)
    assert token.claims["sub"] == "shop"
    keys = host.path("/var/lib/pullpass/keys")
    assert stat.S_IMODE(keys.stat().st_mode) & 0o077 == 0
    assert keys.stat().st_uid == 0


def test_systemd_takes_the_units_without_a_word(host: Machine) -> None:
    files = [f"/usr/lib/systemd/system/{unit}" for unit in UNITS]
    done = host.analyze("verify", *files)
    assert done.stderr == ""
    assert done.returncode == 0
    for file in files:
        assert "\nType=notify\n" in host.path(file).read_text()
    assert "\nBefore=kubelet.service\n" in host.path(files[1]).read_text()


def test_the_manual_page_has_every_command_and_no_fault(host: Machine) -> None:
    page = host.path("/usr/share/man/man1/pullpass.1.gz")
    text = gzip.decompress(page.read_bytes()).decode()
    for command in ("check", "docker configure", "key create", "secret set", "serve issuer"):
        assert f".SS pullpass {command} " in text
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Kutf8", "-Tutf8", "-z"],
        input=text,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("shell", "place"),
    [
        ("bash", "bash-completion/completions/pullpass"),
        ("zsh", "zsh/vendor-completions/_pullpass"),
        ("fish", "fish/vendor_completions.d/pullpass.fish"),
    ],
)
def test_each_shell_finds_its_completion(host: Machine, shell: str, place: str) -> None:
    printed = host.run("/usr/bin/pullpass", "completion", shell).stdout
    assert host.path(f"/usr/share/{place}").read_text() == printed


@pytest.mark.parametrize(("unit", "exposure"), [(UNITS[0], "25"), (UNITS[1], "15")])
def test_the_units_are_confined(host: Machine, unit: str, exposure: str) -> None:
    done = host.analyze("security", "--offline=true", f"--threshold={exposure}", unit)
    assert done.returncode == 0, done.stdout


def test_nothing_in_the_package_knows_where_it_was_built(host: Machine) -> None:
    here = str(Path(__file__).parents[2]).encode()
    files = [path for path in host.path("/usr/lib/pullpass").rglob("*") if path.is_file()]
    assert len(files) > 1000
    assert [path for path in files if here in path.read_bytes()] == []


def test_both_kinds_of_package_hold_the_same_files(host: Machine) -> None:
    rpm = finished(
        ["rpm", "--query", "--list", "--nosignature", "--package", package("rpm")],
        env=environment(),
    ).stdout.splitlines()
    deb = host.dpkg("--listfiles", "pullpass").stdout.splitlines()
    folders = {"/.", *(name for name in deb if host.path(name).is_dir())}
    assert set(deb) - folders == set(rpm) - folders


def test_a_package_that_is_removed_leaves_the_settings_and_the_keys(host: Machine) -> None:
    again = host.dpkg("--install", package("deb"))  # an upgrade to itself
    assert again.returncode == 0, again.stderr
    removed = host.dpkg("--remove", "pullpass")
    assert removed.returncode == 0, removed.stderr
    assert not host.path("/usr/lib/pullpass").exists()
    assert not host.path(HELPER).exists()
    assert host.path("/etc/pullpass/config.toml").exists()
    assert host.path("/var/lib/pullpass/keys/identity.json").exists()
