import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.config.model import Connection, Ruleset
from pullpass.scope import Scope, parse_scopes
from pullpass.tokenserver.grant import allowed, grant, matching, username

ACTIONS = ("pull", "push", "delete", "*")
names = st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=3).map("/".join)
resources = st.builds(
    "{}:{}".format,
    st.sampled_from(["repository", "registry", "r*"]),
    st.text("ab/*?", min_size=1, max_size=5),
)
scopes = st.builds(
    Scope,
    type=st.sampled_from(["repository", "registry"]),
    name=names,
    actions=st.frozensets(st.sampled_from(ACTIONS)),
)
subjects = st.text("abA:/", min_size=1, max_size=4)
rulesets = st.builds(
    Ruleset,
    label=st.just("one"),
    subject=st.lists(st.text("abA:/*?", min_size=1, max_size=4), max_size=2).map(tuple),
    resources=st.lists(resources, max_size=3).map(tuple),
    actions=st.frozensets(st.sampled_from(ACTIONS)),
    username=st.sampled_from(["", "puller", "ci"]),
)
many = st.lists(rulesets, max_size=5)


def connection(*rules: Ruleset) -> Connection:
    return Connection(
        name="strongbox",
        issuer="https://id.example.com",
        audiences=("registry.example.com",),
        algorithms=("ES256",),
        insecure=False,
        active=True,
        rulesets=rules,
    )


def rule(
    *resource: str, subject: str = "node", actions: Sequence[str] = ("pull",), user: str = ""
) -> Ruleset:
    return Ruleset(
        label="one",
        subject=(subject,),
        resources=resource,
        actions=frozenset(actions),
        username=user,
    )


def granted(rules: Sequence[Ruleset], subject: str, asked: Sequence[Scope]) -> tuple[Scope, ...]:
    return grant(matching(connection(*rules), subject), asked)


def pairs(found: Sequence[Scope]) -> set[tuple[str, str, str]]:
    return {(scope.type, scope.name, action) for scope in found for action in scope.actions}


def described(glob: str, text: str, star: str) -> bool:
    """Tells whether glob describes text, by regular expressions: an oracle for short texts."""
    wild = {"**": "(?s:.*)", "*": f"{star}*", "?": star}
    steps = re.findall(r"\*\*|(?s:.)", glob)
    return (
        re.fullmatch("".join(wild.get(step, re.escape(step)) for step in steps), text) is not None
    )


def oracle(
    rules: Sequence[Ruleset], subject: str, asked: Sequence[Scope]
) -> set[tuple[str, str, str]]:
    return {
        (scope.type, scope.name, action)
        for scope in asked
        for action in scope.actions
        for one in rules
        for glob in one.subject
        for resource in one.resources
        if action in one.actions
        and described(glob, subject, "(?s:.)")
        and described(resource, f"{scope.type}:{scope.name}", "[^/]")
    }


@given(many, subjects, st.lists(scopes, max_size=4))
def test_the_grant_is_the_request_cut_down_to_the_union_of_the_matching_rulesets(
    rules: list[Ruleset], subject: str, asked: list[Scope]
) -> None:
    found = granted(rules, subject, asked)
    assert pairs(found) == oracle(rules, subject, asked)
    assert [(scope.type, scope.name) for scope in found] == [
        (scope.type, scope.name) for scope in asked
    ]


@given(many, rulesets, st.integers(0, 5), subjects, st.lists(scopes, max_size=4))
def test_adding_a_ruleset_never_takes_a_grant_away(
    rules: list[Ruleset], more: Ruleset, at: int, subject: str, asked: list[Scope]
) -> None:
    more_rules = [*rules[:at], more, *rules[at:]]
    assert pairs(granted(rules, subject, asked)) <= pairs(granted(more_rules, subject, asked))


@given(
    many.flatmap(lambda rules: st.tuples(st.just(rules), st.permutations(rules))),
    subjects,
    st.lists(scopes, max_size=4),
)
def test_the_order_of_rulesets_does_not_matter(
    orders: tuple[list[Ruleset], list[Ruleset]], subject: str, asked: list[Scope]
) -> None:
    first, second = (granted(rules, subject, asked) for rules in orders)
    assert first == second


