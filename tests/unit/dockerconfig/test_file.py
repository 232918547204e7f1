import json
import os
import stat
from pathlib import Path

import pytest

from pullpass.dockerconfig.change import configure, unconfigure
from pullpass.dockerconfig.file import MAX_FILE
from pullpass.dockerconfig.record import record_path
from pullpass.errors import FileError, MalformedInput, PullpassError, UsageError

HOSTS = ["a.example"]
BEFORE = b'{\r\n "auths": {"b.example": {"auth": "aHVudGVyMg=="}} }\n'


def written(file: Path, *, force: bool = False, dry_run: bool = False) -> str:
    return configure(file, HOSTS, store="", force=force, dry_run=dry_run).after


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Returns a file with a password, which only its owner reads."""
    made = tmp_path / "config.json"
    made.write_bytes(BEFORE)
    made.chmod(0o600)
    return made


def state(path: Path) -> tuple[int, ...]:
    """Returns what a write would change; to read a file may change its access time."""
    found = path.stat()
    return found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_the_file_is_written_and_taken_back_to_the_byte(file: Path) -> None:
    written(file)
    assert b'"a.example": "pullpass"' in file.read_bytes()
    assert names(file.parent) == ["config.json", "config.json.pullpass"]
    unconfigure(file, dry_run=False)
    assert file.read_bytes() == BEFORE
    assert names(file.parent) == ["config.json"]


def test_a_file_that_was_not_there_is_gone_again(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "er" / "config.json"
    written(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    unconfigure(file, dry_run=False)
    assert names(file.parent) == []


def test_a_file_that_was_removed_meanwhile_is_gone_again_too(file: Path) -> None:
    written(file)
    file.unlink()
    written(file)
    unconfigure(file, dry_run=False)
    assert names(file.parent) == []


def test_a_file_that_was_not_there_stays_with_what_others_wrote(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    written(file)
    file.write_text(file.read_text().replace("{", '{"psFormat": "x",', 1))
    unconfigure(file, dry_run=False)
    assert json.loads(file.read_text()) == {"psFormat": "x"}


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o660, 0o400])
def test_mode_and_owner_are_kept(file: Path, mode: int) -> None:
    if os.geteuid() == 0:
        os.chown(file, 4711, 4712)
    file.chmod(mode)
    before = file.stat()
    written(file)
    for now in (file.stat(), record_path(file).stat()):
        assert stat.S_IMODE(now.st_mode) == mode
        assert (now.st_uid, now.st_gid) == (before.st_uid, before.st_gid)


def test_a_link_is_written_through(file: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    link = home / "config.json"
    link.symlink_to("../link")
    (tmp_path / "link").symlink_to(file)
    written(link)
    assert link.is_symlink()
    assert names(home) == ["config.json"]
    assert b"pullpass" in file.read_bytes()
    assert record_path(file).exists()
    unconfigure(link, dry_run=False)
    assert link.is_symlink()
    assert file.read_bytes() == BEFORE


def test_a_link_to_nothing_gets_its_file(tmp_path: Path) -> None:
    link = tmp_path / "config.json"
    link.symlink_to(tmp_path / "dotfiles" / "docker.json")
    written(link)
    assert link.is_symlink()
    assert "pullpass" in (tmp_path / "dotfiles" / "docker.json").read_text()


def test_links_in_a_circle_lead_nowhere(tmp_path: Path) -> None:
    link = tmp_path / "config.json"
    link.symlink_to(link)
    with pytest.raises(PullpassError, match=r"config\.json") as refused:
        written(link)
    assert isinstance(refused.value, UsageError | FileError)


def test_a_dry_run_writes_nothing(file: Path, tmp_path: Path) -> None:
    assert "pullpass" in written(file, dry_run=True)
    assert file.read_bytes() == BEFORE
    assert names(file.parent) == ["config.json"]
    written(tmp_path / "new" / "config.json", dry_run=True)
    assert not (tmp_path / "new").exists()
    written(file)
    now = file.read_bytes()
    assert unconfigure(file, dry_run=True).after.encode() == BEFORE
    assert file.read_bytes() == now


def test_the_same_again_writes_nothing(file: Path) -> None:
    written(file)
    before = state(file), state(record_path(file))
    written(file)
    assert (state(file), state(record_path(file))) == before


def test_nothing_is_made_to_be_taken_back(tmp_path: Path) -> None:
    unconfigure(tmp_path / "new" / "config.json", dry_run=False)
    assert names(tmp_path) == []


def test_a_file_without_pullpass_is_not_written(file: Path) -> None:
    before = state(file)
    unconfigure(file, dry_run=False)
    assert state(file) == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", r"config\.json is not JSON \(line 1\): mend it"),
        (b"[1]", "holds no JSON object"),
        (b'{"a": "\xff"}', "is not UTF-8"),
        (b'{"credHelpers": [1]}', "under credHelpers"),
        (b" " * (MAX_FILE + 1), "is longer than"),
    ],
)
def test_a_file_that_is_wrong_is_named_and_left(file: Path, content: bytes, message: str) -> None:
    file.write_bytes(content)
    for change in (written, lambda path: unconfigure(path, dry_run=False)):
        with pytest.raises(MalformedInput, match=message):
            change(file)
    assert file.read_bytes() == content
    assert names(file.parent) == ["config.json"]


def test_what_the_file_holds_is_in_no_error(file: Path) -> None:
    file.write_bytes(b'{"auths": {"a": {"auth": "aHVudGVyMg" ')
    with pytest.raises(MalformedInput) as refused:
        written(file)
    assert "aHVudGVyMg" not in str(refused.value)


def test_another_helper_is_named_with_its_file(file: Path) -> None:
    file.write_text('{"credHelpers": {"a.example": "ecr-login"}}')
    with pytest.raises(UsageError, match=f"^{file}: ecr-login answers for a.example already"):
        written(file)
    assert "pullpass" in written(file, force=True)


def test_a_damaged_record_is_named_and_nothing_is_lost(file: Path) -> None:
    written(file)
    now = file.read_bytes()
    record_path(file).write_text("{}")
    with pytest.raises(MalformedInput, match=r"config\.json\.pullpass is no record"):
        unconfigure(file, dry_run=False)
    assert file.read_bytes() == now


def test_a_pipe_is_no_file_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(MalformedInput, match=r"config\.json is no file"):
        written(tmp_path / "config.json")


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name a file in it"):
        written(tmp_path)


def test_a_directory_that_cannot_be_made_is_named(file: Path) -> None:
    with pytest.raises(FileError, match=f"^{file} cannot be written: File exists"):
        written(file / "config.json")
