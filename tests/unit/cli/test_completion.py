import subprocess

import pytest

from fakes.node import Node

LOOPBACK = """
[registry."127.0.0.1:5000"]
provider = "passthrough"
insecure = true
[[registry."127.0.0.1:5000".credential]]
issuer = "nodes"
role = "docker-pull"
"""


def completed(node: Node, line: str) -> list[str]:
    """Returns what a shell is told for a line that is typed up to its end."""
    words = line.split()
    at = len(words) if line.endswith(" ") else len(words) - 1
    for name, value in {
        "_PULLPASS_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(at),
    }.items():
        node.environment.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        node.pullpass()
    assert ended.value.code == 0
    out, err = node.capture.readouterr()
    assert err == ""
    return [text.removeprefix("plain,") for text in out.splitlines() if text]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("pullpass comp", ["completion"]),
        ("pullpass completion ", ["bash", "zsh", "fish"]),
        ("pullpass check ", ["registry.example.com", "127.0.0.1:5000"]),
        ("pullpass check 127.0.0.1:", ["127.0.0.1:5000"]),
        ("pullpass get reg", ["registry.example.com/"]),
        ("pullpass docker configure 127", ["127.0.0.1:5000"]),
        ("pullpass key create ", ["identity"]),
        ("pullpass mint --issuer ", ["nodes"]),
        ("pullpass mint --issuer nodes --role by", ["by-pod"]),
        ("pullpass mint --role d", ["docker-pull"]),
        ("pullpass mint --audience 127", ["127.0.0.1:5000"]),
        ("pullpass check nobody", []),
        ("pullpass --config /not/there check ", []),
    ],
)
def test_names_of_the_configuration_are_completed(
    node: Node, line: str, expected: list[str]
) -> None:
    node.configure(LOOPBACK)
    assert completed(node, line) == expected


def test_where_the_configuration_is_wrong_nothing_is_completed(node: Node) -> None:
    node.configure(settings="nonsense = 1")
    assert completed(node, "pullpass check ") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_can_read_its_script(node: Node, shell: str) -> None:
    printed = node.pullpass("completion", shell)
    assert (printed.status, printed.err) == (0, "")
    checked = subprocess.run(
        [shell, "-n"], input=printed.out, text=True, check=False, capture_output=True
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_another_shell_is_a_wrong_call(node: Node) -> None:
    assert node.pullpass("completion", "tcsh").status == 64
