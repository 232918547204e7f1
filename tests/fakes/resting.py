"""A search for what may rest nowhere, which first proves that it can find something."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

TOKEN: Final = r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+"  # any signed JWT


def rests_nowhere(pattern: str, places: Iterable[Path], *, canary: str) -> bool:
    """Tells whether nothing below places holds pattern, once a canary was found in each of them."""
    planted = {place / "canary" for place in places}
    for file in planted:
        file.write_text(f"before {canary} after")
    assert holding(pattern, places) >= planted
    for file in planted:
        file.unlink()
    return not holding(pattern, places)


def holding(pattern: str, places: Iterable[Path]) -> set[Path]:
    """Returns the files below places that hold pattern."""
    wanted = re.compile(pattern.encode())
    files = (path for place in places for path in place.rglob("*") if path.is_file())
    return {path for path in files if wanted.search(path.read_bytes())}
