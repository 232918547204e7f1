from string import printable
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pullpass.errors import ConfigError, MalformedInput
from pullpass.exchange.template import (
    Encode,
    Hole,
    Template,
    authority,
    header_value,
    host_label,
    parse_template,
    path_segment,
    path_segments,
    plain,
    render,
)
from pullpass.exchange.url import check_origin, parse_url, render_url
from pullpass.secret import Secret

NOTHING: frozenset[str] = frozenset()
ODD = st.text(alphabet=st.one_of(st.sampled_from("/.?#@:[]%&=\\ \r\n\0{}x"), st.characters()))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("plain", ("plain",)),
        ("{x}", (Hole(name="x"),)),
        ("{step.out}", (Hole(name="step.out"),)),
        ("{x?}", (Hole(name="x", optional=True),)),
        ("{a.b?}", (Hole(name="a.b", optional=True),)),
        ("{org}+{robot}", (Hole(name="org"), "+", Hole(name="robot"))),
    ],
)
def test_a_template_is_text_with_holes(text: str, parts: tuple[str | Hole, ...]) -> None:
    assert parse_template(text) == Template(parts=parts)


@pytest.mark.parametrize(
    "text",
    [
        *["{", "}", "{}", "{{x}}", "{x", "{x??}", "{?x}", "{a.b.c}", "{1}", "{x!r}", "{x:>9}"],
        *["{ x }", "{x|y}", "${x}}", "{é}", "{x.}", "{.x}", "{x[0]}", "{x}{"],
    ],
)
def test_nothing_else_is_a_template(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^steps\[0\]\.url: a template knows"):
        parse_template(text, "steps[0].url")


@given(st.one_of(st.text(), st.text(alphabet="{}x.?a")))
@settings(max_examples=200)
def test_any_text_is_a_template_or_our_error(text: str) -> None:
    try:
        template = parse_template(text)
    except ConfigError:
        return
    again = [
        f"{{{p.name}{'?' * p.optional}}}" if isinstance(p, Hole) else p for p in template.parts
    ]
    assert "".join(again) == text


def test_a_value_with_braces_is_not_read_again() -> None:
    assert render(parse_template("<{x}>"), {"x": "{y}", "y": "no"}) == "<{y}>"


def test_a_template_whose_value_is_absent_gives_nothing() -> None:
    assert render(parse_template("a{x?}b"), {}) is None


def test_a_secret_is_revealed_where_it_stands_and_shown_nowhere_else() -> None:
    values = {"x": Secret("hunter2")}
    assert render(parse_template("Bearer {x}"), values) == "Bearer hunter2"
    assert "hunter2" not in repr((parse_template("Bearer {x}"), values))


@pytest.mark.parametrize(
    ("encode", "value"),
    [
        *((plain, value) for value in ["a\nb", "a\r", "\0", "\x7f", "\ud800", "\u2028"]),
        *((header_value, value) for value in ["a\r\nx: y", " a", "a ", "é", "\t"]),
        *(
            (host_label, value)
            for value in ["", "a.b", "a:1", "-a", "a-", "a/b", "a@b", "é", "a\n"]
        ),
        *((host_label, value) for value in ["a" * 64, "_"]),
        *(
            (authority, value)
            for value in ["", ":80", "a:", "a:0", "a:65536", "a:+1", "a b", "u@a"]
        ),
        *((authority, value) for value in ["a/b", "a?b", "a#b", "a\\b", "[", "[::1", "[x]", "::1"]),
        *((authority, value) for value in ["a..b", ".a", "[fe80::1%25x]", "a:٣", "a:80:80", "a\n"]),
        *((path_segments, value) for value in ["", "/", "a//b", "..", "a/../b", "a/.", "/a", "a/"]),
    ],
)
def test_a_value_that_would_leave_its_place_is_refused(encode: Encode, value: str) -> None:
    with pytest.raises(MalformedInput) as refused:
        render(parse_template("{secret_name}"), {"secret_name": value}, encode)
    assert str(refused.value).startswith("{secret_name} ")


@pytest.mark.parametrize(
    ("encode", "value", "text"),
    [
        (path_segment, "a/b?c#d%e f", "a%2Fb%3Fc%23d%25e%20f"),
        (path_segment, "grün", "gr%C3%BCn"),
        (path_segments, "realms/a b/token", "realms/a%20b/token"),
        (host_label, "eu-west-1", "eu-west-1"),
        (authority, "registry.example.com:8443", "registry.example.com:8443"),
        (authority, "[::1]:5000", "[::1]:5000"),
        (header_value, "Bearer x.y", "Bearer x.y"),
    ],
)
def test_a_value_is_encoded_for_its_place(encode: Encode, value: str, text: str) -> None:
    assert encode(value) == text


@pytest.mark.parametrize(
    "text",
    [
        *["http://{registry}/x", "{registry}/x", "//{registry}", "https://", "https:///x"],
        *["{exchange}x", "{exchange}:80/x", "{exchange}{registry}", "https://{other}/x"],
        *["https://{registry}.evil/x", "https://{registry}:80/x", "https://u@host/x"],
        *["https://host/a?b=c", "https://host/a#b", "https://host/a b", "https://host/../x"],
        *["https://host/%zz", "https://host/%{x}41", "https://host/a{tail}", "https://a_b/"],
        *["https://{region?}.host/x", "https://host:99999/", "https://x{exchange}/"],
        "HTTPS://host/",
    ],
)
def test_a_url_reaches_the_registry_the_exchange_or_a_declared_host_only(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^url: "):
        parse_url(text, "url", hosts=frozenset({"region"}), paths=frozenset({"tail"}))


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("https://{registry}/v2/", "https://reg.example:5000/v2/"),
        ("{exchange}", "https://auth.example"),
        ("{exchange}/oauth/token", "https://auth.example/oauth/token"),
        ("{exchange}/{tail}", "https://auth.example/a%20b/c"),
        ("https://sts.{region}.amazonaws.com/", "https://sts.eu-west-1.amazonaws.com/"),
        ("https://{region}/x", "https://eu-west-1/x"),
        ("https://host:8443/org-{org}:go", "https://host:8443/org-a%2Fb:go"),
    ],
)
def test_a_url_is_filled(text: str, rendered: str) -> None:
    url = parse_url(text, "", hosts=frozenset({"region"}), paths=frozenset({"tail"}))
    values = {"registry": "reg.example:5000", "exchange": "https://auth.example"}
    values |= {"region": "eu-west-1", "org": "a/b", "tail": "a b/c"}
    assert render_url(url, values, insecure=False) == rendered


