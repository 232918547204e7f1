import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.errors import InvalidReference
from pullpass.reference import (
    MAX_LENGTH,
    ServerUrl,
    parse_registry,
    parse_repository,
    parse_server_url,
)

registries = st.from_regex(
    r"[a-z0-9]{1,5}(-[A-Z]{1,3})?(\.[a-z]{2,5}){1,2}(:[1-9][0-9]{0,3})?", fullmatch=True
)
repositories = st.from_regex(
    r"[a-z]{1,5}([._-][a-z0-9]{1,4})?(/[a-z0-9]{1,5}){0,2}", fullmatch=True
)
nearly = st.text("aZ0./:@[]-_% \n?#é", max_size=40) | st.text(max_size=40)
mangled = st.builds(
    "{}{}{}/{}{}".format,
    st.sampled_from(["", "https://", "HTTP://", "ftp://", "//"]),
    registries,
    st.text(max_size=2) | st.sampled_from("@:/[]\n?"),
    repositories,
    st.sampled_from(["", "/", "//", ":1", "?a", "/v1/"]),
)


def url(registry: str, repository: str | None = None, *, plaintext: bool = False) -> ServerUrl:
    return ServerUrl(registry=registry, repository=repository, plaintext=plaintext)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("reg.example", url("reg.example")),
        ("reg.example:5000", url("reg.example:5000")),
        ("reg.example:443", url("reg.example:443")),
        ("https://reg.example", url("reg.example")),
        ("HTTPS://reg.example", url("reg.example")),
        ("https://reg.example:443", url("reg.example:443")),
        ("https://reg.example/", url("reg.example")),
        ("https://reg.example/v1", url("reg.example")),
        ("https://reg.example/v1/", url("reg.example")),
        ("https://reg.example/v2", url("reg.example")),
        ("https://reg.example/v2/", url("reg.example")),
        ("https://reg.example/v2/_catalog", url("reg.example")),
        ("http://reg.example", url("reg.example", plaintext=True)),
        ("http://reg.example:80/v2/", url("reg.example:80", plaintext=True)),
        ("reg.example/team/app", url("reg.example", "team/app")),
        ("https://reg.example/team/app/", url("reg.example", "team/app")),
        ("reg.example/v1beta/app", url("reg.example", "v1beta/app")),
        ("[::1]:5000/app", url("[::1]:5000", "app")),
        ("docker.io", url("docker.io")),
        ("index.docker.io", url("docker.io")),
        ("registry-1.docker.io", url("docker.io")),
        ("https://registry-1.docker.io/v2/", url("docker.io")),
        ("https://index.docker.io/v1/", url("docker.io")),
        ("https://index.docker.io/v1/access-token", url("docker.io")),
        ("https://index.docker.io/v1/refresh-token", url("docker.io")),
        ("index.docker.io/library/busybox", url("docker.io", "library/busybox")),
        ("docker.io/busybox", url("docker.io", "library/busybox")),
        ("  reg.example \r\n", url("reg.example")),
        ("\treg.example\n", url("reg.example")),
    ],
)
def test_every_spelling_that_clients_send_is_read(text: str, expected: ServerUrl) -> None:
    assert parse_server_url(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        " \r\n",
        "reg.example\nreg.evil",
        "reg.example\rx",
        "reg.example\0",
        "reg .example",
        "münchen.example",
        "https://",
        "https:///v2/",
        "//reg.example",
        "://reg.example",
        "ftp://reg.example",
        "nerdctl-experimental://reg.example",
        "https://https://reg.example",
        "https:reg.example",
        "user@reg.example",
        "https://user:password@reg.example/v2/",
        "reg.example@evil.example",
        "reg.example\\@evil.example",
        "reg.example:5000:5000",
        "reg.example:",
        "reg.example#x",
        "reg.example/team/app?x=1",
        "reg.example/team/app:1",
        "reg.example//app",
        "reg.example/Team",
        "reg.example/%2e%2e",
        "reg.example/" + "a" * MAX_LENGTH,
        "a" * (MAX_LENGTH + 1),
    ],
)
def test_what_no_client_may_send_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference):
        parse_server_url(text)


@given(
    st.sampled_from(["", "https://", "http://"]),
    registries,
    st.none() | repositories.filter(lambda path: path.split("/")[0] not in {"v1", "v2"}),
    st.sampled_from(["", "/"]),
)
def test_scheme_and_slash_do_not_change_what_is_meant(
    scheme: str, registry: str, repository: str | None, slash: str
) -> None:
    text = f"{scheme}{registry}{'/' + repository if repository else ''}{slash}"
    assert parse_server_url(text) == url(registry, repository, plaintext=scheme == "http://")


@given(nearly | mangled)
def test_any_text_is_a_server_url_or_refused(text: str) -> None:
    try:
        parsed = parse_server_url(text)
    except InvalidReference as refused:
        assert str(refused).isprintable()
    else:
        assert parse_registry(parsed.registry) == parsed.registry
        assert parsed.repository is None or parse_repository(parsed.repository)
