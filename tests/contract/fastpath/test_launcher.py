"""What the launcher in C may be: short, static, and without memory that it has to ask for."""

import subprocess
from pathlib import Path

from fakes.fastpath import LAUNCHER, Client

SOURCE = LAUNCHER / "docker-credential-pullpass.c"
MAX_LINES = 150


def test_it_is_short() -> None:
    assert len(SOURCE.read_text().splitlines()) <= MAX_LINES


def test_it_allocates_nothing(tmp_path: Path) -> None:
    """It has fixed buffers alone, so its object file names no allocator."""
    made = tmp_path / "launcher.o"
    subprocess.run(["gcc", "-std=c11", "-c", SOURCE, "-o", made], check=True, timeout=60)
    shown = subprocess.run(
        ["nm", "--undefined-only", made], check=True, capture_output=True, text=True, timeout=60
    )
    names = {line.split()[-1] for line in shown.stdout.splitlines()}
    assert "connect" in names
    assert not names & {"malloc", "calloc", "realloc", "free", "mmap", "alloca", "brk", "sbrk"}


def test_it_is_static(built: dict[str, Client]) -> None:
    shown = subprocess.run(
        ["readelf", "--program-headers", built["launcher"].path],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "LOAD" in shown.stdout
    assert "INTERP" not in shown.stdout
