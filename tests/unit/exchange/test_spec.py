import copy
import tomllib
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullpass.errors import ConfigError
from pullpass.exchange import spec as described
from pullpass.exchange.engine import check_parameters
from pullpass.exchange.place import Place
from pullpass.exchange.reader import read_spec

STEP: dict[str, Any] = {"id": "one", "url": "{exchange}/t", "out": {"token": "access_token"}}
SIGV4 = dict.fromkeys(("service", "region", "key_id", "secret_key", "session_token"), "x")
SPEC: dict[str, Any] = {
    "steps": [STEP],
    "credential": {"username": ["{user}"], "password": ["{one.token}"]},
}


def changed(path: str, value: object) -> dict[str, Any]:
    """Returns SPEC with value at path; None takes it away."""
    content = copy.deepcopy(SPEC)
    *outer, last = path.split(".")
    inner: Any = content
    for name in outer:
        inner = inner[int(name)] if name.isdigit() else inner.setdefault(name, {})
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return content


def test_the_example_at_the_head_of_the_module_is_a_spec() -> None:
    doc = described.__doc__
    assert doc
    example = doc[doc.index("    audience") : doc.index("Every other name")]
    spec = read_spec(tomllib.loads(example), "example")
    assert spec.parameters == {"region", "token_path", "namespace", "lifetime", "service_account"}
    assert spec.required({}) == frozenset()
    assert spec.required({"service_account": "x"}) == {"token_path"}


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ("surprise", 1, "surprise"),
        ("credential.surprise", 1, "credential.surprise"),
        ("steps.0.surprise", 1, "steps[0].surprise"),
        ("steps.0.auth.surprise", "x", "steps[0].auth.surprise"),
        ("steps.0.auth", {"bearer": "x", "basic": ["a", "b"]}, "steps[0].auth.basic"),
        ("steps", {}, "steps"),
        ("steps.0.id", None, "steps[0].id"),
        ("steps.0.id", "a.b", "steps[0].id"),
        ("steps.0.url", None, "steps[0].url"),
        ("steps.0.url", 1, "steps[0].url"),
        ("steps.0.url", "https://{user}/x", "steps[0].url"),
        ("steps.0.url", "{exchange}/{identity}", "steps[0].url"),
        ("steps.0.url", "{exchange}/{user?}", "steps[0].url"),
        ("steps.0.method", "DELETE", "steps[0].method"),
        ("steps.0.when", "identity", "steps[0].when"),
        ("steps.0.encoding", "xml", "steps[0].encoding"),
        ("steps.0.fields", {"a": "b"}, "steps[0].encoding"),
        ("steps.0.fields", {"a": 1}, "steps[0].fields.a"),
        ("steps.0.query", {"a": "{identity}"}, "steps[0].query"),
        ("steps.0.headers", {"Host": "x"}, "steps[0].headers"),
        ("steps.0.headers", {"Authorization": "x"}, "steps[0].headers"),
        ("steps.0.headers", {"a b": "x"}, "steps[0].headers"),
        ("steps.0.headers", {"x-a": "1", "X-A": "2"}, "steps[0].headers"),
        ("steps.0.auth", {"basic": ["a"]}, "steps[0].auth.basic"),
        ("steps.0.auth", {"bearer": "{user?}"}, "steps[0].auth.bearer"),
        ("steps.0.auth", {"sigv4": {}}, "steps[0].auth.sigv4.service"),
        ("steps.0.auth", {"sigv4": {**SIGV4, "x": "y"}}, "steps[0].auth.sigv4.x"),
        ("steps.0.auth", {"sigv4": {**SIGV4, "region": "{a?}"}}, "steps[0].auth.sigv4.region"),
        ("steps.0.fields", {"a": ["{one.token}"]}, "steps[0].fields.a"),
        ("steps.0.response", "yaml", "steps[0].response"),
        ("steps.0.codes", {"-": "x"}, "steps[0].codes"),
        ("steps.0.codes", {"Denied": ""}, "steps[0].codes"),
        ("steps.0.headers", {"x-a": "{one.token}"}, "steps[0].headers"),
        ("steps.0.headers", {"x-a": "{two.token}"}, "steps[0].headers"),
        ("steps.0.error", ["a..b"], "steps[0].error"),
        ("steps.0.out", {"token": ""}, "steps[0].out"),
        ("steps.0.out", {"to ken": "a"}, "steps[0].out"),
        ("steps.0.derive", {"x": "jwt_sub:other"}, "steps[0].derive"),
        ("steps.0.derive", {"x": "exec:token"}, "steps[0].derive"),
        ("steps.0.derive", {"x": "jwt_claim:token"}, "steps[0].derive"),
        ("steps.0.derive", {"x": "jwt_claim:token:"}, "steps[0].derive"),
        ("steps.0.derive", {"x": "pair_user:token:x"}, "steps[0].derive"),
        ("steps.0.derive", {"x": "pair_user:token:"}, "steps[0].derive"),
        ("steps.0.derive", {"token": "jwt_sub:token"}, "steps[0].derive"),
        ("steps.0.hints", {"often": "x"}, "steps[0].hints"),
        ("steps.0.hints", {"401": "a\nb"}, "steps[0].hints"),
        ("credential.username", "{user}", "credential.username"),
        ("credential.username", ["{none.token}"], "credential.username"),
        ("credential.password", None, "credential.password"),
        ("credential.password", "{one.token}", "credential.password"),
        ("credential.expires", ["asked:other"], "credential.expires"),
        ("credential.expires", ["asked:"], "credential.expires"),
        ("credential.expires", ["soon"], "credential.expires"),
        ("credential.expires", ["fixed:0"], "credential.expires"),
        ("credential.expires", ["fixed:99999999"], "credential.expires"),
        ("credential.expires", ["jwt:iat"], "credential.expires"),
        ("audience", "{identity}", "audience"),
        ("audience", "{user?}", "audience"),
        ("exchange", "{exchange}", "exchange"),
        ("exchange", "https://host/path", "exchange"),
        ("exchange", "http://host", "exchange"),
        ("defaults", {"other": "x"}, "defaults"),
        ("defaults", {"user": ""}, "defaults"),
        ("addresses", ["{user}-x.example.com"], "addresses"),
        ("addresses", ["{user?}.example.com"], "addresses"),
        ("addresses", ["{other}.example.com"], "addresses"),
        ("addresses", ["{user}..com"], "addresses"),
        ("addresses", ["{user}.a/b"], "addresses"),
        ("evidence", "rumour", "evidence"),
        ("trust", {"algorithms": "RS256"}, "trust.algorithms"),
        ("trust", {"max_lifetime": -1}, "trust.max_lifetime"),
        ("trust", {"subjects": []}, "trust.subjects"),
        ("hosts", ["registry"], "hosts"),
        ("hosts", "user", "hosts"),
        ("paths", ["other"], "paths"),
    ],
)
def test_what_a_spec_may_not_hold_is_refused_with_its_key(
    path: str, value: object, key: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        read_spec(changed(path, value), "acme")
    assert refused.value.key == f"providers.acme.{key}"


def test_the_spec_that_is_changed_above_is_good() -> None:
    assert read_spec(SPEC, "acme").required({}) == {"user"}


def test_a_step_cannot_use_what_comes_later() -> None:
    first = STEP | {"headers": {"x-token": "{two.token}"}}
    steps = {"steps": [first, STEP | {"id": "two"}]}
    with pytest.raises(ConfigError, match="is no output of a step before"):
        read_spec(SPEC | steps, "acme")


def test_a_list_of_texts_is_for_json_alone() -> None:
    step = STEP | {"encoding": "form", "fields": {"a": ["x"]}}
    with pytest.raises(ConfigError, match=r"steps\[0\]\.fields: are text"):
        read_spec(SPEC | {"steps": [step]}, "acme")
    listed = read_spec(SPEC | {"steps": [step | {"encoding": "json"}]}, "acme")
    assert listed.required({}) == {"user"}


def test_a_get_has_no_body() -> None:
    step = STEP | {"method": "GET", "encoding": "json"}
    with pytest.raises(ConfigError, match=r"steps\[0\]\.method: is POST where"):
        read_spec(SPEC | {"steps": [step]}, "acme")


def test_who_asks_nobody_reads_no_answer() -> None:
    shown = {"username": ["u"], "password": ["{identity}"], "expires": ["in:ttl"]}
    with pytest.raises(ConfigError, match=r"credential\.expires: there is no answer"):
        read_spec({"credential": shown}, "acme")


def test_two_steps_never_share_a_name() -> None:
    with pytest.raises(ConfigError, match=r"steps\[1\]\.id: stands twice"):
        read_spec(SPEC | {"steps": [STEP, STEP]}, "acme")


@pytest.mark.parametrize(
    "first",
    [
        STEP | {"out": {"token": "access_token?"}},
        STEP | {"when": "often"},
        {**STEP, "out": {"t": "t"}, "derive": {"token": "jwt_sub:t"}},
    ],
)
def test_what_may_be_absent_must_be_marked_so(first: dict[str, Any]) -> None:
    second = {"id": "two", "url": "{exchange}/u"}
    strict = second | {"headers": {"x-token": "{one.token}"}}
    with pytest.raises(ConfigError, match=r"may be absent: write \{one.token\?\}"):
        read_spec(SPEC | {"steps": [first, strict]}, "acme")
    marked = second | {"headers": {"x-token": "{one.token?}"}}
    assert read_spec(SPEC | {"steps": [first, marked]}, "acme").steps


def test_an_address_tells_parameters_which_an_entry_need_not_repeat() -> None:
    step = STEP | {"url": "https://api.{region}.example.com/", "headers": {"x-a": "{account}"}}
    told = {"addresses": ["{account}.cr.{region}.example.com"], "hosts": ["region"]}
    spec = read_spec(SPEC | {"steps": [step]} | told, "acme")
    parameters = {"user": "u"}
    assert spec.told("1.CR.eu.example.com") == {"account": "1", "region": "eu"}
    check_parameters(spec, parameters, Place(registry="1.cr.eu.example.com"))
    for other in ("1.cr.eu.example.org", "1.cr.eu.example.com:5000", "a.1.cr.eu.example.com", "r"):
        with pytest.raises(ConfigError, match=r"parameters\.account: is missing"):
            check_parameters(spec, parameters, Place(registry=other))


def test_the_parameters_are_those_of_the_templates_less_the_defaults() -> None:
    step = {
        **STEP,
        "url": "{exchange}/{tenant}",
        "encoding": "form",
        "fields": {"a": "{scope?}", "b": "{client}"},
        "query": {"q": "{registry}"},
    }
    spec = read_spec(SPEC | {"steps": [step], "defaults": {"client": "us"}}, "acme")
    assert spec.parameters == {"tenant", "scope", "client", "user"}
    assert spec.required({}) == {"tenant", "user"}


def test_a_step_that_is_left_out_needs_nothing() -> None:
    step = {"id": "two", "url": "{exchange}/{account}/{key}", "when": "account"}
    spec = read_spec(SPEC | {"steps": [STEP, step]}, "acme")
    assert spec.required({}) == {"user"}
    assert spec.required({"account": "x"}) == {"user", "account", "key"}


@pytest.mark.parametrize(
    ("parameters", "key"),
    [
        ({}, "user"),
        ({"user": "u", "usr": "u"}, "usr"),
        ({"user": ""}, "user"),
        ({"user": 1}, "user"),
        ({"user": "a\nb"}, "user"),
        ({"user": "u", "identity": "x"}, "identity"),
        ({"user": "u", "registry": "evil"}, "registry"),
        ({"user": "u", "exchange": "evil"}, "exchange"),
        ({"user": "u", "one.token": "x"}, "one.token"),
    ],
)
def test_a_wrong_parameter_is_refused_with_its_key(parameters: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_parameters(read_spec(SPEC, "acme"), parameters, Place(registry="r"))
    assert refused.value.key == f'registry."r".parameters.{key}'


def test_a_spec_cannot_be_changed() -> None:
    spec = read_spec(SPEC, "acme")
    with pytest.raises(FrozenInstanceError):
        spec.name = "other"  # type: ignore[misc]  # it is the point of the test


ANY = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8))
    | st.sampled_from(["{user}", "{one.token}", "json", "in:a", "https://{registry}/"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=4,
)
PATHS = ["audience", "exchange", "defaults", "hosts", "paths", "steps", "credential", "trust"]
PATHS += ["addresses", "evidence", "trust.algorithms", "trust.max_lifetime"]
PATHS += [f"credential.{name}" for name in ("username", "password", "expires")]
PATHS += [
    f"steps.0.{name}"
    for name in (
        *("id", "method", "url", "when", "encoding", "query", "headers", "auth", "fields"),
        *("error", "out", "derive", "hints", "codes", "response", "auth.sigv4"),
    )
]


@given(path=st.sampled_from(PATHS), value=ANY)
@settings(max_examples=200)
def test_any_table_is_a_spec_or_our_error(path: str, value: object) -> None:
    content = changed(path, "") if value is None else changed(path, value)
    try:
        spec = read_spec(content, "acme")
    except ConfigError:
        return
    assert spec.name == "acme"
