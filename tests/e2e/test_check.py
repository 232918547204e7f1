"""``pullpass check``, ``get``, ``mint`` and ``key`` on the node of a real deployment."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from fakes.deployment import ELSEWHERE, PUSH, STRANGER, SUBJECTS, Deployment
from fakes.programs import Finished, environment, finished, free_port
from fakes.resting import TOKEN
from pullpass.claims import read_token

LINKS = [
    "configuration",
    "network",
    "clients",
    "agent",
    "entry",
    "identity",
    "trust",
    "issuer",
    "exchange",
    "lifetime",
    "registry",
    "clock",
]
FIELDS = ["registry", "link", "level", "saw", "advice", "exit_status"]


def pullpass(deployment: Deployment, *arguments: str, config: Path | None = None) -> Finished:
    """Runs ``pullpass`` as a user whose clients ask the helper."""
    home = deployment.directory / "check"
    if not home.exists():
        deployment.home(home)
    variables = deployment.environment(config) | {"HOME": str(home)}
    return finished(["pullpass", *arguments], env=environment(**variables))


def checked(
    deployment: Deployment, *arguments: str, config: Path | None = None
) -> tuple[int, dict[str, dict[str, Any]]]:
    """Returns the exit status of a check of one registry, and its findings by link."""
    done = pullpass(deployment, "check", "--json", *arguments, config=config)
    assert done.stderr == ""
    assert not re.search(TOKEN, done.stdout)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(list(one) == FIELDS for one in found)
    return done.returncode, {one["link"]: one for one in found}


def levels(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Returns the levels of the links that are not in order."""
    return {link: one["level"] for link, one in found.items() if one["level"] != "ok"}


@pytest.mark.parametrize(
    "wanted", ["", "{registry}", "{registry}/team/app", "{registry}/team/app:v1"]
)
def test_a_node_in_order_is_told_so_link_by_link(deployment: Deployment, wanted: str) -> None:
    arguments = [wanted.format(registry=deployment.registry)] if wanted else []

    status, found = checked(deployment, *arguments)

    assert (status, levels(found), list(found)) == (0, {}, LINKS)
    assert str(deployment.node) in found["configuration"]["saw"]
    assert found["entry"]["registry"] == deployment.registry
    assert ("repository:team/app:pull" in found["registry"]["saw"]) is ("/" in wanted)


def test_people_get_a_table_without_colours_in_a_pipe(deployment: Deployment) -> None:
    done = pullpass(deployment, "check", f"{deployment.registry}/team/app")

    lines = done.stdout.splitlines()
    assert (done.returncode, len(lines)) == (0, len(LINKS) + 2)
    assert lines[2:4] == ["", deployment.registry]
    assert lines[6].startswith("✓ entry          registry.")
    assert "answers for team/app" in lines[6]
    assert "\x1b" not in done.stdout
    assert not re.search(TOKEN, done.stdout)


def test_what_a_rule_of_the_registrys_side_wants_is_compared(deployment: Deployment) -> None:
    good = pullpass(deployment, "check", "--expect", "sub=registry-*")
    bad = pullpass(deployment, "check", "--expect", "sub=somebody", "--expect", "aud=*")
    wrong = pullpass(deployment, "check", "--expect", "sub")

    assert (good.returncode, bad.returncode, wrong.returncode) == (0, 77, 64)
    assert "✓ claims         sub=registry-pull, as expected" in good.stdout
    assert "✗ claims         sub is registry-pull where somebody is expected" in bad.stdout
    assert "CLAIM=PATTERN" in wrong.stderr


def test_people_see_what_to_do_below_a_warning(deployment: Deployment, tmp_path: Path) -> None:
    config = issuer_down(deployment, tmp_path)

    done = pullpass(deployment, "check", config=config)

    assert "! " in done.stdout
    assert "\n                 → the exchange must reach the same documents" in done.stdout
    assert "not tried, since exchange failed" in done.stdout


FAULTS = [
    pytest.param(
        {"parameters": {"provider_name": "nobody"}}, "check that provider_name", id="name"
    ),
    pytest.param({"parameters": {"provider_name": ELSEWHERE}}, "check that", id="connection"),
    pytest.param({"role": STRANGER}, "sub", id="subject"),
]


@pytest.mark.parametrize(("changes", "hint"), FAULTS)
def test_an_identity_that_the_exchange_does_not_know_ends_the_walk(
    deployment: Deployment, changes: dict[str, Any], hint: str
) -> None:
    wrong = deployment.settings("check-wrong", **changes)

    status, found = checked(deployment, config=wrong)

    lost = {"lifetime": "not tried", "registry": "not tried"}
    assert (status, levels(found)) == (77, {"exchange": "error"} | lost)
    assert f"{deployment.token_server} answered 401 (UNAUTHORIZED)" in found["exchange"]["saw"]
    assert hint in found["exchange"]["saw"]


def test_a_repository_that_no_ruleset_covers_is_named(deployment: Deployment) -> None:
    status, found = checked(deployment, f"{deployment.registry}/private/app")

    assert (status, levels(found)) == (69, {"registry": "error"})
    assert "grants nothing where repository:private/app:pull was asked" in found["registry"]["saw"]


def test_a_registry_may_be_shown_the_identity_itself(deployment: Deployment) -> None:
    config = deployment.settings("check-passthrough", provider="passthrough", parameters={})

    status, found = checked(deployment, f"{deployment.registry}/team/app", config=config)

    assert (status, levels(found)) == (0, {"lifetime": "warning"})
    assert "grants repository:team/app:pull" in found["registry"]["saw"]


