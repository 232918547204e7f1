import json
import resource
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from stat import S_IMODE

import pytest

from fakes.programs import short_directory
from fakes.settings import refusal_of
from pullpass.config.issuing import Audit
from pullpass.config.model import Config
from pullpass.errors import IdentityError
from pullpass.issuer.audit import AuditAll, AuditFile, AuditJournal, audit_of


def lines(path: Path) -> list[object]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_record_is_one_line_and_none_is_lost(tmp_path: Path) -> None:
    audit = AuditFile(path=tmp_path / "audit.jsonl")
    records: list[dict[str, object]] = [{"reason": "a\nb", "aud": ["é", "\udcff"]}, {"n": 1}]
    for record in records:
        audit.write(record)
    assert lines(audit.path) == records
    assert audit.path.read_bytes().isascii()


def test_the_file_and_its_directory_are_for_their_owner_alone(tmp_path: Path) -> None:
    audit = AuditFile(path=tmp_path / "state" / "audit.jsonl")
    audit.write({})
    assert S_IMODE(audit.path.stat().st_mode) == 0o600
    assert S_IMODE(audit.path.parent.stat().st_mode) == 0o700


def test_a_file_that_was_rotated_away_is_begun_anew(tmp_path: Path) -> None:
    audit = AuditFile(path=tmp_path / "audit.jsonl")
    audit.write({"n": 1})
    audit.path.rename(tmp_path / "audit.jsonl.1")
    audit.write({"n": 2})
    assert lines(audit.path) == [{"n": 2}]


def test_records_of_many_threads_do_not_mix(tmp_path: Path) -> None:
    audit = AuditFile(path=tmp_path / "audit.jsonl")
    records = [{"n": number, "pad": "x" * 500} for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(audit.write, records)) == [None] * 200
    assert sorted(map(repr, lines(audit.path))) == sorted(map(repr, records))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("directory", "Is a directory"),
        ("file/audit.jsonl", "Not a directory"),
        ("file/deep/audit.jsonl", "Not a directory"),
    ],
)
def test_a_line_that_cannot_be_written_is_an_error(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(IdentityError, match="nothing is minted") as refused:
        AuditFile(path=tmp_path / name).write({"n": 1})
    assert refusal_of(refused.value).endswith(f"{tmp_path / name} cannot be written: {reason}")


def test_a_full_disk_is_an_error() -> None:
    with pytest.raises(IdentityError, match="No space left"):
        AuditFile(path=Path("/dev/full")).write({"n": 1})


def test_a_line_that_did_not_fit_leaves_no_part_of_it_behind(tmp_path: Path) -> None:
    audit = AuditFile(path=tmp_path / "audit.jsonl")
    audit.write({"n": 1})
    room = audit.path.stat().st_size + 4
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        with pytest.raises(IdentityError, match="did not fit"):
            audit.write({"n": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    audit.write({"n": 3})
    assert lines(audit.path) == [{"n": 1}, {"n": 3}]


class Journal:
    """Takes what is sent to a journal's socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(10)

    def entry(self) -> dict[str, str]:
        lines = self.socket.recv(1 << 16).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)  # every value is one line


@pytest.fixture
def journal() -> Iterator[Journal]:
    with short_directory() as directory:
        made = Journal(directory / "journal")
        yield made
        made.socket.close()


def test_the_journal_gets_each_record_as_one_entry(journal: Journal) -> None:
    record = {"event": "mint", "reason": "a\nb=c", "aud": ["é"]}
    AuditJournal(path=journal.path).write(record)
    entry = journal.entry()
    assert json.loads(entry["MESSAGE"]) == record
    assert entry["SYSLOG_IDENTIFIER"] == "pullpass"


def test_without_a_journal_nothing_is_minted(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="the journal does not take it: No such file"):
        AuditJournal(path=tmp_path / "nowhere").write({})


def test_a_journal_that_takes_no_more_is_not_waited_for(journal: Journal) -> None:
    audit = AuditJournal(path=journal.path)

    def flood() -> None:
        for _ in range(100_000):
            audit.write({"pad": "x" * 1000})

    with pytest.raises(IdentityError, match="the journal does not take it"):
        flood()


def test_one_sink_that_keeps_a_record_is_enough_and_none_is_not(
    journal: Journal, tmp_path: Path
) -> None:
    file, full = AuditFile(path=tmp_path / "audit"), AuditFile(path=Path("/dev/full"))
    AuditAll(sinks=[full, file, AuditJournal(path=journal.path)]).write({"n": 1})
    assert lines(file.path) == [{"n": 1}]
    assert json.loads(journal.entry()["MESSAGE"]) == {"n": 1}
    with pytest.raises(IdentityError, match="No space left"):
        AuditAll(sinks=[AuditJournal(path=tmp_path / "nowhere"), full]).write({"n": 2})


def test_the_settings_say_which_sinks_there_are(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert audit_of(Config(state_dir=state)) == AuditFile(path=state / "audit.jsonl")
    elsewhere = Audit(sinks=("journald", "file"), file=tmp_path / "lines")
    assert audit_of(Config(state_dir=state, audit=elsewhere)) == AuditAll(
        sinks=[AuditJournal(), AuditFile(path=tmp_path / "lines")]
    )
