from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.settings import REGISTRY, changed
from pullpass.config.model import Config
from pullpass.config.parse import parse
from pullpass.errors import PullpassError
from pullpass.resolve.choose import Query, find
from pullpass.resolve.explain import AgentView, Explanation, explain

TABLE: Final = ("registry", REGISTRY)


def entry(repository: str, **more: Any) -> dict[str, Any]:
    return {"repository": repository, "issuer": "nodes", "role": "docker-pull", **more}


def config(*entries: dict[str, Any], **more: Any) -> Config:
    changes: list[tuple[tuple[str | int, ...], Any]] = [((*TABLE, "credential"), list(entries))]
    changes += [((*TABLE, name), value) for name, value in more.items() if name != "allow"]
    if "allow" in more:
        changes.append((("agent", "allow"), more["allow"]))
    return parse(changed(*changes), Path("/nowhere"))


def explained(*entries: dict[str, Any], **more: Any) -> Explanation:
    return explain(config(*entries, **more), REGISTRY, "team/app")


def key(at: int) -> str:
    return f'registry."{REGISTRY}".credential[{at}]'


def test_every_entry_is_shown_with_what_decides() -> None:
    found = explained(entry("*"), entry("team/*"), entry("ops/*"))
    assert [(one.repository, one.matches, one.specificity) for one in found.candidates] == [
        ("*", True, 0),
        ("team/*", True, 5),
        ("ops/*", False, 4),
    ]
    assert {one.identity for one in found.candidates} == {"issuer nodes, role docker-pull"}
    assert (found.provider, found.audience) == ("jfrog", REGISTRY)


def test_the_most_specific_entry_answers_by_repository_and_the_one_for_all_by_host() -> None:
    found = explained(entry("*"), entry("team/*"))
    assert (found.by_repository.entry, found.by_repository.exit_status) == (key(1), 0)
    assert found.by_repository.why == "the most specific of 2 that match"
    assert (found.by_host.entry, found.by_host.why) == (key(0), "it is for the whole host")


def test_the_default_of_the_host_is_named_as_such() -> None:
    found = explained(entry("team/*", host_default=True), entry("*"))
    assert (found.by_host.entry, found.by_host.why) == (key(0), "it is marked host_default")
    assert found.by_repository.why == "the most specific of 2 that match"


def test_who_has_no_answer_is_told_what_to_do() -> None:
    found = explained(entry("ops/*"), entry("team/*"))
    assert found.by_repository.why == "the only one that matches"
    assert (found.by_host.entry, found.by_host.exit_status) == ("", 78)
    assert "mark one host_default" in found.by_host.why
    missed = explained(entry("ops/*", host_default=True))
    assert (missed.by_repository.entry, missed.by_repository.exit_status) == ("", 1)
    assert "no entry covers team/app" in missed.by_repository.why
    assert missed.by_host.entry == key(0)


def test_an_entry_that_cannot_work_answers_nobody() -> None:
    found = explained(entry("*"), parameters={})
    assert (found.by_repository.entry, found.by_repository.exit_status) == ("", 78)
    assert "parameters.provider_name" in found.by_repository.why
    assert found.by_host == found.by_repository
    assert found.audience == ""


def test_a_registry_that_is_not_configured_has_nothing_to_show() -> None:
    found = explain(config(entry("*")), "other.example", "team/app")
    assert (found.configured, found.candidates, found.agent) == ("", (), None)
    assert found.by_repository.exit_status == 1
    assert "other.example is not configured" in found.by_repository.why


def test_the_agent_knows_a_registry_letter_by_letter() -> None:
    settings = config(entry("*"))
    exact = explain(settings, REGISTRY, "team/app").agent
    other = explain(settings, f"{REGISTRY}:443", "team/app")
    assert exact
    assert exact.answers
    assert other.configured
    assert other.agent
    assert not other.agent.answers


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            {},
            AgentView(
                answers=True,
                allow=("root", "the agent's own user"),
                callers=("root", "the agent's own user"),
                reuse=0,
            ),
        ),
        (
            {
                "allow": [{"uid": 7}, {"group": "docker"}],
                "callers": [{"user": "alice"}],
                "reuse": "10m",
            },
            AgentView(
                answers=True, allow=("uid 7", "group docker"), callers=("user alice",), reuse=600
            ),
        ),
        (
            {"allow": [{"uid": 7}]},
            AgentView(answers=True, allow=("uid 7",), callers=("uid 7",), reuse=0),
        ),
    ],
)
def test_whom_the_agent_answers_is_shown(more: dict[str, Any], expected: AgentView) -> None:
    assert explained(entry("*"), **more).agent == expected


@given(
    st.lists(
        st.sampled_from(["*", "**", "a", "a*", "b/*", "b/a", "*b", "?b/b", "ab/?"]),
        min_size=1,
        max_size=4,
        unique=True,
    ),
    st.sampled_from(["a", "b/a", "ab/b"]),
)
def test_what_is_explained_is_what_is_done(patterns: list[str], repository: str) -> None:
    settings = config(*map(entry, patterns))
    found = explain(settings, REGISTRY, repository)
    for asked, choice in ((repository, found.by_repository), (None, found.by_host)):
        try:
            _, chosen = find(settings, Query(registry=REGISTRY, repository=asked))
        except PullpassError as error:
            assert (choice.entry, choice.why) == ("", str(error))
            assert choice.exit_status == error.exit_status
        else:
            assert choice.entry == chosen.key
