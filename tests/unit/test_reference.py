from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.errors import InvalidReference
from pullpass.reference import (
    MAX_LENGTH,
    Reference,
    parse_reference,
    parse_registry,
    parse_repository,
    parse_server_url,
)

SHA256 = "sha256:" + "0123456789abcdef" * 4
HEX64 = "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a"

words = st.text("abcz019", min_size=1, max_size=6)
separators = st.sampled_from([".", "_", "__", "-", "---"])
components = st.builds("{}{}{}".format, words, separators, words) | words
repositories = st.lists(components, min_size=1, max_size=4).map("/".join)
labels = st.text("abcXYZ019", min_size=1, max_size=5)
hosts = (
    st.lists(labels, min_size=2, max_size=4).map(".".join)
    | st.just("localhost")
    | st.ip_addresses(v=4).map(str)
    | st.ip_addresses(v=6).map(lambda ip: f"[{ip.exploded}]")
)
ports = st.just("") | st.integers(1, 65535).map(":{}".format)
registries = st.builds("{}{}".format, hosts, ports)
tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True)
references = st.builds(
    "{}/{}{}{}".format,
    registries,
    repositories,
    st.just("") | tags.map(":{}".format),
    st.just("") | st.just(f"@{SHA256}"),
)
nearly = st.text("aZ0./:@[]-_% \n?#é", max_size=40) | st.text(max_size=40)
mangled = st.builds(
    lambda text, at, more: text[: at % (len(text) + 1)] + more + text[at % (len(text) + 1) :],
    references,
    st.integers(0, 400),
    st.text(max_size=2) | st.sampled_from("@:/[]\n"),
)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("busybox", "docker.io/library/busybox:latest"),
        ("busybox:1.36", "docker.io/library/busybox:1.36"),
        ("library/busybox", "docker.io/library/busybox:latest"),
        ("docker.io/busybox", "docker.io/library/busybox:latest"),
        ("docker.io/library/foo/bar", "docker.io/library/foo/bar:latest"),
        ("index.docker.io/busybox", "docker.io/library/busybox:latest"),
        ("index.docker.io/acme/app:1", "docker.io/acme/app:1"),
        ("registry-1.docker.io/acme/app:1", "docker.io/acme/app:1"),
        ("registry.hub.docker.com/acme/app:1", "registry.hub.docker.com/acme/app:1"),
        ("acme/app", "docker.io/acme/app:latest"),
        ("test_com/foo", "docker.io/test_com/foo:latest"),
        ("localhost/app", "localhost/app:latest"),
        ("localhost:5000/app", "localhost:5000/app:latest"),
        ("localhost:5000", "docker.io/library/localhost:5000"),
        ("192.168.0.1", "docker.io/library/192.168.0.1:latest"),
        ("192.168.0.1:80", "docker.io/library/192.168.0.1:80"),
        ("127.0.0.1:5000/team/app", "127.0.0.1:5000/team/app:latest"),
        ("[fc00::1]:5000/app", "[fc00::1]:5000/app:latest"),
        ("[fc00::1]/app", "[fc00::1]/app:latest"),
        (
            "[fc00:1:2:3:4:5:6:7]:5000/library/debian",
            "[fc00:1:2:3:4:5:6:7]:5000/library/debian:latest",
        ),
        ("xn--n3h.com:18080/foo", "xn--n3h.com:18080/foo:latest"),
        ("FOO/bar", "FOO/bar:latest"),
        ("Reg.Example/bar", "Reg.Example/bar:latest"),
        ("reg.example:443/a/b/c:V1.0-rc_1", "reg.example:443/a/b/c:V1.0-rc_1"),
        (f"busybox@{SHA256}", f"docker.io/library/busybox@{SHA256}"),
        (f"busybox:1@{SHA256}", f"docker.io/library/busybox:1@{SHA256}"),
        (f"reg.example:5000/app@{SHA256}", f"reg.example:5000/app@{SHA256}"),
        ("a@sha512+b64u.x:" + "F" * 32, "docker.io/library/a@sha512+b64u.x:" + "F" * 32),
        (f"docker.io/{HEX64}", f"docker.io/library/{HEX64}:latest"),
        (HEX64[:-1], f"docker.io/library/{HEX64[:-1]}:latest"),
        ("docker---rules/dock__er", "docker.io/docker---rules/dock__er:latest"),
        ("a" * 247, f"docker.io/library/{'a' * 247}:latest"),
    ],
)
def test_a_reference_has_the_canonical_text_that_docker_gives_it(text: str, canonical: str) -> None:
    assert str(parse_reference(text)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        " busybox",
        "busybox\n",
        "Busybox",
        "docker/Docker",
        "reg.example/App",
        "-docker",
        "-docker/docker",
        "-docker.io/docker/docker",
        "docker-/docker",
        "docker///docker",
        "docker/",
        "/docker",
        "docker.io/",
        "dock..er/docker",
        "dock_.er/docker",
        "dock___er/docker",
        "_docker/_docker",
        "https://reg.example/app",
        "fc00::1:5000/debian",
        "[fc00::1]",
        "[fc00::1]:5000",
        "[fe80::1%eth0]:5000/debian",
        "[2001:db8::192.0.2.33]:5000/debian",
        "[::::]/debian",
        "[::1/debian",
        "reg.example.:80/app",
        "reg..example/app",
        "reg-.example/app",
        "reg_x.example/app",
        "reg.example:/app",
        "reg.example:0/app",
        "reg.example:65536/app",
        "reg.example:99999999999999999999/app",
        "reg.example:８０/app",
        "münchen.example/app",
        "app:",
        "app:-x",
        "app:" + "x" * 129,
        "app:a:b",
        "app@",
        "app@sha256",
        "app@sha256:" + "a" * 63,
        "app@sha256:" + "A" * 64,
        "app@sha512:" + "a" * 64,
        "app@other:" + "a" * 31,
        "app@1sha:" + "a" * 32,
        f"app@{SHA256}:tag",
        f"@{SHA256}",
        "user:hunter2@reg.example/app",
        HEX64,
        "a" * 256,
        "a" * 248,
        "reg.example/" + "a" * 256,
        "a." * MAX_LENGTH + "a/app",
    ],
)
def test_what_docker_refuses_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference):
        parse_reference(text)


