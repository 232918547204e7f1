"""A key in a file whose change was cut off at each call that changes a disk."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from fakes.dying import ACTIONS, CREATED, key
from fakes.key_files import KeyFiles, local
from fakes.programs import environment
from pullpass.errors import KeyStoreError
from pullpass.issuer.documents import jwks
from pullpass.keys.transit import State

TESTS: Final = Path(__file__).parents[2]
ENDS: Final = ["dies", "full"]
CHANGES: Final = sorted(set(ACTIONS) - {"create"})


def cut_off(directory: Path, out: Path, action: str, end: str) -> list[Path]:
    """Returns the directories in which action was cut off, and one in which it was not."""
    argv = [sys.executable, "-m", "fakes.dying", str(directory), str(out), action, end]
    env = environment(PYTHONPATH=str(TESTS))
    subprocess.run(argv, check=True, env=env, cwd=TESTS, timeout=120)
    return sorted(out.iterdir(), key=lambda path: int(path.name))


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("action", CHANGES)
@pytest.mark.parametrize("end", ENDS)
def test_one_version_is_active_and_what_lives_verifies_wherever_a_change_ends(
    tmp_path: Path, action: str, end: str
) -> None:
    made = local(key(tmp_path / "keys", CREATED).create("k"))
    *cut, whole = cut_off(tmp_path / "keys", tmp_path / "out", action, end)
    assert len(KeyFiles(directory=whole).load("k").versions) == 2
    assert len(cut) > 3  # a draft is opened, written, synced and put in place
    for copy in cut:
        found = KeyFiles(directory=copy).load("k")
        assert [one.number for one in found.versions] in ([1], [1, 2])  # all of it or nothing
        assert len(found.of(State.ACTIVE)) == 1
        if action != "compromise" or len(found.versions) == 1:
            assert made.active.kid in [jwk["kid"] for jwk in jwks(found)["keys"]]
        assert_made_by_who_comes_next(copy, action)


def assert_made_by_who_comes_next(copy: Path, action: str) -> None:
    try:
        ACTIONS[action](key(copy))
    except KeyStoreError as error:
        assert "is to sign next already" in str(error)
    local(key(copy).freeze(KeyFiles(directory=copy).load("k"), "nodes", "https://a.example"))
    assert len(KeyFiles(directory=copy).load("k").versions) >= 2
    assert files(copy) == ["k.json"]  # the drafts of the dead are swept


@pytest.mark.parametrize("end", ENDS)
def test_a_key_whose_making_was_cut_off_is_there_or_can_be_made(tmp_path: Path, end: str) -> None:
    for copy in cut_off(tmp_path / "nowhere", tmp_path / "out", "create", end):
        try:
            local(key(copy).create("k"))
        except KeyStoreError as error:
            assert "there is a key k already" in str(error)
        assert KeyFiles(directory=copy).load("k").active.number == 1