@given(many, subjects, st.lists(scopes, max_size=4))
def test_each_scope_is_granted_for_itself(
    rules: list[Ruleset], subject: str, asked: list[Scope]
) -> None:
    alone = [scope for one in asked for scope in granted(rules, subject, [one])]
    assert tuple(alone) == granted(rules, subject, asked)


@pytest.mark.parametrize(
    ("glob", "subject", "speaks"),
    [
        ("registry-pull", "registry-pull", True),
        ("registry-pull", "registry-pull2", False),
        ("registry-pull", "my-registry-pull", False),
        ("registry-pull", "Registry-Pull", False),
        ("registry-pull", "registry-pull\n", False),
        ("a|b", "a", False),
        ("x)|(.*", "anything", False),
        ("registry.pull", "registry-pull", False),
        ("repo:acme/*", "repo:acme/app:ref:refs/heads/main", True),
        ("repo:acme/*:ref:refs/heads/main", "repo:acme/app:ref:refs/heads/main", True),
        ("repo:acme/*:ref:refs/heads/main", "repo:acme/app:ref:refs/heads/main2", False),
        ("repo:acme/*", "repo:acme-evil/app", False),
        ("repo:acme/*", "xrepo:acme/app", False),
        ("node-?", "node-1", True),
        ("node-?", "node-12", False),
        ("node-?", "node-", False),
        ("*", "anything: at/all", True),
    ],
)
def test_a_subject_glob_is_anchored_and_knows_upper_case(
    glob: str, subject: str, speaks: object
) -> None:
    assert bool(matching(connection(rule("r:x", subject=glob)), subject)) is speaks


@pytest.mark.parametrize(
    ("resource", "scope", "actions"),
    [
        ("repository:team/app", "repository:team/app:pull", {"pull"}),
        ("repository:team/app", "repository:team/app2:pull", set()),
        ("repository:team/app", "repository:x/team/app:pull", set()),
        ("repository:team/*", "repository:team/app:pull,push", {"pull"}),
        ("repository:team/*", "repository:team/sub/app:pull", set()),
        ("repository:team/*", "repository:team:pull", set()),
        ("repository:team/*", "repository:teams/app:pull", set()),
        ("repository:team/**", "repository:team/sub/app:pull", {"pull"}),
        ("repository:*", "repository:app:pull", {"pull"}),
        ("repository:*", "repository:team/app:pull", set()),
        ("repository:**", "repository:team/app:pull", {"pull"}),
        ("repository:team/*", "registry:team/app:pull", set()),
        ("repository:team/*", "repository(plugin):team/app:pull", {"pull"}),
        ("repository:team/*", "repository:team/app:push", set()),
        ("repository:team/*", "repository:team/app:*", set()),
        ("repository:team/*", "repository:team/app:", set()),
        ("repository:team/*", "repository:evil.example.com:5000/team/app:pull", set()),
        ("registry:catalog", "registry:catalog:*", set()),
    ],
)
def test_a_star_in_a_resource_stays_in_its_segment(
    resource: str, scope: str, actions: set[str]
) -> None:
    (asked,) = parse_scopes([scope])
    assert allowed([rule(resource)], asked) & asked.actions == actions


def test_several_rulesets_add_up() -> None:
    rules = [
        rule("repository:team/*"),
        rule("repository:team/app", actions=["push"]),
        rule("repository:other", actions=["delete"]),
    ]
    asked = parse_scopes(["repository:team/app:pull,push,delete repository:team/web:pull,push"])
    assert " ".join(map(str, granted(rules, "node", asked))) == (
        "repository:team/app:pull,push repository:team/web:pull"
    )


def test_the_first_user_that_is_named_is_taken() -> None:
    rules = [rule("r:x"), rule("r:x", user="puller"), rule("r:x", user="ci")]
    assert username(rules, "node-7") == "puller"
    assert username(rules[:1], "node-7") == "node-7"
