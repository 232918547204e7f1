import subprocess
import sys
from pathlib import Path

import pytest

from pullpass.lock import locked

HOLDER = """
import sys
from pathlib import Path
from pullpass.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_whoever_holds_it_is_waited_for_up_to_an_end(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(TimeoutError, match="does not end"), locked(tmp_path, patience=0.1):
            pass
        holder.kill()
    with locked(tmp_path):
        assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_not_there_is_not_held(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), locked(tmp_path / "lost"):
        pass
