"""A change of such a file as a diff that shows no secret. Pure."""

import re
from difflib import unified_diff
from pathlib import Path
from typing import Final

from pullpass.dockerconfig import document
from pullpass.dockerconfig.entries import HELPERS, STORE

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"(\s*:)?')
_MASK: Final = '"…"'


def diff(file: Path, before: str, after: str) -> str:
    """Returns what turns before into after, empty if nothing does.

    Every text is masked that does not name a helper: passwords, headers and proxies are among them.
    """
    lines = unified_diff(
        _masked(before).splitlines(),
        _masked(after).splitlines(),
        fromfile=str(file),
        tofile=str(file),
        lineterm="",
    )
    return "\n".join(lines)


def _masked(text: str) -> str:
    if not text.strip():
        return text
    shown = [place for name in (HELPERS, STORE) if (place := document.span(text, name))]

    def mask(found: re.Match[str]) -> str:
        is_key = found[1] is not None
        if is_key or any(start <= found.start() < end for start, end in shown):
            return found[0]
        return _MASK

    return _STRING.sub(mask, text)
