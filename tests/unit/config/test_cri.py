"""``[cri]`` and ``[registry.R.cri]``: the shim's settings."""

from pathlib import Path
from typing import Any

import pytest

from fakes.settings import REGISTRY, Place, changed, refusal_of
from pullpass.config.model import Config, Cri, CriPull
from pullpass.config.parse import parse
from pullpass.errors import ConfigError


def read(*changes: tuple[Place, Any]) -> Config:
    return parse(changed(*changes), Path("/var/lib/pullpass"))


def test_nothing_needs_to_be_said() -> None:
    config = read()

    assert config.cri == Cri()
    assert config.cri.listen == Path("/run/pullpass-cri/cri.sock")
    assert config.cri.backend == Path("/run/containerd/containerd.sock")
    assert config.cri.credentials == "agent"
    assert config.registries[REGISTRY].cri == CriPull()


def test_all_can_be_said() -> None:
    stated = {
        "listen": "/run/a.sock",
        "backend": "/run/crio/crio.sock",
        "status": "/run/b.sock",
        "credentials": "in-process",
        "agent": "/run/c.sock",
        "exchange_timeout": "5s",
        "drain": "2m",
    }
    pull = {
        "override": True,
        "fail": "open",
        "server_address": "https://mirror.example.com",
        "auth_failures": ["token is stale"],
    }

    config = read((("cri",), stated), (("registry", REGISTRY, "cri"), pull))

    assert config.cri == Cri(
        listen=Path("/run/a.sock"),
        backend=Path("/run/crio/crio.sock"),
        status=Path("/run/b.sock"),
        credentials="in-process",
        agent=Path("/run/c.sock"),
        exchange_timeout=5,
        drain=120,
    )
    assert config.registries[REGISTRY].cri == CriPull(
        override=True,
        fail_open=True,
        server_address="https://mirror.example.com",
        auth_failures=("token is stale",),
    )


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("cri", "credentials"), "keyring", 'cri.credentials: takes "agent" or "in-process"'),
        (("cri", "listen"), "cri.sock", "cri.listen: takes a path from the root"),
        (("cri", "listen"), f"/{'x' * 107}", "cri.listen: is longer than 107 bytes"),
        (("cri", "backend"), "/run/pullpass-cri/cri.sock", "cri.backend: is the path of listen"),
        (("cri", "status"), "/run/pullpass-cri/cri.sock", "cri.status: is the path of listen"),
        (("cri", "drain"), "soon", "cri.drain: takes a duration"),
        (("cri", "socket"), "/x", "cri.socket: is not a setting"),
        (("registry", REGISTRY, "cri", "fail"), "shut", 'cri.fail: takes "closed" or "open"'),
        (("registry", REGISTRY, "cri", "server_address"), "mirror:5000", "takes a URL"),
        (("registry", REGISTRY, "cri", "server_address"), "https://m/v2", "takes an origin"),
        (("registry", REGISTRY, "cri", "server_address"), "http://m", "is plain http"),
        (("registry", REGISTRY, "cri", "auth_failures"), [""], "takes a list of texts"),
        (("registry", REGISTRY, "cri", "overide"), True, "is not a setting"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(place: Place, value: Any, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read((place, value))

    assert message in refusal_of(refused.value)
