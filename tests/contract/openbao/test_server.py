"""The server that the other tests build on."""

from fakes.programs import OpenBao


def test_is_unsealed(bao: OpenBao) -> None:
    assert bao.ask("GET", "sys/health")["sealed"] is False


def test_gives_back_what_it_was_given(bao: OpenBao) -> None:
    bao.ask("POST", "secret/data/server", {"data": {"username": "robot"}})
    assert bao.ask("GET", "secret/data/server")["data"]["data"] == {"username": "robot"}


def test_keeps_namespaces_apart(bao: OpenBao) -> None:
    bao.ask("POST", "sys/namespaces/server")
    assert "secret/" not in bao.ask("GET", "sys/mounts", namespace="server")["data"]


def test_prints_no_token_of_its_own(bao: OpenBao) -> None:
    assert bao.root_token not in repr(bao)
