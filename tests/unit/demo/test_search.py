from base64 import b64encode
from pathlib import Path

import pytest

from pullpass import jose
from pullpass.credential import Credential
from pullpass.demo.search import PromiseBroken, forms, prove, search
from pullpass.secret import Secret

PASSWORD = Secret("correct horse battery staple")


def test_a_clean_directory_keeps_the_promise(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config.json").write_text('{"credHelpers": {"a.example": "pullpass"}}')

    searched = prove(tmp_path, [PASSWORD, PASSWORD])

    assert (searched.secrets, searched.files, searched.found) == (1, 1, ())
    assert searched.size == 42
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_secret_in_any_file_breaks_it_and_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "server.log").write_text(f"password={PASSWORD.reveal()}")

    with pytest.raises(PromiseBroken) as raised:
        prove(tmp_path, [PASSWORD])

    assert "logs/server.log" in str(raised.value)
    assert PASSWORD.reveal() not in str(raised.value)


def test_docker_s_own_form_of_a_secret_is_looked_for(tmp_path: Path) -> None:
    credential = Credential(username="puller", secret=PASSWORD)
    auth = b64encode(b"puller:" + PASSWORD.reveal().encode()).decode()
    (tmp_path / "config.json").write_text(f'{{"auths": {{"a.example": {{"auth": "{auth}"}}}}}}')

    assert search(tmp_path, forms(credential)).found == (tmp_path / "config.json",)


def test_a_token_that_nobody_told_about_is_found_by_its_shape(tmp_path: Path) -> None:
    token = jose.sign({"sub": "somebody"}, jose.generate_key(), kid="1")
    (tmp_path / "trace").write_text(f"Authorization: Bearer {token.reveal()}")

    assert search(tmp_path, []).found == (tmp_path / "trace",)


@pytest.mark.parametrize("user", ["p", "pu", "puller", "00000000-0000-0000-0000-000000000000"])
def test_a_token_that_nobody_told_about_is_found_as_docker_keeps_it(
    tmp_path: Path, user: str
) -> None:
    token = jose.sign({"sub": "somebody"}, jose.generate_key(), kid="1")
    auth = b64encode(f"{user}:{token.reveal()}".encode()).decode()
    (tmp_path / "auth.json").write_text(f'{{"auths": {{"a.example": {{"auth": "{auth}"}}}}}}')

    assert search(tmp_path, []).found == (tmp_path / "auth.json",)
