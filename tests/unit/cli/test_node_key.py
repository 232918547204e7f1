import tomllib

from fakes.key_files import KeyFiles
from fakes.node import Node
from pullpass.relying import read_jwk


def test_a_node_s_key_is_created_and_what_enrolls_it_is_printed(node: Node) -> None:
    made = node.pullpass("node-key", "create", "identity", "--node", "worker-1.example.com")
    assert (made.status, made.err) == (0, "")
    nodes = tomllib.loads(made.out)["issuers"]["ISSUER"]["nodes"]
    (jwk,) = nodes["worker-1.example.com"]["keys"]
    found = read_jwk(jwk)
    assert found
    key = KeyFiles(directory=node.state / "keys").load("identity")
    assert found.thumbprint() == key.active.kid
    shown = node.pullpass("node-key", "show", "identity", "--node", "worker-1.example.com")
    assert shown.out == made.out
    assert node.pullpass("node-key", "create", "identity").status == 77
    assert node.pullpass("node-key", "show", "lost").status == 64


def test_while_a_key_is_rotated_both_of_its_versions_are_enrolled(ready: Node) -> None:
    ready.pullpass("key", "rotate", "identity")
    shown = ready.pullpass("node-key", "show", "identity", "--node", "a")
    assert len(tomllib.loads(shown.out)["issuers"]["ISSUER"]["nodes"]["a"]["keys"]) == 2
