"""Each failure is one sentence: which registry, which step, what to do. No secret is in it."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes.endpoint import answering
from fakes.helper import (
    ISSUER_URL,
    KEY,
    LOOPBACK,
    PROGRAM,
    SUBJECT,
    Node,
    Said,
    exchanging,
    node,
    registry,
    run_helper,
)
from fakes.jfrog import JFrog, unsigned
from fakes.programs import environment, free_port
from pullpass.http import Request, Response

ISSUED = unsigned({"sub": "jfac@01h/users/puller"})
JSON = {"content-type": "application/json"}


def sentence(said: Said, *words: str) -> str:
    """Returns the one line of a failure, which is told on both streams and has these words."""
    assert said.status == 1
    assert said.stdout.endswith("\n")
    line = said.stdout.removesuffix("\n")
    assert line.isprintable()
    assert len(line) > 20
    assert "`" not in line
    assert said.stderr.replace("`", "'") == f"{PROGRAM}: {line}\n"
    for word in words:
        assert word in line
    return line


def traces(secret: str) -> set[str]:
    """Returns what would betray secret, whole or in part, as it is or in base64."""
    found = set()
    for part in secret.split("."):
        assert len(part) >= 4
        found.add(part)
        for before in range(3):  # base64 of the same bytes looks different in each place of three
            for encode in (b64encode, urlsafe_b64encode):
                found.add(encode(b"\0" * before + part.encode())[4:-4].decode())
    return {trace for trace in found if len(trace) >= 4}


def assert_hidden(said: Said, *secrets: str) -> None:
    shown = said.stdout + said.stderr
    for secret in secrets:
        assert not [trace for trace in traces(secret) if trace in shown]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            registry("reg.example", 'colour = "red"'),
            ['registry."reg.example".colour', "mend or remove"],
        ),
        ('[registry."reg.example"]\n', ['registry."reg.example".', "missing"]),
        ("[nonsense]\n", ["nonsense", "mend or remove"]),
        (
            registry("https://reg.example"),
            ['registry."https://reg.example"', "write reg.example", "without a scheme"],
        ),
        (
            registry("reg.example/team"),
            ['registry."reg.example/team"', "write reg.example", "without a path"],
        ),
        (registry("reg.example", provider="nobody"), ['registry."reg.example".provider', "jfrog"]),
        (
            registry("reg.example", provider="jfrog"),
            ['registry."reg.example".parameters.provider_name', "missing"],
        ),
        (
            registry("reg.example", 'parameters = { user = "me" }'),
            ['registry."reg.example".parameters.user', "username"],
        ),
        (
            registry("reg.example", "insecure = true"),
            ['registry."reg.example".insecure', "use https"],
        ),
        ("[registry\n", ["config.toml", "not TOML"]),
    ],
)
def test_a_wrong_setting_is_named_by_its_key(
    tmp_path: Path, settings: str, words: list[str]
) -> None:
    sentence(node(tmp_path, settings).get("reg.example"), *words)


def test_settings_that_are_not_there_are_an_error(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.toml")
    said = run_helper("get", stdin=b"reg.example", env=environment(PULLPASS_CONFIG=missing))
    sentence(said, missing, "No such file")


@pytest.mark.parametrize(
    "settings",
    ["[nonsense]\n", "[registry\n", "\0", registry("https://reg.example")],
    ids=["unknown", "not TOML", "not text", "not a registry"],
)
def test_a_list_does_not_fail_whatever_the_settings_are(tmp_path: Path, settings: str) -> None:
    said = node(tmp_path, settings).ask("list", b"unused")
    assert said[:2] == (0, "{}\n")
    assert said.stderr.startswith(f"{PROGRAM}: ")
    assert said.stderr.count("\n") == 1


def test_a_list_does_not_fail_without_its_settings(tmp_path: Path) -> None:
    said = run_helper("list", env=environment(PULLPASS_CONFIG=str(tmp_path)))
    assert said[:2] == (0, "{}\n")
    assert str(tmp_path) in said.stderr


def test_a_list_leaves_out_a_host_that_get_would_refuse(tmp_path: Path) -> None:
    parts = registry("parts.example").replace("issuer", 'repository = "team/*"\nissuer', 1)
    asked = node(tmp_path, registry("reg.example"), parts)
    assert json.loads(asked.ask("list").stdout).keys() == {"reg.example"}
    sentence(asked.get("parts.example"), "parts.example", "team/*", "host_default")
    assert asked.get("parts.example/team/app").status == 0


def _open_to_all(asked: Node) -> None:
    asked.key.chmod(0o644)


def _in_an_open_folder(asked: Node) -> None:
    asked.key.parent.chmod(0o755)


def _missing(asked: Node) -> None:
    asked.key.unlink()


def _damaged(asked: Node) -> None:
    asked.key.write_text(asked.key.read_text()[:-40])


def _without_audit(asked: Node) -> None:
    (asked.directory / "state" / "audit.jsonl").mkdir()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_open_to_all, [f"{KEY}.json", "open to others", "chmod 600"]),
        (_in_an_open_folder, ["keys", "open to others", "chmod 700"]),
        (_missing, [KEY, f"pullpass key create {KEY}"]),
        (_damaged, [f"{KEY}.json", "damaged", "restore"]),
        (_without_audit, ["audit.jsonl", "cannot be written"]),
    ],
)
def test_without_a_sound_key_nothing_is_minted(
    tmp_path: Path, spoil: Callable[[Node], None], words: list[str]
) -> None:
    asked = node(tmp_path, registry("reg.example"))
    private = json.loads(asked.key.read_text())["versions"][0]["private_key"].split("\n")[1:3]
    spoil(asked)
    said = asked.get("reg.example")
    sentence(said, "registry reg.example", *words)
    assert_hidden(said, *private)


def test_an_audience_that_the_role_does_not_allow_is_refused(tmp_path: Path) -> None:
    asked = node(tmp_path, registry("reg.example:8443"), audiences=("reg.example",))
    said = asked.get("reg.example:8443")
    sentence(said, "registry reg.example:8443", "role docker-pull", "allowed_audiences")


def test_a_role_that_is_not_there_is_named(tmp_path: Path) -> None:
    asked = node(tmp_path, registry("reg.example", role="nobody"))
    sentence(asked.get("reg.example"), "reg.example", "nobody")


def echo(status: int, **headers: str) -> Callable[[str], Response]:
    """Returns an endpoint which repeats in body and header what it was shown."""

    def answer(token: str) -> Response:
        code = {"code": "UNAUTHORIZED", "message": f"no mapping for {token}"}
        body = json.dumps({"errors": [code], "error": token, "error_description": ISSUED})
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Response(status=status, headers=JSON | named, body=body.encode())

    return answer


def page(body: str) -> Callable[[str], Response]:
    """Returns an endpoint whose success is this body, in which {} is what it was shown."""
    kind = {"content-type": "text/html" if body.startswith("<") else "application/json"}
    return lambda token: Response(status=200, headers=kind, body=body.replace("{}", token).encode())


def named(name: str, answer: Callable[[str], Response | None], *words: str) -> object:
    return pytest.param(answer, words, id=name)


def issues(**members: Any) -> Callable[[str], Response]:
    """Returns an endpoint that issues a credential with these members."""
    body = {"access_token": ISSUED, "username": "puller", "expires_in": 3600} | members
    return page(json.dumps(body))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        named("400", echo(400), "answered 400", "check project_key"),
        named("401", echo(401), "answered 401", "check that provider_name"),
        named("403", echo(403), "answered 403", "check that the integration"),
        named("404", echo(404), "answered 404", "check exchange"),
        named("429", echo(429), "answered 429", "try again later"),
        named("429 with a time", echo(429, retry_after="17"), "429", "try again in 17 seconds"),
        named("500", echo(500), "answered 500", "try again later"),
        named("redirect", echo(302, location="https://evil.example/?t=x"), "302", "redirects"),
        named("HTML", page("<html><h1>Log in</h1>{}</html>"), "answered 200", "check"),
        named("nothing", page(""), "answered 200", "check"),
        named("no object", page('"{}"'), "answered 200", "check"),
        named("10 MiB", page("{}" + "x" * (10 << 20)), "longer than", "bytes", "check"),
        named("a user with a colon", issues(username="a:b"), "colon"),
        named("expired", issues(expires_in=-1), "expire", "check"),
        named("no token", issues(access_token=""), "answered 200", "check"),
        named("no answer", lambda _: None, "no answer", "check exchange"),
    ],
)
def test_an_exchange_that_gives_no_credential_is_named_with_its_step(
    tmp_path: Path, answer: Callable[[str], Response | None], words: tuple[str, ...]
) -> None:
    shown: list[str] = []

    def send(request: Request) -> Response | None:
        shown.append(json.loads(request.body)["subject_token"])
        return answer(shown[0])

    with answering(send) as origin:
        said = node(tmp_path, exchanging(origin)).get(LOOPBACK)
    line = sentence(said, LOOPBACK, "step token", *words)
    assert "evil" not in line
    assert len(shown) == 1
    assert_hidden(said, *shown, ISSUED)


def test_an_exchange_where_nobody_listens_is_named(tmp_path: Path) -> None:
    origin = f"http://127.0.0.1:{free_port()}"
    said = node(tmp_path, exchanging(origin)).get(LOOPBACK)
    sentence(said, LOOPBACK, "step token", origin, "no answer", "check exchange")


def test_a_platform_that_knows_another_subject_refuses(tmp_path: Path) -> None:
    platform = JFrog(issuer=ISSUER_URL, audience=LOOPBACK, subject="somebody-else")
    with answering(platform.send) as platform.origin:
        said = node(tmp_path, exchanging(platform.origin)).get(LOOPBACK)
    sentence(said, LOOPBACK, "answered 401 (UNAUTHORIZED)", "sub")
    assert_hidden(said, json.loads(platform.seen[0].body)["subject_token"])


def test_a_platform_that_knows_the_subject_gives_its_credential(tmp_path: Path) -> None:
    platform = JFrog(issuer=ISSUER_URL, audience=LOOPBACK, subject=SUBJECT)
    with answering(platform.send) as platform.origin:
        said = node(tmp_path, exchanging(platform.origin)).get(LOOPBACK)
    assert (said.status, said.stderr) == (0, "")
    assert json.loads(said.stdout)["Username"] == "puller"


@pytest.mark.parametrize("shown", ["whole", "payload", "signature", "basic"], ids=str)
def test_the_search_for_traces_finds_a_secret(shown: str) -> None:
    secret = unsigned({"sub": SUBJECT, "jti": "0123456789"})
    head, payload, signature = secret.split(".")
    texts = {
        "whole": secret,
        "payload": f"{head}.{payload}",
        "signature": signature,
        "basic": b64encode(f"me:{secret}".encode()).decode(),
    }
    with pytest.raises(AssertionError):
        assert_hidden(Said(1, "failed\n", f"failed with {texts[shown]}\n"), secret)