def test_a_registry_that_does_not_answer_is_to_be_looked_after(
    deployment: Deployment, tmp_path: Path
) -> None:
    there = deployment.settings("check-passthrough", provider="passthrough", parameters={})
    gone = f"127.0.0.1:{free_port()}"
    config = tmp_path / "gone.toml"
    config.write_text(there.read_text().replace(deployment.registry, gone))

    status, found = checked(deployment, config=config)

    assert (status, found["registry"]["level"]) == (75, "error")
    assert found["registry"]["saw"] == f"http://{gone}: no answer (Connection refused)"
    assert "reachable from here" in found["registry"]["advice"]


def test_an_issuer_that_is_down_is_seen_from_here(deployment: Deployment, tmp_path: Path) -> None:
    status, found = checked(deployment, config=issuer_down(deployment, tmp_path))

    assert (status, found["issuer"]["level"]) == (77, "warning")
    assert found["issuer"]["saw"].startswith("seen from here: http://127.0.0.1:")
    assert "Connection refused" in found["issuer"]["saw"]
    assert found["exchange"]["level"] == "error"


def issuer_down(deployment: Deployment, directory: Path) -> Path:
    """Returns settings whose issuer is at a port where nobody listens."""
    config = directory / "issuer-down.toml"
    dead = f"http://127.0.0.1:{free_port()}/jwt/nodes"
    config.write_text(
        deployment.settings("check-down").read_text().replace(deployment.issuer, dead)
    )
    return config


def test_a_setting_that_nobody_knows_is_all_that_is_found(deployment: Deployment) -> None:
    unknown = deployment.settings("check-unknown", provder="jfrog")

    status, found = checked(deployment, config=unknown)

    assert (status, list(found)) == (78, ["configuration"])
    key = f'registry."{deployment.registry}".provder'
    assert found["configuration"]["saw"].startswith(f"{key}: is not a setting")


def test_no_registry_at_all_says_where_to_add_one(deployment: Deployment, tmp_path: Path) -> None:
    empty = tmp_path / "empty.toml"
    empty.touch()

    status, found = checked(deployment, config=empty)

    assert (status, levels(found)) == (78, {"configuration": "error"})
    assert f'add [registry."HOST"] to {empty}' in found["configuration"]["saw"]


def test_a_registry_that_is_not_configured_is_told_as_such(deployment: Deployment) -> None:
    status, found = checked(deployment, "registry.example.com")

    assert (status, found["entry"]["level"]) == (1, "error")
    assert "registry.example.com is not configured" in found["entry"]["saw"]


def test_what_is_no_registry_is_a_mistake_of_the_caller_s(deployment: Deployment) -> None:
    done = pullpass(deployment, "check", "https://registry.example.com")

    assert (done.returncode, done.stdout) == (65, "")
    assert done.stderr.startswith("pullpass: ")


def test_get_hides_the_secret_unless_it_is_asked_for(deployment: Deployment) -> None:
    image = f"{deployment.registry}/team/app:v1"

    hidden = pullpass(deployment, "get", image)
    shown = pullpass(deployment, "get", image, "--show-secret")

    assert (hidden.returncode, shown.returncode) == (0, 0)
    assert "eyJ" not in hidden.stdout
    assert "hidden (--show-secret)" in hidden.stdout
    assert "puller" in hidden.stdout
    (secret,) = [line.split()[-1] for line in shown.stdout.splitlines() if "secret" in line]
    assert read_token(secret).text("sub")


def test_get_tells_scripts_how_a_credential_came_about(deployment: Deployment) -> None:
    image = f"{deployment.registry}/team/app:v1"

    told = json.loads(deployment.pullpass("get", image, "--json"))
    secret = json.loads(deployment.pullpass("get", image, "--json", "--show-secret"))["secret"]

    assert told["registry"] == told["audience"] == deployment.registry
    assert told["repository"] == "team/app"
    assert told["subject"] == SUBJECTS["docker-pull"]
    assert told["username"] == "puller"
    assert told["expires_at"].endswith("+00:00")
    assert told["secret"] is None
    assert secret.startswith("eyJ")


def test_mint_tells_scripts_the_claims_beside_the_token(deployment: Deployment) -> None:
    chosen = ["--issuer", "nodes", "--role", PUSH, "--audience", deployment.registry]

    told = json.loads(deployment.pullpass("mint", *chosen, "--ttl", "60", "--json"))

    assert read_token(told["jwt"]).claims == told["claims"]
    claims = told["claims"]
    assert (claims["iss"], claims["sub"]) == (deployment.issuer, SUBJECTS[PUSH])
    assert claims["exp"] - claims["iat"] == 60


def test_mint_refuses_another_audience(deployment: Deployment) -> None:
    chosen = ["--issuer", "nodes", "--role", PUSH, "--audience", "registry.example.com"]

    done = pullpass(deployment, "mint", *chosen)

    assert (done.returncode, done.stdout) == (77, "")
    assert "audience registry.example.com is not allowed" in done.stderr


def test_a_key_is_created_once(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'state_dir = "{tmp_path}/state"\n[keys.identity]\n')
    create = ["pullpass", "--config", str(config), "key", "create", "identity"]

    first, second = (finished(create, env=environment()) for _ in range(2))

    assert (first.returncode, second.returncode) == (0, 77)
    assert first.stdout.startswith("created key identity, version 1, kid ")
    assert "identity" in second.stderr
    assert second.stdout == ""
