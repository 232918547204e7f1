"""CI platforms that are half set, or more than one thing at once."""

from pathlib import Path
from typing import Final

import pytest

from fakes.platforms import ALL, REGISTRY, Platform, token
from fakes.platforms.platform import program
from fakes.settings import refusal_of
from pullpass.errors import IdentityError

HALF: Final = [
    ("github-actions", "ACTIONS_ID_TOKEN_REQUEST_URL", "«id-token: write» under «permissions:»"),
    ("github-actions", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "«id-token: write» under «permissions:»"),
    ("forgejo", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "«enable-openid-connect: true»"),
    ("gitea", "ACTIONS_ID_TOKEN_REQUEST_URL", "«id-token: write»"),
    ("gitlab", "MY_TOKEN", f"write «MY_TOKEN: {{aud: {REGISTRY}}}» under its «id_tokens:»"),
    ("bitbucket", "BITBUCKET_STEP_OIDC_TOKEN", "write «oidc: true» into it"),
    ("terraform-cloud", "TFC_WORKLOAD_IDENTITY_TOKEN_REGISTRY", "AUDIENCE_REGISTRY of the"),
    ("azure-pipelines", "SYSTEM_ACCESSTOKEN", "map «SYSTEM_ACCESSTOKEN: $(System.AccessToken)»"),
    ("azure-pipelines", "SYSTEM_OIDCREQUESTURI", "map «SYSTEM_ACCESSTOKEN"),
    ("openbao", "BAO_TOKEN", "no client token in BAO_TOKEN or VAULT_TOKEN"),
    ("openbao", "BAO_ADDR", "neither BAO_ADDR nor VAULT_ADDR is set: set address"),
    ("aws", "AWS_ACCESS_KEY_ID", "belong together: set both"),
    ("aws", "AWS_SECRET_ACCESS_KEY", "belong together: set both"),
]


def refused(platform: Platform) -> str:
    with pytest.raises(IdentityError) as error:
        platform.show()
    return refusal_of(error.value)


@pytest.mark.parametrize(("name", "variable", "says"), HALF)
@pytest.mark.parametrize("value", [None, ""])
def test_a_platform_that_is_half_set_says_what_to_write(
    name: str, variable: str, says: str, value: str | None, tmp_path: Path
) -> None:
    platform = ALL[name](tmp_path)
    del platform.environ[variable]
    if value is not None:
        platform.environ[variable] = value
    assert says in refused(platform)
    assert platform.endpoint.seen == []


@pytest.mark.parametrize(
    ("name", "elsewhere"),
    [("forgejo", "gitea"), ("forgejo", "github-actions"), ("gitea", "forgejo")],
)
def test_a_forge_is_not_taken_for_the_one_that_it_resembles(
    name: str, elsewhere: str, tmp_path: Path
) -> None:
    platform = ALL[name](tmp_path)
    platform.source = elsewhere
    assert "this is no job of" in refused(platform)


def test_the_request_url_may_come_without_a_query(tmp_path: Path) -> None:
    platform = ALL["github-actions"](tmp_path)
    platform.environ["ACTIONS_ID_TOKEN_REQUEST_URL"] = (
        "https://pipelines.actions.example/42/idtoken"
    )
    with pytest.raises(IdentityError, match="418"):
        platform.show("a&b=c/d")
    assert platform.endpoint.seen[0].url.endswith("/idtoken?audience=a%26b%3Dc%2Fd")


def test_circlecis_own_token_is_shown_where_it_is_for_the_registry(tmp_path: Path) -> None:
    platform = ALL["circleci"](tmp_path)
    platform.environ |= {"PATH": "/nowhere", "CIRCLE_OIDC_TOKEN": token(["org-id", REGISTRY])}
    assert platform.show().token.reveal() == token(["org-id", REGISTRY])


