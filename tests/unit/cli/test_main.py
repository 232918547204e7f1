import os
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.node import Node
from fakes.programs import free_port
from pullpass import __version__
from pullpass.config.load import VARIABLE

MINT = ("mint", "--issuer", "nodes", "--role", "docker-pull")
LOOPBACK = """
[registry."127.0.0.1:{port}"]
provider = "jfrog"
insecure = true
parameters = {{ provider_name = "strongbox" }}
[[registry."127.0.0.1:{port}".credential]]
issuer = "nodes"
role = "docker-pull"
"""


def test_the_version_is_told(node: Node) -> None:
    assert node.pullpass("--version").out == f"pullpass, version {__version__}\n"


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("get", "-h"), ("key", "--help")])
def test_help_is_no_failure(node: Node, arguments: tuple[str, ...]) -> None:
    helped = node.pullpass(*arguments)
    assert (helped.status, helped.err) == (0, "")
    assert helped.out.startswith("Usage: pullpass ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("--nonsense",),
        ("get",),
        ("get", "a", "b"),
        ("get", "--nonsense", "a"),
        ("key", "nonsense"),
        ("key", "create"),
        ("mint", "--role", "docker-pull"),
        ("mint", "--issuer", "nodes"),
        (*MINT, "--ttl", "soon"),
        (*MINT, "--ttl", "-5"),
        (*MINT, "--ttl", "9999999999s"),
        ("serve", "nonsense"),
        ("--config",),
    ],
)
def test_a_wrong_call_is_told_from_a_failure(node: Node, arguments: tuple[str, ...]) -> None:
    failed = node.pullpass(*arguments)
    assert (failed.status, failed.out) == (64, "")
    assert "Error: " in failed.err
    assert node.files() == []


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("get", "registry.example.com/Team/app"), 65, "must be written in lower case"),
        (("get", "https://registry.example.com/team/app"), 65, "without a scheme"),
        (("get", "elsewhere.example.com/team/app"), 1, "is not configured"),
        (("get", "registry.example.com/other/app"), 1, "no entry covers other/app"),
        (("get", "busybox"), 1, "registry docker.io is not configured"),
        (("get", "registry.example.com/team/app"), 77, "`pullpass key create identity`"),
        (("get", "registry.example.com/pods/app"), 77, "${k8s.pod}"),
        ((*MINT, "--audience", "evil.org"), 77, "evil.org is not allowed"),
        ((*MINT, "--audience", "registry.example.com", "--ttl", "0"), 77, "max_ttl, 1800s"),
        (MINT, 77, "no audience"),
        (("mint", "--issuer", "a", "--role", "b"), 77, "there is no issuer a"),
        (("key", "create", "lost"), 64, "add [keys.lost] first"),
        (("key", "certificate", "identity"), 77, "there is no key identity"),
        (("key", "certificate", "../config"), 64, "there is no key ../config"),
        (("--config", "", "check"), 64, "--config is empty"),
        (("serve", "issuer"), 78, "serve.issuer.listen: is missing"),
        (("serve", "token-server"), 78, "services: is empty"),
    ],
)
def test_a_failure_is_one_line_and_a_status_of_the_tree(
    node: Node, arguments: tuple[str, ...], status: int, message: str
) -> None:
    failed = node.pullpass(*arguments)
    assert (failed.status, failed.out) == (status, "")
    assert failed.err.startswith("pullpass: ")
    assert failed.err.endswith("\n")
    assert failed.err[:-1].isprintable()
    assert message in failed.err


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("[keys", "is not TOML"),
        ("nonsense = 1", "nonsense: is not a setting"),
        ('state_dir = "here"', "state_dir: takes a path from the root"),
    ],
)
@pytest.mark.parametrize(
    "arguments", [("get", "a.example.com/b"), MINT, ("key", "create", "identity")]
)
def test_wrong_settings_are_told_by_every_command(
    node: Node, settings: str, message: str, arguments: tuple[str, ...]
) -> None:
    node.configure(settings=settings)
    failed = node.pullpass(*arguments)
    assert (failed.status, failed.out) == (78, "")
    assert message in failed.err


def test_settings_that_are_named_and_missing_are_an_error(node: Node) -> None:
    node.config.unlink()
    failed = node.pullpass("get", "registry.example.com/team/app")
    assert failed.status == 78
    assert f"{node.config} cannot be read" in failed.err


def test_an_exchange_that_cannot_be_reached_may_be_tried_again(ready: Node) -> None:
    port = free_port()
    ready.configure(LOOPBACK.format(port=port))
    failed = ready.pullpass("get", f"127.0.0.1:{port}/team/app")
    assert (failed.status, failed.out) == (75, "")
    assert f"http://127.0.0.1:{port}" in failed.err
    assert "try again" in failed.err


def test_without_an_audit_line_nothing_is_minted(ready: Node) -> None:
    (ready.state / "audit.jsonl").mkdir()
    failed = ready.pullpass(*MINT, "--audience", "registry.example.com")
    assert (failed.status, failed.out) == (77, "")
    assert "nothing is minted without an audit line" in failed.err


def test_an_option_names_the_settings_too(ready: Node, tmp_path: Path) -> None:
    other = ready.config.rename(tmp_path / "other.toml")
    minted = ready.pullpass("--config", str(other), *MINT, "--audience", "registry.example.com")
    assert minted.status == 0


def test_the_program_ends_with_the_status_of_its_failure(node: Node) -> None:
    failed = subprocess.run(
        [Path(sys.executable).with_name("pullpass"), "get", "elsewhere.example.com/team/app"],
        env={**os.environ, VARIABLE: str(node.config)},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr == (
        "pullpass: registry elsewhere.example.com is not configured: add it to use pullpass\n"
    )


@pytest.mark.parametrize("command", ["check", "get"])
@pytest.mark.parametrize("path", ["", "/", "/team/app:v1"])
def test_a_registry_given_as_a_url_is_refused_with_what_to_write(
    ready: Node, command: str, path: str
) -> None:
    failed = ready.pullpass(command, f"https://registry.example.com{path}")
    assert (failed.status, failed.out) == (65, "")
    assert "write registry.example.com, without a scheme" in failed.err


def test_a_directory_that_cannot_be_made_is_one_sentence(node: Node) -> None:
    failed = node.pullpass("demo", "--keep", str(node.config / "kept"))
    assert (failed.status, failed.out) == (64, "")
    assert "cannot be made: Not a directory" in failed.err


def pullpass(node: Node, *arguments: str, **more: str) -> list[str]:
    variables = {**os.environ, **node.variables, **more}
    argv = [sys.executable, "-m", "pullpass", *arguments]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            argv,
            check=False,
            env=variables,
            stdout=full if not more else None,
            stderr=subprocess.PIPE,
            text=True,
        )
    return [str(done.returncode), done.stderr]


def test_a_full_disk_behind_stdout_is_one_sentence(ready: Node) -> None:
    assert pullpass(ready, "key", "certificate", "identity") == [
        "74",
        "pullpass: No space left on device\n",
    ]


def test_a_stream_without_our_marks_is_no_failure(ready: Node) -> None:
    status, err = pullpass(ready, "check", "a.example", PYTHONIOENCODING="latin-1")
    assert (status, err) == ("1", "")
