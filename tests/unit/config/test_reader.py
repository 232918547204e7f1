from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.settings import refusal_of
from pullpass.config.reader import Table, dotted
from pullpass.errors import ConfigError

Take = Callable[[Table], object]

WRONG: Final[Mapping[str, tuple[Take, list[Any]]]] = {
    "text": (lambda table: table.text("it"), [1, 1.5, True, [], {}, "", date.min]),
    "flag": (lambda table: table.flag("it", default=False), [0, 1, "true", "", [], {}]),
    "texts": (lambda table: table.texts("it"), ["one", 1, {}, [1], ["a", ""], ["a", None], [[]]]),
    "duration": (lambda table: table.duration("it", 1), [5, 5.0, True, [], {}]),
    "mapping": (lambda table: table.mapping("it"), ["a", 1, [], [{}]]),
    "table": (lambda table: table.table("it"), ["a", 1, True, [], [{}]]),
    "tables": (lambda table: list(table.tables("it")), ["a", {}, [1], [{}, "a"], [[]]]),
    "path": (lambda table: table.path("it"), [1, [], "", "here", "./it", "~/it", "/a\0b", "/a\nb"]),
    "url": (lambda table: table.url("it", insecure=True), [1, [], "", True]),
    "named": (lambda table: list(table.named("it")), ["a", [], {"a": 1}]),
}


def refused(take: Take, value: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        take(Table({"it": value}, "here"))
    refusal_of(caught.value)
    return caught.value


def seconds(text: str) -> int:
    return Table({"it": text}).duration("it", 0)


@pytest.mark.parametrize(
    ("take", "value"),
    [
        pytest.param(take, value, id=f"{name} {value!r}".replace("\0", "NUL"))
        for name, (take, values) in WRONG.items()
        for value in values
    ],
)
def test_another_type_is_refused_by_its_dotted_name(take: Take, value: object) -> None:
    assert refused(take, value).key.startswith("here.it")


@pytest.mark.parametrize("name", ["text", "texts", "url"])
def test_what_has_no_default_must_be_there(name: str) -> None:
    with pytest.raises(ConfigError, match="is missing") as caught:
        WRONG[name][0](Table({}, "here"))
    assert caught.value.key == "here.it"


def test_what_has_a_default_may_be_left_out() -> None:
    table = Table({})
    assert table.text("a", "") == ""
    assert table.texts("a", ("b",)) == ("b",)
    assert table.flag("a", default=True) is True
    assert table.duration("a", 9_999_999) == 9_999_999
    assert table.path("a") is None
    assert table.mapping("a") == {}
    assert list(table.tables("a")) == []
    assert list(table.named("a")) == []
    assert table.url("a", "https://host", insecure=False) == "https://host"
    table.done()


def test_an_inner_mistake_is_named_with_its_own_key() -> None:
    assert refused(lambda table: table.mapping("it"), {"a b": 1}).key == 'here.it."a b"'
    assert refused(lambda table: list(table.named("it")), {"UP": {}}).key == "here.it.UP"
    assert refused(lambda table: list(table.named("it")), {"ok": 1}).key == "here.it.ok"
    inner = list(Table({"it": [{}, {}]}, "here").tables("it"))
    assert [table.key for table in inner] == ["here.it[0]", "here.it[1]"]


def test_what_nobody_took_is_refused() -> None:
    table = Table({"known": "a", "unknown": 1}, "keys.a")
    table.text("known")
    assert table.has("unknown")
    assert not table.has("known")
    with pytest.raises(ConfigError, match="not a setting") as caught:
        table.done()
    assert caught.value.key == "keys.a.unknown"


@pytest.mark.parametrize(
    ("names", "key"),
    [
        (["keys", "a-b_C1"], "keys.a-b_C1"),
        (["registry", "reg.example:5000"], 'registry."reg.example:5000"'),
        (["registry", ""], 'registry.""'),
        (["é"], '"é"'),
        (['a"b', "c\\d"], r'"a\"b"."c\\d"'),
        (["a\n"], '"a\n"'),
    ],
)
def test_a_key_is_quoted_where_toml_needs_it(names: list[str], key: str) -> None:
    assert dotted(*names) == key
    table = Table({})
    for name in names[:-1]:
        table = table.table(name)
    assert table.dotted(names[-1]) == key


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1s", 1),
        ("5m", 300),
        ("1h", 3600),
        ("90d", 90 * 86400),
        ("1y", 365 * 86400),
        ("1h30m", 5400),
        ("1y2d5h", 365 * 86400 + 2 * 86400 + 5 * 3600),
        ("10m30s", 630),
        ("999999s", 999_999),
        ("0h1s", 1),
    ],
)
def test_a_duration_is_amounts_and_units(text: str, expected: int) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "m",
        "0s",
        "0h0m",
        "-5m",
        "+5m",
        "5 m",
        " 5m",
        "5m ",
        "5m\n",
        "5M",
        "5w",
        "5ms",
        "1.5h",
        "1e3s",
        "1h, 5m",
        "PT5M",
        "5min",
        "٥m",
        "1000000s",
        "1_000s",
    ],
)
def test_anything_else_is_no_duration(text: str) -> None:
    assert refused(lambda table: table.duration("it", 1), text).key == "here.it"


