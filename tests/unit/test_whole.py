import os
import stat
from pathlib import Path

import pytest

from pullpass.whole import sweep, write_whole


def test_a_file_takes_the_place_of_another(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("before")
    write_whole(path, b"after")
    assert path.read_bytes() == b"after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    write_whole(path, b"x" * 1_000_000, mode=0o644, owner=(os.geteuid(), os.getegid()))
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [found.name for found in tmp_path.iterdir()] == ["a.json"]


def test_what_cannot_be_put_in_its_place_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "a", b"after")
    assert [found.name for found in tmp_path.iterdir()] == ["a"]


def test_only_the_drafts_of_one_file_are_swept_away(tmp_path: Path) -> None:
    for name in (".a.json.x1.new", ".b.json.x2.new", "a.json"):
        (tmp_path / name).touch()
    sweep(tmp_path / "a.json")
    assert sorted(found.name for found in tmp_path.iterdir()) == [".b.json.x2.new", "a.json"]