def test_circleci_may_be_asked_for_its_root_issuer(tmp_path: Path) -> None:
    platform = ALL["circleci"](tmp_path)
    platform.told = {"root_issuer": True}
    lines = ('assert argv[-1] == "--root-issuer", argv', f"print({token()!r})")
    platform.environ["PATH"] = program(tmp_path, "circleci", *lines)
    assert platform.show().token.reveal() == token()


@pytest.mark.parametrize("name", ["circleci", "buildkite"])
def test_a_platforms_program_reaches_it_through_the_jobs_proxy(name: str, tmp_path: Path) -> None:
    platform = ALL[name](tmp_path)
    way = {"https_proxy": "http://proxy:3128", "NO_PROXY": ".acme.example"}
    way |= {"SSL_CERT_FILE": "/etc/acme.pem"}
    platform.environ |= way | {"OTHER_TOKEN": "hunter2"}
    called = {"circleci": "circleci", "buildkite": "buildkite-agent"}[name]
    lines = (
        f"assert os.environ.items() >= {way!r}.items()",
        "assert 'OTHER_TOKEN' not in os.environ",
    )
    program(tmp_path, called, *lines, f"print({token()!r})")
    assert platform.show().token.reveal() == token()


@pytest.mark.parametrize("name", ["circleci", "buildkite", "spire-agent"])
def test_a_platforms_program_that_is_not_there_is_named(name: str, tmp_path: Path) -> None:
    platform = ALL[name](tmp_path)
    platform.environ["PATH"] = "/nowhere"
    assert "is not on the PATH of this host: install it" in refused(platform)


@pytest.mark.parametrize("name", ["circleci", "buildkite", "spire-agent"])
def test_a_platforms_program_that_fails_is_not_quoted(name: str, tmp_path: Path) -> None:
    platform = ALL[name](tmp_path)
    called = {"circleci": "circleci", "buildkite": "buildkite-agent", "spire-agent": "spire-agent"}
    program(tmp_path, called[name], "print('hunter2'); sys.exit('hunter2')")
    said = refused(platform)
    assert "ended with status 1: run it by hand" in said
    assert "hunter2" not in said


AUTO: Final = [name for name in ALL if name in {"forgejo", "gitea", "github-actions", "gitlab"}]
OTHERS: Final = ["circleci", "buildkite", "bitbucket", "azure-pipelines", "terraform-cloud", "fly"]


@pytest.mark.parametrize("name", AUTO + OTHERS)
def test_auto_finds_the_platform_and_uses_what_its_table_says(name: str, tmp_path: Path) -> None:
    found = auto(ALL[name](tmp_path))
    assert found.show().source == name


def test_auto_asks_in_the_order_that_is_documented(tmp_path: Path) -> None:
    first, second = ALL["github-actions"](tmp_path), ALL["gitlab"](tmp_path)
    first.environ |= second.environ
    assert auto(first).show().source == "github-actions"


def test_auto_never_goes_on_after_a_platform_that_is_broken(tmp_path: Path) -> None:
    first, second = ALL["github-actions"](tmp_path), ALL["gitlab"](tmp_path)
    first.environ |= second.environ
    del first.environ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
    assert refused(auto(first)).startswith("github-actions: the job may not ask for a token")


@pytest.mark.parametrize("name", ["aws", "gcp", "azure", "openbao", "env", "exec", "http"])
def test_auto_takes_nothing_that_nobody_has_named(name: str, tmp_path: Path) -> None:
    found = ALL[name](tmp_path)
    found.source, found.told = "auto", {}
    assert "this is none of forgejo, gitea, github-actions" in refused(found)
    assert found.endpoint.seen == []


def auto(platform: Platform) -> Platform:
    """Returns platform under ``auto``, with a table of its source's name."""
    return Auto(
        source=platform.source,
        told=platform.told,
        environ=platform.environ,
        endpoint=platform.endpoint,
    )


class Auto(Platform):
    """A platform that the settings do not name, but for its parameters."""

    def settings(self) -> dict[str, object]:
        return {"here": {"source": "auto"}, self.source: {"source": self.source, **self.told}}
