import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.errors import InvalidChallenge
from pullpass.registry.challenge import MAX_HEADER, Challenge, parse_challenges

DOCKER_HUB = (
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",'
    'scope="repository:samalba/my-app:pull,push"'
)


def challenge(scheme: str, **parameters: str) -> Challenge:
    return Challenge(scheme=scheme, parameters=parameters)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", ()),
        (" , ,", ()),
        ("Negotiate", (challenge("negotiate"),)),
        ("BASIC  ", (challenge("basic"),)),
        ('Basic realm="simple"', (challenge("basic", realm="simple"),)),
        ("Basic realm=simple", (challenge("basic", realm="simple"),)),
        ('Basic REALM = "simple" ', (challenge("basic", realm="simple"),)),
        ('Basic realm=""', (challenge("basic", realm=""),)),
        (
            DOCKER_HUB,
            (
                challenge(
                    "bearer",
                    realm="https://auth.docker.io/token",
                    service="registry.docker.io",
                    scope="repository:samalba/my-app:pull,push",
                ),
            ),
        ),
        # RFC 9110 §11.6.1
        (
            'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
            (
                challenge("basic", realm="simple"),
                challenge("newauth", realm="apps", type="1", title='Login to "apps"'),
            ),
        ),
        (
            "Negotiate YWJj==, Basic realm=x",
            (challenge("negotiate"), challenge("basic", realm="x")),
        ),
        ("Negotiate a/b+c~", (challenge("negotiate"),)),
        ("Negotiate abc=", (challenge("negotiate"),)),
        ("Negotiate a=b", (challenge("negotiate", a="b"),)),
        ("Negotiate,Basic", (challenge("negotiate"), challenge("basic"))),
        ("Negotiate , ,Basic", (challenge("negotiate"), challenge("basic"))),
        ("Bearer , realm=x,,service=y,", (challenge("bearer", realm="x", service="y"),)),
        ('Bearer realm="a\tb\\\\c\\,d"', (challenge("bearer", realm="a\tb\\c,d"),)),
        ('Bearer realm="Zürich"', (challenge("bearer", realm="Zürich"),)),
        (
            'Bearer realm="a", Bearer realm="b"',
            (challenge("bearer", realm="a"), challenge("bearer", realm="b")),
        ),
    ],
)
def test_a_header_holds_challenges(header: str, expected: tuple[Challenge, ...]) -> None:
    assert parse_challenges(header) == expected


@pytest.mark.parametrize(
    "header",
    [
        "=",
        'realm="x"',
        ", realm=x",
        '"Bearer"',
        "Bearer =x",
        'Bearer realm="x',
        'Bearer realm="x\\"',
        'Bearer realm="x\ny"',
        'Bearer realm="x\0"',
        'Bearer realm="x" service="y"',
        'Bearer realm="x"; service="y"',
        'Bearer realm="x"y',
        "Bearer realm=https://auth.example/token",
        "Bearer a b",
        "Bearer abc== realm=x",
        "Bearer realm=x, REALM=y",
        "Bearer/x",
        "Bearer\trealm=x",
        "Bearer realm=x\r\nBasic",
        "Bärer realm=x",
        "a" * (MAX_HEADER + 1),
    ],
)
def test_what_is_no_list_of_challenges_is_refused(header: str) -> None:
    with pytest.raises(InvalidChallenge):
        parse_challenges(header)


tokens = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=8)
values = st.text(st.characters(min_codepoint=0x20, exclude_characters="\x7f"), max_size=20)
challenges = st.lists(
    st.tuples(tokens, st.dictionaries(tokens.map(str.lower), values, max_size=4)), max_size=4
)


def quote(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(challenges, st.sampled_from([",", ", ", " ,, "]))
def test_challenges_survive_their_text(
    given_challenges: list[tuple[str, dict[str, str]]], comma: str
) -> None:
    written = []
    for scheme, parameters in given_challenges:
        pairs = [f"{name}={quote(value)}" for name, value in parameters.items()]
        written.append(" ".join([scheme, comma.join(pairs)]) if pairs else scheme)
    expected = tuple(challenge(scheme.lower(), **given) for scheme, given in given_challenges)
    assert parse_challenges(comma.join(written)) == expected


@given(
    st.text('aB=", \\\t/é\n', max_size=40)
    | st.text()
    | st.builds(
        lambda at, more: DOCKER_HUB[:at] + more + DOCKER_HUB[at + 1 :],
        st.integers(0, 120),
        st.text(max_size=2),
    )
)
def test_any_text_is_challenges_or_refused(header: str) -> None:
    try:
        found = parse_challenges(header)
    except InvalidChallenge as refused:
        assert str(refused).isprintable()
    else:
        for one in found:
            assert one.scheme == one.scheme.lower()
            assert all(name == name.lower() for name in one.parameters)


@pytest.mark.parametrize("piece", ["a", "a=", 'a="', "a ", 'a="\\', "a,", " ", "\\"])
def test_a_header_that_is_hostile_to_backtracking_ends(piece: str) -> None:
    header = "Bearer " + piece * ((MAX_HEADER - 10) // len(piece)) + "\n"
    with pytest.raises(InvalidChallenge):
        parse_challenges(header)
