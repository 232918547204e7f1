from pathlib import Path
from typing import Any

import pytest

from fakes.vendors import VENDORS, Vendor
from pullpass.config.model import ProviderFile
from pullpass.errors import ConfigError
from pullpass.exchange.catalog import load, names
from pullpass.exchange.engine import check_parameters
from pullpass.exchange.spec import Spec
from pullpass.glob import matches


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_each_parameter_that_is_needed_is_told_where_it_is_missing(vendor: Vendor) -> None:
    spec = load(vendor.provider)
    for name in spec.required(spec.told(vendor.registry)) - spec.told(vendor.registry).keys():
        fewer = {key: value for key, value in vendor.parameters.items() if key != name}
        with pytest.raises(ConfigError, match=rf"\.parameters\.{name}: is missing and"):
            check_parameters(spec, fewer, vendor.place)


def test_a_registry_of_ecr_tells_its_region() -> None:
    spec = load("ecr")
    assert spec.told("123456789012.dkr.ecr.eu-central-1.amazonaws.com") == {
        "region": "eu-central-1"
    }
    assert spec.told("123456789012.dkr-ecr.eu-west-3.on.aws") == {"region": "eu-west-3"}
    assert spec.told("registry.example.com") == {}


def test_a_spec_knows_whom_the_other_side_believes() -> None:
    github = "https://token.actions.githubusercontent.com"
    assert load("dockerhub").trust.issuers == (github,)
    assert any(matches(glob, github) for glob in load("buildkite").trust.issuers)
    assert load("buildkite").trust.max_lifetime == 300
    for name in ("acr", "quay"):
        assert "RS256" in load(name).trust.algorithms
        assert "ES256" not in load(name).trust.algorithms


@pytest.mark.parametrize("name", ["nobody", "../catalog", "jfrog.toml", "JFROG", "."])
def test_another_name_is_refused_and_the_known_ones_are_listed(name: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(name)
    assert str(refused.value) == f"provider: {name} is no provider: use {', '.join(names())}"


OWN = Path("/etc/pullpass/providers.d/acme.toml")
GOOD: dict[str, Any] = {
    "steps": [{"id": "a", "url": "https://acme.example.com/t", "out": {"token": "t"}}],
    "credential": {"username": ["u"], "password": ["{a.token}"]},
}


def own(**changes: Any) -> Spec:
    return load("acme", {"acme": ProviderFile(path=OWN, content=GOOD | changes)})


def test_a_spec_of_ones_own_is_one_as_any() -> None:
    assert own().name == "acme"
    assert "acme" in names(["acme"])


def step(**changes: Any) -> dict[str, Any]:
    return {"steps": [GOOD["steps"][0] | changes]}


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"surprise": 1}, "surprise", "is not a setting"),
        (step(surprise=1), "steps[0].surprise", "is not a setting"),
        (step(headers={"x": "{a.token}"}), "steps[0].headers", "is no output of a step before"),
        (step(url="http://acme.example.com/t"), "steps[0].url", "starts with https://"),
        (step(url="http://127.0.0.1/t"), "steps[0].url", "starts with https://"),
        (step(url="https://{server}/t"), "steps[0].url", "may not name a host"),
        (step(url="https://{server}.example.com/t"), "steps[0].url", "may not name a host"),
        (step(url="https://u@acme.example.com/t"), "steps[0].url", "is not host[:port]"),
    ],
)
def test_what_a_spec_of_ones_own_may_not_do_is_told_with_key_and_file(
    changes: dict[str, Any], key: str, words: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        own(**changes)
    assert refused.value.key == f"providers.acme.{key}"
    assert words in str(refused.value)
    assert str(refused.value).endswith(f" (in {OWN})")


def test_steps_that_need_each_other_are_refused() -> None:
    first = GOOD["steps"][0] | {"headers": {"x": "{b.token}"}}
    second = GOOD["steps"][0] | {"id": "b", "headers": {"x": "{a.token}"}}
    with pytest.raises(ConfigError, match=r"steps\[0\]\.headers: \{b\.token\} is no output"):
        own(steps=[first, second])


def test_the_name_of_a_provider_that_is_there_is_refused() -> None:
    path = OWN.with_name("jfrog.toml")
    with pytest.raises(ConfigError, match=rf"^{path}: jfrog comes with pullpass: give yours"):
        load("jfrog", {"jfrog": ProviderFile(path=path, content=GOOD)})
