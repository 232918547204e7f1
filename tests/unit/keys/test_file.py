import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from stat import S_IMODE
from threading import Barrier
from typing import Final

import pytest

from fakes.key_files import NOW, KeyFiles, refusal
from pullpass.errors import KeyStoreError
from pullpass.jose import sign
from pullpass.keys.transit import State, TransitKey

CREATORS: Final = 8
ENVIRONMENT: Final = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
CREATE: Final = """
import sys
from pathlib import Path
from fakes.key_files import KeyFiles
from pullpass.errors import KeyStoreError
print("ready", flush=True)
sys.stdin.readline()
try:
    KeyFiles(directory=Path(sys.argv[1])).create("k")
except KeyStoreError as error:
    sys.exit(str(error))
"""


def mode(path: Path) -> int:
    return S_IMODE(path.stat().st_mode)


def test_a_key_is_kept_as_it_was_created(store: KeyFiles) -> None:
    made = store.create("k")
    assert store.load("k").active.kid == made.active.kid
    assert (made.name, made.active.number, made.active.created_at) == ("k", 1, int(NOW))
    assert sign({}, store.load("k").active.local, kid="a").reveal()


def test_keys_are_different(store: KeyFiles) -> None:
    assert store.create("a").active.kid != store.create("b").active.kid


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_key_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    program = (
        f"import os; os.umask({umask})\n"
        "from pathlib import Path; from fakes.key_files import KeyFiles\n"
        f"KeyFiles(directory=Path({str(tmp_path / 'keys')!r})).create('k')"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, env=ENVIRONMENT)
    assert mode(tmp_path / "keys") == 0o700
    assert mode(tmp_path / "keys" / "k.json") == 0o600


def test_nothing_else_is_left_beside_a_key(store: KeyFiles, path: Path) -> None:
    assert list(store.directory.iterdir()) == [path]


def test_a_key_is_never_replaced(store: KeyFiles, path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(KeyStoreError, match="a key k already"):
        store.create("k")
    assert path.read_bytes() == before
    assert list(store.directory.iterdir()) == [path]


def test_what_stands_in_a_key_s_place_is_not_replaced_either(store: KeyFiles) -> None:
    store.create("other")
    place = store.directory / "k.json"
    place.symlink_to(store.directory / "nowhere")
    with pytest.raises(KeyStoreError, match="already"):
        store.create("k")
    assert place.is_symlink()
    assert not (store.directory / "nowhere").exists()


def test_of_many_threads_exactly_one_creates(store: KeyFiles) -> None:
    start = Barrier(CREATORS, timeout=60)

    def create(_: int) -> TransitKey | str:
        start.wait()
        try:
            return store.create("k")
        except KeyStoreError as error:
            return str(error)

    with ThreadPoolExecutor(CREATORS) as pool:
        outcomes = list(pool.map(create, range(CREATORS)))
    (winner,) = [one for one in outcomes if isinstance(one, TransitKey)]
    assert store.load("k").active.kid == winner.active.kid
    losers = [one for one in outcomes if isinstance(one, str)]
    assert all("there is a key k already" in loser for loser in losers)
    assert [entry.name for entry in store.directory.iterdir()] == ["k.json"]


def test_of_many_processes_exactly_one_creates(store: KeyFiles) -> None:
    creators = [
        subprocess.Popen(
            [sys.executable, "-c", CREATE, str(store.directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
        for _ in range(3)
    ]
    for creator in creators:
        assert creator.stdout
        assert creator.stdout.readline() == "ready\n"
    for creator in creators:
        assert creator.stdin
        creator.stdin.write("go\n")
        creator.stdin.flush()
    failures = [creator.communicate(timeout=60)[1] for creator in creators]
    assert sorted(creator.returncode for creator in creators) == [0, 1, 1]
    assert sum("there is a key k already" in failure for failure in failures) == 2
    assert store.load("k").active.number == 1


def test_a_key_that_is_not_there_is_said_to_be_made(store: KeyFiles) -> None:
    assert refusal(store) == "there is no key k: make it with `pullpass key create k`"
    store.create("other")
    assert refusal(store) == "there is no key k: make it with `pullpass key create k`"


def test_to_load_creates_nothing(store: KeyFiles) -> None:
    refusal(store)
    assert not store.directory.exists()


@pytest.mark.parametrize("open_mode", [0o640, 0o604, 0o660, 0o610, 0o644, 0o666, 0o777])
def test_a_key_that_others_may_use_is_refused(store: KeyFiles, path: Path, open_mode: int) -> None:
    path.chmod(open_mode)
    said = refusal(store)
    assert said.startswith(f"{path} is open to others: `chmod 600 {path}`; ")
    assert "`pullpass key create`" in said
    path.chmod(0o600)
    assert store.load("k").name == "k"


@pytest.mark.parametrize("open_mode", [0o750, 0o705, 0o755, 0o777, 0o1777, 0o710])
def test_a_directory_that_others_may_use_is_refused(
    store: KeyFiles, path: Path, open_mode: int
) -> None:
    directory = path.parent
    directory.chmod(open_mode)
    advice = f"`chmod 700 {directory}`"
    assert advice in refusal(store)
    with pytest.raises(KeyStoreError, match=advice):
        store.create("other")
    assert list(directory.iterdir()) == [path]


@pytest.mark.parametrize("own_mode", [0o600, 0o400, 0o700])
def test_a_key_may_be_closed_further(store: KeyFiles, path: Path, own_mode: int) -> None:
    path.chmod(own_mode)
    assert store.load("k").name == "k"


def test_a_directory_in_a_key_s_place_is_refused(store: KeyFiles) -> None:
    store.create("other")
    (store.directory / "k.json").mkdir(mode=0o700)
    assert "cannot be read" in refusal(store)


def test_a_key_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = KeyFiles(directory=tmp_path / "file" / "keys")
    with pytest.raises(KeyStoreError, match=r"k\.json cannot be written: Not a directory"):
        store.create("k")
    assert "cannot be read: Not a directory" in refusal(store)


def test_all_states_are_kept(store: KeyFiles, path: Path) -> None:
    document = json.loads(path.read_text())
    (version,) = document["versions"]
    document["versions"] = [
        {**version, "version": number, "state": state}
        for number, state in enumerate(sorted(State), start=1)
    ]
    path.write_text(json.dumps(document))
    loaded = store.load("k")
    assert [one.state for one in loaded.versions] == sorted(State)
    assert [one.number for one in loaded.versions] == list(range(1, len(State) + 1))


def test_a_document_shows_its_versions_in_the_open_and_its_mode_protects_them(path: Path) -> None:
    document = json.loads(path.read_text())
    assert document["type"] == "ecdsa-p256"
    assert document["versions"][0]["private_key"].startswith("-----BEGIN PRIVATE KEY-----")
    assert path.stat().st_uid == os.getuid()
