"""One line for every attempt to mint. Where no line can be written, nothing is minted."""

import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from pullpass.config.model import Config
from pullpass.errors import IdentityError

_JSON: Final = json.JSONEncoder(separators=(",", ":"))
JOURNAL: Final = Path("/run/systemd/journal/socket")


class AuditSink(Protocol):
    """Keeps records of attempts to mint."""

    def write(self, record: Mapping[str, Any]) -> None:
        """Keeps record. Raises: IdentityError if it cannot be kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFile:
    """Appends JSON lines to a file of mode 0600, opened anew each time: it can be rotated."""

    path: Path

    def write(self, record: Mapping[str, Any]) -> None:
        """Keeps record. Raises: IdentityError if it cannot be kept."""
        line = _line(record) + b"\n"
        try:
            written = self._append(line)
        except OSError as error:
            raise IdentityError(
                f"nothing is minted without an audit line, and {self.path} cannot be written:"
                f" {error.strerror}"
            ) from error
        if written != len(line):
            raise IdentityError(f"nothing is minted: the audit line did not fit into {self.path}")

    def _append(self, line: bytes) -> int:
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except FileNotFoundError:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            written = os.write(handle, line)
            if written != len(line):
                _take_back(handle, written)
            return written
        finally:
            os.close(handle)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditJournal:
    """Sends records to systemd's journal, each as the message of one entry.

    https://systemd.io/JOURNAL_NATIVE_PROTOCOL: a value without a line feed is one line.
    """

    path: Path = JOURNAL

    def write(self, record: Mapping[str, Any]) -> None:
        """Keeps record. Raises: IdentityError if the journal does not take it."""
        fields = (b"SYSLOG_IDENTIFIER=pullpass", b"PRIORITY=6", b"MESSAGE=" + _line(record))
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
                journal.sendto(b"\n".join(fields) + b"\n", socket.MSG_DONTWAIT, str(self.path))
        except OSError as error:
            raise IdentityError(
                "nothing is minted without an audit line, and the journal does not take it:"
                f" {error.strerror}"
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditAll:
    """Tells every sink. A record is kept if one of them keeps it."""

    sinks: Sequence[AuditSink]

    def write(self, record: Mapping[str, Any]) -> None:
        """Keeps record. Raises: IdentityError of the last sink if none keeps it."""
        failures = [failure for sink in self.sinks if (failure := _failure(sink, record))]
        if len(failures) == len(self.sinks):
            raise failures[-1]


def audit_of(config: Config) -> AuditSink:
    """Returns where config wants the lines."""
    file = AuditFile(path=config.audit.file or config.state_dir / "audit.jsonl")
    found: dict[str, AuditSink] = {"file": file, "journald": AuditJournal()}
    sinks = [found[name] for name in config.audit.sinks]
    return sinks[0] if len(sinks) == 1 else AuditAll(sinks=sinks)


def _failure(sink: AuditSink, record: Mapping[str, Any]) -> IdentityError | None:
    try:
        sink.write(record)
    except IdentityError as error:
        return error
    return None


def _line(record: Mapping[str, Any]) -> bytes:
    """Returns record as one line of ASCII."""
    return _JSON.encode(record).encode()


def _take_back(handle: int, written: int) -> None:
    """Removes the part of a line that the disk still took, unless another line follows it."""
    end = os.lseek(handle, 0, os.SEEK_CUR)
    if os.fstat(handle).st_size == end:
        os.ftruncate(handle, end - written)