def test_only_the_registry_itself_is_asked_in_plain_http_where_that_is_allowed() -> None:
    asked = [
        render_url(
            parse_url(text, "", hosts=NOTHING, paths=NOTHING),
            {"registry": "[::1]:80"},
            insecure=True,
        )
        for text in ("https://{registry}/", "https://host/")
    ]
    assert asked == ["http://[::1]:80/", "https://host/"]


@pytest.mark.parametrize(
    ("origin", "insecure"),
    [
        *((origin, False) for origin in ["", "host", "http://localhost", "https://", "https://h/"]),
        *((origin, False) for origin in ["https://h/p", "https://u@h", "https://h?q", "ftp://h"]),
        *((origin, True) for origin in ["http://host", "http://10.0.0.1", "ftp://localhost"]),
    ],
)
def test_what_is_no_safe_origin_is_refused(origin: str, *, insecure: bool) -> None:
    with pytest.raises(MalformedInput):
        check_origin(origin, insecure=insecure)


@given(region=ODD, segment=ODD, tail=ODD, registry=ODD)
@example(region="evil.com/", segment=".", tail="..", registry="evil@host")
@example(region="a", segment="..", tail="a/b", registry="host")
@settings(max_examples=200)
def test_no_value_leaves_its_place_in_a_url(
    region: str, segment: str, tail: str, registry: str
) -> None:
    values = {"region": region, "segment": segment, "tail": tail, "registry": registry}
    _stays(values, "https://api.{region}.example.com:8443/v1/{segment}/go", segments=4)
    _stays(values, "https://{registry}/v1/x-{segment}/{segment}/", segments=5)
    _stays(values, "https://host/{tail}/end", segments=3 + tail.count("/"))


@given(st.text(alphabet=printable, max_size=12), st.text(alphabet=printable, max_size=12))
@settings(max_examples=200)
def test_a_segment_gives_back_its_value(first: str, second: str) -> None:
    _stays({"a": first, "b": second}, "https://host/{a}/{b}", segments=3)


def _stays(values: dict[str, str], text: str, segments: int) -> None:
    url = parse_url(text, "", hosts=frozenset({"region"}), paths=frozenset({"tail"}))
    try:
        parts = urlsplit(render_url(url, values, insecure=False))
    except MalformedInput:
        return
    assert (parts.scheme, parts.query, parts.fragment, parts.username) == ("https", "", "", None)
    assert parts.netloc == _filled(urlsplit(text).netloc, values)
    path = parts.path.split("/")
    assert len(path) == segments
    assert not {".", ".."} & set(path)
    assert unquote(parts.path) == _filled(urlsplit(text).path, values)


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
