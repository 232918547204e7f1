"""Who pulls in the demo, and with what."""

import sysconfig
from pathlib import Path

import pytest

from fakes.answers import Answers
from pullpass.demo.clients import NAMES, Errand, PullFailed, choose
from pullpass.demo.settings import Addresses, Files

FILES = Files(
    directory=Path("/nowhere"),
    addresses=Addresses(issuer_port=20001, token_port=20002, registry_port=20003),
)


def test_the_built_in_puller_needs_no_program() -> None:
    assert choose("builtin")[0] == "builtin"


def test_a_client_that_is_not_there_is_an_error_that_says_so() -> None:
    with pytest.raises(PullFailed, match="crane does not work here: install it, or leave --client"):
        choose("crane")


def test_the_built_in_puller_is_the_last_resort() -> None:
    assert NAMES == ("skopeo", "podman", "docker", "builtin")


def test_a_client_has_a_home_of_its_own_and_finds_our_helper_first() -> None:
    errand = Errand(files=FILES, transport=Answers(answers=[]), digests=frozenset())
    given = errand.environment()
    assert errand.image == "127.0.0.1:20003/team/app:demo"
    assert given["PATH"].startswith(sysconfig.get_path("scripts"))
    assert given["DOCKER_CONFIG"] == "/nowhere/home/.docker"
    assert given["HOME"] == "/nowhere/home"
