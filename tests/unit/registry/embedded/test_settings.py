import json
from pathlib import Path
from typing import Any

import pytest

from pullpass.certificates import certify
from pullpass.errors import ConfigError
from pullpass.jose import generate_key
from pullpass.registry.embedded.settings import VARIABLE, Settings, read_settings


def written(value: object) -> dict[str, str]:
    return {VARIABLE: json.dumps(value)}


def trusting(tmp_path: Path, **changes: Any) -> dict[str, Any]:
    auth = {
        "realm": "https://auth.test/token",
        "service": "registry.test",
        "issuer": "https://auth.test",
        "certificates": str(tmp_path / "keys.pem"),
    }
    kept = {name: value for name, value in (auth | changes).items() if value is not None}
    return {"root": str(tmp_path), "auth": kept}


def test_a_registry_may_be_open(tmp_path: Path) -> None:
    found = read_settings(written({"root": str(tmp_path), "auth": None}))
    assert found == Settings(root=tmp_path, trust=None)


def test_keys_are_known_by_their_fingerprints(tmp_path: Path) -> None:
    keys = [generate_key(), generate_key()]
    (tmp_path / "keys.pem").write_bytes(b"".join(certify(key, "test") for key in keys))
    trust = read_settings(written(trusting(tmp_path))).trust
    assert trust is not None
    assert set(trust.keys) == {key.public.libtrust_id() for key in keys}
    assert (trust.service, trust.issuer) == ("registry.test", "https://auth.test")


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"realm": None}, "realm"),
        ({"service": ""}, "service"),
        ({"issuer": 1}, "issuer"),
        ({"certificates": None}, "certificates"),
        ({"certificates": "keys.pem"}, "certificates"),
        ({"certificates": "/nowhere/keys.pem"}, "certificates"),
        ({"more": "x"}, "more"),
    ],
)
def test_a_setting_that_is_wrong_is_named(
    tmp_path: Path, changes: dict[str, Any], key: str
) -> None:
    (tmp_path / "keys.pem").write_bytes(certify(generate_key(), "test"))
    with pytest.raises(ConfigError) as error:
        read_settings(written(trusting(tmp_path, **changes)))
    assert error.value.key == f"{VARIABLE}.auth.{key}"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "junk",
        "[]",
        "{}",
        '{"root": "/x"}',
        '{"root": "x", "auth": null}',
        '{"auth": null}',
        '{"root": "/x", "auth": []}',
        '{"root": "/x", "auth": null, "more": 1}',
    ],
)
def test_anything_else_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match=VARIABLE):
        read_settings({VARIABLE: value})


def test_the_variable_must_be_there() -> None:
    with pytest.raises(ConfigError, match=VARIABLE):
        read_settings({})


def test_what_is_no_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys.pem").write_bytes(b"junk")
    with pytest.raises(ConfigError, match="cannot be read as certificates"):
        read_settings(written(trusting(tmp_path)))
