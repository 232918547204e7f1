import json
from datetime import datetime

from fakes.node import Node
from pullpass.claims import read_token

IMAGE = "registry.example.com/team/app:1.0"


def test_a_person_sees_how_it_came_about_and_not_the_secret(ready: Node) -> None:
    got = ready.pullpass("get", IMAGE)
    assert (got.status, got.err) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in got.out.splitlines())
    assert lines["secret"] == "hidden (--show-secret)"
    assert lines["registry"] == "registry.example.com"
    assert lines["repository"] == "team/app"
    assert lines["entry"] == 'registry."registry.example.com".credential[0]'
    assert lines["provider"] == "passthrough"
    assert lines["audience"] == "registry.example.com"
    assert lines["subject"] == "registry-pull"
    assert lines["username"] == "token"
    assert "eyJ" not in got.out


def test_the_secret_is_shown_where_it_is_asked_for(ready: Node) -> None:
    last = ready.pullpass("get", "--show-secret", IMAGE).out.splitlines()[-1].split()
    assert last[0] == "secret"
    assert read_token(last[1]).claims["aud"] == "registry.example.com"


def test_a_script_reads_json_without_the_secret(ready: Node) -> None:
    got = ready.pullpass("get", "--json", IMAGE)
    printed = json.loads(got.out)
    assert printed["secret"] is None
    assert "eyJ" not in got.out
    assert printed["username"] == "token"


def test_a_script_may_have_the_secret_and_its_end(ready: Node) -> None:
    printed = json.loads(ready.pullpass("get", "--json", "--show-secret", IMAGE).out)
    token = read_token(printed["secret"])
    assert datetime.fromisoformat(printed["expires_at"]).timestamp() == token.claims["exp"]
    assert datetime.fromisoformat(printed["expires_at"]).utcoffset() is not None


def test_each_call_has_a_token_of_its_own(ready: Node) -> None:
    one, other = (
        json.loads(ready.pullpass("get", "--json", "--show-secret", IMAGE).out)["secret"]
        for _ in range(2)
    )
    assert one != other