@given(st.lists(st.tuples(st.integers(0, 999_999), st.sampled_from("ydhms")), min_size=1))
def test_a_duration_is_the_sum_of_its_parts(parts: list[tuple[int, str]]) -> None:
    units = {"y": 31_536_000, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
    total = sum(amount * units[unit] for amount, unit in parts)
    text = "".join(f"{amount}{unit}" for amount, unit in parts)
    if total:
        assert seconds(text) == total
    else:
        refused(lambda table: table.duration("it", 1), text)


@pytest.mark.parametrize(
    "url",
    [
        "https://id.example.com",
        "https://id.example.com:8443",
        "https://id.example.com/t/6f1c/jwt/jfrog",
        "https://ID.Example.com/A-b_c.d~e",
        "https://192.0.2.1/x",
        "https://[2001:db8::1]:8443/x",
        "https://id.example.com/a%20b@c:d",
    ],
)
def test_an_https_url_is_taken_as_it_is(url: str) -> None:
    assert Table({"it": url}).url("it", insecure=False) == url
    assert Table({"it": url}).url("it", insecure=True) == url


@pytest.mark.parametrize(
    "url",
    [
        "id.example.com",
        "//id.example.com",
        "https:",
        "https://",
        "https:///path",
        "https://:443",
        "https://id.example.com:",
        "https://id.example.com:0",
        "https://id.example.com:65536",
        "https://id.example.com:port",
        "https://id.example.com/",
        "https://id.example.com/a/",
        "https://id.example.com?",
        "https://id.example.com/a?b=c",
        "https://id.example.com#",
        "https://id.example.com/a#b",
        "https://user@id.example.com",
        "https://user:hunter2@id.example.com",
        "https://@id.example.com",
        "HTTPS://id.example.com",
        "ftp://id.example.com",
        "file://id.example.com/etc",
        " https://id.example.com",
        "https://id.example.com ",
        "https://id .example.com",
        "https://id.example.com/a b",
        "https://id.example.com/a\nb",
        "https://id.example.com\t",
        "https://id.example.com/\x01",
        "https://id.example.com/%zz",
        "https://id.example.com/é",
        "https://idé.example.com",
        "https://id.example.com\\@evil.example.com",
        "https://[::1",
        "https://[zz]",
        "https://[::1]x",
        "http://id.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://192.168.0.1",
    ],
)
@pytest.mark.parametrize("insecure", [False, True])
def test_another_url_is_refused(url: str, *, insecure: bool) -> None:
    error = refused(lambda table: table.url("it", insecure=insecure), url)
    assert error.key == "here.it"
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    "url", ["http://localhost", "http://127.0.0.1:8441/x", "http://127.9.9.9", "http://[::1]:80"]
)
def test_plain_http_is_for_loopback_where_it_was_allowed(url: str) -> None:
    assert Table({"it": url}).url("it", insecure=True) == url
    error = refused(lambda table: table.url("it", insecure=False), url)
    assert "use https" in str(error)


def test_an_origin_has_no_path() -> None:
    origin = "https://auth.example.com:8443"
    assert Table({"it": origin}).origin("it", insecure=False) == origin
    assert not Table({}).origin("it", insecure=False)
    error = refused(lambda table: table.origin("it", insecure=False), f"{origin}/a")
    assert "without a path" in str(error)


def test_a_path_begins_at_the_root() -> None:
    assert Table({"it": "/etc/a b"}).path("it") == Path("/etc/a b")


def taken(table: Table, takes: Iterable[Take]) -> None:
    for take in takes:
        try:
            take(table)
        except ConfigError as error:
            assert error.key
            refusal_of(error)


@given(st.text() | st.text("htps:/[]@.?#%a0 \n", max_size=30))
def test_any_text_is_a_value_or_a_config_error(text: str) -> None:
    for name in ("text", "duration", "path", "url"):
        taken(Table({"it": text}, "here"), [WRONG[name][0]])
