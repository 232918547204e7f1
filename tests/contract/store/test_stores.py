"""What a store keeps, it gives back; what it cannot do, it says."""

import sys
from pathlib import Path

import pytest

from fakes.programs import environment
from fakes.stores import PROGRAM, Store, locked

SECRETS = [
    "word",
    "two\nlines\n",
    " spaces ",
    "quo\"te'$`\\",
    "ünï→code",
    '{"type": "service_account"}',
    "x" * 30_000,
]


@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
def test_what_was_saved_is_loaded(store: Store, secret: str) -> None:
    assert store.save("reg.example/team", "me@example", secret) == {"found": None}
    found = store.ask("load", "reg.example/team")["found"]
    assert found == {"username": "me@example", "secret": secret}


def test_what_was_never_saved_is_not_there(store: Store) -> None:
    assert store.ask("load", "never") == {"found": None}


def test_what_was_saved_last_counts(store: Store) -> None:
    store.save("twice", "one", "first")
    store.save("twice", "other", "second")
    assert store.ask("load", "twice")["found"] == {"username": "other", "secret": "second"}


def test_what_was_erased_is_gone_and_may_be_erased_again(store: Store) -> None:
    store.save("gone", "me", "word")
    store.save("kept", "me", "word")
    assert store.ask("erase", "gone") == {"found": None}
    assert store.ask("erase", "gone") == {"found": None}
    assert store.ask("load", "gone") == {"found": None}
    assert store.ask("load", "kept")["found"]


def test_a_secret_that_is_too_long_is_refused(store: Store) -> None:
    assert "is longer than" in store.save("long", "me", "x" * 70_000)["error"]
    assert store.ask("load", "long") == {"found": None}


def test_what_pass_holds_in_another_form_is_said(stores: dict[str, Store]) -> None:
    place = stores["pass"]
    place.run(["pass", "insert", "-m", "pullpass/plain"], "word\n")
    error = place.ask("load", "plain")["error"]
    assert error.startswith("plain in pass: it is not {")
    assert "word" not in error


def test_pass_says_where_to_look_when_gpg_fails(stores: dict[str, Store], tmp_path: Path) -> None:
    place = stores["pass"]
    place.save("lost", "me", "word")
    stranger = Store(
        name="pass",
        variables={
            **place.variables,
            "GNUPGHOME": str(tmp_path),
            "PASSWORD_STORE_DIR": f"{place.variables['HOME']}/.password-store",
        },
    )
    assert stranger.ask("load", "lost")["error"] == (
        "pass ended with status 2: run it by hand to see why (`pass show pullpass/lost`)"
    )


def test_a_store_that_was_never_begun_cannot_store(tmp_path: Path) -> None:
    empty = Store(name="pass", variables={"HOME": str(tmp_path)})
    assert "pass ended with status 1: run it by hand" in empty.save("new", "me", "word")["error"]
    assert empty.ask("load", "new") == {"found": None}


def test_a_host_without_pass_says_so(tmp_path: Path) -> None:
    bare = Store(name="pass", variables={"HOME": str(tmp_path), "PATH": str(tmp_path)})
    assert (
        "pass is not on the PATH of this host: install it"
        in bare.save("new", "me", "word")["error"]
    )


@pytest.mark.parametrize("name", ["../outside", "a/../../b", "/etc/passwd", "a//b", ".", ""])
def test_no_name_leads_out_of_our_folder_of_pass(stores: dict[str, Store], name: str) -> None:
    for answer in (
        stores["pass"].ask("load", name),
        stores["pass"].save(name, "me", "word"),
        stores["pass"].ask("erase", name),
    ):
        assert "is no name for pass" in answer["error"]


def test_a_program_that_is_killed_has_failed(tmp_path: Path) -> None:
    program = tmp_path / "pass"
    program.write_text("#!/bin/sh\nkill -KILL $$\n")
    program.chmod(0o755)
    path = f"{tmp_path}:{environment()['PATH']}"
    killed = Store(name="pass", variables={"HOME": str(tmp_path), "PATH": path})
    assert "pass ended with status -9" in killed.save("new", "me", "word")["error"]


def test_no_secret_is_in_an_argument_or_the_environment(
    stores: dict[str, Store], tmp_path: Path
) -> None:
    place = stores["pass"]
    seen = tmp_path / "seen"
    program = tmp_path / "pass"
    program.write_text(f'#!/bin/sh\n{{ echo "$@"; env; }} >> {seen}\nexec /usr/bin/pass "$@"\n')
    program.chmod(0o755)
    path = f"{tmp_path}:{environment()['PATH']}"
    spied = Store(name="pass", variables={**place.variables, "PATH": path})
    spied.save("spied", "me", "hunter2hunter2")
    assert spied.ask("load", "spied")["found"]["secret"] == "hunter2hunter2"
    assert "pullpass/spied" in seen.read_text()
    assert "hunter2" not in seen.read_text()


def test_without_a_desktop_keyring_says_what_to_use(tmp_path: Path) -> None:
    server = Store(name="keyring", variables={"HOME": str(tmp_path)})
    advice = 'this host has no keyring: use store = "pass" or "systemd"'
    assert server.ask("load", "any") == {"error": advice}
    assert server.save("any", "me", "word") == {"error": advice}
    assert server.ask("erase", "any") == {"error": advice}


def test_a_locked_keyring_is_told_from_an_empty_one(stores: dict[str, Store]) -> None:
    place = stores["keyring"]
    place.save("kept", "me", "word")
    assert locked(place).ask("load", "kept") == {"error": "the keyring is locked: unlock it"}


def test_a_keyring_that_keeps_nothing_is_found_out(tmp_path: Path) -> None:
    backend = "keyring.backends.null.Keyring"
    idle = Store(
        name="keyring", variables={"HOME": str(tmp_path), "PYTHON_KEYRING_BACKEND": backend}
    )
    assert "did not keep it" in idle.save("any", "me", "word")["error"]


def test_a_backend_that_cannot_be_loaded_is_a_failure(tmp_path: Path) -> None:
    variables = {"HOME": str(tmp_path), "PYTHON_KEYRING_BACKEND": "nowhere.Keyring"}
    error = Store(name="keyring", variables=variables).ask("load", "any")["error"]
    assert error


def test_without_keyring_the_extra_is_named(tmp_path: Path) -> None:
    place = Store(name="keyring", variables={"HOME": str(tmp_path)})
    without = f"import sys; sys.modules['keyring'] = None; sys.argv[0] = {str(PROGRAM)!r}"
    script = f"{without}; import runpy; runpy.run_path(sys.argv[0], run_name='__main__')"
    _, out, _ = place.run([sys.executable, "-c", script, "keyring", "any", "load"])
    assert "pip install 'pullpass[keyring]'" in out
