from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.errors import InvalidScope
from pullpass.scope import MAX_LENGTH, MAX_SCOPES, Scope, intersect, parse_scopes


def scope(name: str, *actions: str, kind: str = "repository") -> Scope:
    return Scope(type=kind, name=name, actions=frozenset(actions))


actions = st.frozensets(st.sampled_from(["pull", "push", "delete", "*", "metadata_read"]))
names = st.sampled_from(["app", "team/app", "reg.example:5000/team/app", "[::1]:80/a", "FOO/bar"])
scopes = st.builds(
    Scope, type=st.sampled_from(["repository", "registry"]), name=names, actions=actions
)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], ()),
        ([""], ()),
        (["repository:team/app:pull"], (scope("team/app", "pull"),)),
        (["repository:team/app:pull,push"], (scope("team/app", "pull", "push"),)),
        (["repository:team/app:"], (scope("team/app"),)),
        (["repository:team/app:pull,,"], (scope("team/app", "pull"),)),
        (["registry:catalog:*"], (scope("catalog", "*", kind="registry"),)),
        (["repository(plugin):team/app:pull"], (scope("team/app", "pull"),)),
        (["repository:app:metadata_read"], (scope("app", "metadata_read"),)),
        (
            ["repository:reg.example:5000/team/app:pull"],
            (scope("reg.example:5000/team/app", "pull"),),
        ),
        (
            ["repository:team/b:pull,push repository:team/app:pull"],
            (scope("team/b", "pull", "push"), scope("team/app", "pull")),
        ),
        (
            ["repository:b:pull", " repository:a:pull  repository:b:push "],
            (scope("b", "pull", "push"), scope("a", "pull")),
        ),
        (
            ["repository:a:pull registry:a:pull"],
            (scope("a", "pull"), scope("a", "pull", kind="registry")),
        ),
    ],
)
def test_scopes_are_read_in_order_and_merged_by_resource(
    texts: list[str], expected: tuple[Scope, ...]
) -> None:
    assert parse_scopes(texts) == expected


@pytest.mark.parametrize(
    "text",
    [
        "repository",
        "repository:app",
        "repository:pull",
        ":app:pull",
        "Repository:app:pull",
        "repository():app:pull",
        "repository(plugin:app:pull",
        "repository::pull",
        "repository:App:pull",
        "repository:team/*:pull",
        "repository:../app:pull",
        "repository:a//b:pull",
        "repository:/a:pull",
        "repository:app:Pull",
        "repository:app:pull;push",
        "repository:app:p**",
        "repository:a:b:pull",
        "repository:reg.example:99999/app:pull",
        "repository:user@reg.example:80/app:pull",
        "repository:app:pull\n",
        "repository:app:pull\trepository:b:pull",
        "repository:app:püll",
        "repository:" + "a" * 256 + ":pull",
    ],
)
def test_what_is_no_scope_is_refused(text: str) -> None:
    with pytest.raises(InvalidScope):
        parse_scopes([text])


def test_as_many_scopes_as_allowed_are_read_and_one_more_is_refused() -> None:
    many = [f"repository:r{number}:pull" for number in range(MAX_SCOPES)]
    assert len(parse_scopes(many)) == MAX_SCOPES
    assert len(parse_scopes([" ".join(many)])) == MAX_SCOPES
    with pytest.raises(InvalidScope, match="more than 64"):
        parse_scopes([*many, "repository:r0:pull"])


def test_scopes_beyond_their_length_are_refused_without_reading_on() -> None:
    def endless() -> Iterator[str]:
        while True:
            yield " " * 1000

    with pytest.raises(InvalidScope, match=str(MAX_LENGTH)):
        parse_scopes(endless())


def test_the_text_of_a_scope_names_its_actions_in_order() -> None:
    assert (
        str(scope("team/app", "push", "delete", "pull")) == "repository:team/app:delete,pull,push"
    )


@given(st.lists(scopes, max_size=10, unique_by=lambda one: (one.type, one.name)))
def test_scopes_survive_their_text(given_scopes: list[Scope]) -> None:
    assert parse_scopes([" ".join(map(str, given_scopes))]) == tuple(given_scopes)
    assert parse_scopes(map(str, given_scopes)) == tuple(given_scopes)


@given(
    st.lists(st.text("repositygac:,()* /.0:\n-_", max_size=30) | st.text(max_size=30), max_size=4)
)
def test_any_texts_are_scopes_or_refused(texts: list[str]) -> None:
    try:
        found = parse_scopes(texts)
    except InvalidScope as refused:
        assert str(refused).isprintable()
    else:
        assert parse_scopes(map(str, found)) == found


@given(scopes, actions)
def test_an_intersection_holds_what_was_both_asked_and_granted(
    asked: Scope, granted: frozenset[str]
) -> None:
    allowed = intersect(asked, granted)
    assert (allowed.type, allowed.name) == (asked.type, asked.name)
    assert allowed.actions == {one for one in asked.actions if one in granted}


@pytest.mark.parametrize("piece", ["a:", "a,", "a(", "a)", "*,", "-"])
def test_a_text_that_is_hostile_to_backtracking_ends(piece: str) -> None:
    with pytest.raises(InvalidScope):
        parse_scopes(["repository:a:" + piece * 2000 + "!"])