def test_the_parts_of_a_reference_are_told_apart() -> None:
    assert parse_reference(f"reg.example:5000/team/app:1@{SHA256}") == Reference(
        registry="reg.example:5000", repository="team/app", tag="1", digest=SHA256
    )


def test_an_upper_case_repository_is_told_to_be_written_in_lower_case() -> None:
    with pytest.raises(InvalidReference, match="lower case"):
        parse_reference("reg.example/Team/App")


@given(references)
def test_the_canonical_text_of_a_reference_gives_the_same_reference(text: str) -> None:
    parsed = parse_reference(text)
    assert parse_reference(str(parsed)) == parsed


@given(nearly | mangled)
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        parsed = parse_reference(text)
    except InvalidReference as refused:
        assert str(refused).isprintable()
    else:
        assert parse_reference(str(parsed)) == parsed
        assert parse_registry(parsed.registry) == parsed.registry
        assert parse_repository(parsed.repository) == parsed.repository


@pytest.mark.parametrize(
    ("text", "registry"),
    [
        ("reg.example", "reg.example"),
        ("reg.example:443", "reg.example:443"),
        ("Reg.Example", "Reg.Example"),
        ("localhost", "localhost"),
        ("registry", "registry"),
        ("127.0.0.1:5000", "127.0.0.1:5000"),
        ("[::1]", "[::1]"),
        ("[::1]:5000", "[::1]:5000"),
        ("docker.io", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("registry.hub.docker.com", "registry.hub.docker.com"),
    ],
)
def test_an_address_is_kept_as_it_is_but_for_docker_hub(text: str, registry: str) -> None:
    assert parse_registry(text) == registry


@given(registries)
def test_a_port_is_part_of_the_registry(text: str) -> None:
    assert parse_registry(text) == text


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "write host or host:port, in ASCII"),
        (" reg.example", "without white space"),
        ("reg.example\n", "without white space"),
        ("réG.example", "in ASCII"),
        ("https://reg.example", "write reg.example, without a scheme"),
        ("https://reg.example:5000/v2/", "write reg.example:5000, without a scheme"),
        ("ftp://", "write host or host:port, without a scheme"),
        ("reg.example/", "write reg.example, without a path"),
        ("reg.example/team/app", "write reg.example, without a path"),
        ("user@reg.example", "without a user name"),
        ("reg.example:port", "a domain, an IPv4 address or an IPv6 address in brackets"),
        ("reg.example:0", "a domain"),
        ("reg.example:70000", "a domain"),
        ("*.reg.example", "a domain"),
        ("::1", "an IPv6 address in brackets"),
        ("a" * (MAX_LENGTH + 1), "write host"),
    ],
)
def test_what_is_no_address_is_told_what_to_write_instead(text: str, advice: str) -> None:
    with pytest.raises(InvalidReference) as refused:
        parse_registry(text)
    assert advice in str(refused.value)


@pytest.mark.parametrize(
    "parse", [parse_reference, parse_registry, parse_repository, parse_server_url]
)
@pytest.mark.parametrize(
    "text",
    [
        "https://user:hunter2@reg.example/v2/",
        "user:hunter2@reg.example",
        "https://reg.example/v3?token=hunter2",
        "reg.example?hunter2",
        "user:1/hunter2@reg.example",
    ],
)
def test_a_refusal_shows_no_password(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(InvalidReference) as refused:
        parse(text)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("text", ["a", "team/app", "a/b/c/d", "a.b", "a__b", "a---b", "a" * 255])
def test_a_repository_is_kept_as_it_is(text: str) -> None:
    assert parse_repository(text) == text


@pytest.mark.parametrize(
    "text", ["", "/", "a/", "/a", "a//b", "A", "a:b", "a@b", "*", "a\n", "a" * 256, "..", "a/../b"]
)
def test_what_is_no_path_of_a_repository_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference):
        parse_repository(text)


@pytest.mark.parametrize(
    "parse", [parse_reference, parse_registry, parse_repository, parse_server_url]
)
@pytest.mark.parametrize("piece", ["a", "a-", "a.", "a/", "a_", "[:", "a:1", "-", "__"])
def test_a_text_that_is_hostile_to_backtracking_ends(
    parse: Callable[[str], object], piece: str
) -> None:
    with pytest.raises(InvalidReference):
        parse(piece * (MAX_LENGTH // len(piece) - 1) + "!")
