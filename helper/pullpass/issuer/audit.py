"""One line for every attempt to mint. Where no line can be written, nothing is minted."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pullpass.errors import IdentityError


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
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                written = os.write(handle, line)
            finally:
                os.close(handle)
        except OSError as error:
            raise IdentityError(
                f"nothing is minted without an audit line, and {self.path} cannot be written:"
                f" {error.strerror}"
            ) from error
        if written != len(line):
            raise IdentityError(f"nothing is minted: the audit line did not fit into {self.path}")
