import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from fakes.asgi import ask
from fakes.issuing import Keys, transit_key
from fakes.settings import ISSUER, changed, settings
from pullpass.config.parse import parse
from pullpass.issuer.app import IssuerServer, application
from pullpass.issuer.documents import discovery, jwks

DISCOVERY: Final = "/.well-known/openid-configuration"
OTHER: Final = "https://id.example.com/t/6f1c/jwt/others"
ELSEWHERE: Final = "https://other.example.com"
IDENTITY: Final = transit_key("identity")
EXCHANGE: Final = transit_key("exchange")


def config() -> Any:
    nodes = settings()["issuers"]["nodes"]
    return parse(
        changed(
            (("issuers", "others"), {**nodes, "issuer": OTHER, "signing_key": "registry-token"}),
            (("issuers", "elsewhere"), {**nodes, "issuer": ELSEWHERE}),
            (("issuers", "with-port"), {**nodes, "issuer": "https://id.example.com:8443/a"}),
            (("issuers", "upper"), {**nodes, "issuer": "https://UP.example.com:443/A"}),
        ),
        Path("/nowhere"),
    )


@pytest.fixture
def app() -> IssuerServer:
    return application(config(), Keys({"identity": IDENTITY}), look=0)


@pytest.mark.parametrize(
    "issuer", [ISSUER, OTHER, ELSEWHERE, "https://id.example.com:8443/a"], ids=str
)
def test_an_issuer_is_discovered_under_its_own_host_and_path(
    app: IssuerServer, issuer: str
) -> None:
    answer = ask(app, issuer + DISCOVERY)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.headers["access-control-allow-origin"] == "*"
    (configured,) = [one for one in config().issuers.values() if one.issuer == issuer]
    assert answer.json() == discovery(configured)
    assert answer.json()["issuer"] == issuer


def test_the_keys_are_where_discovery_says(app: IssuerServer) -> None:
    answer = ask(app, ask(app, ISSUER + DISCOVERY).json()["jwks_uri"])
    assert answer.status_code == 200
    assert answer.json() == jwks(IDENTITY)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "public, max-age=300, stale-if-error=86100"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_host_is_the_same_in_any_case_and_with_the_port_of_https(app: IssuerServer) -> None:
    for host in ("ID.example.COM", "id.example.com:443"):
        url = f"https://127.0.0.1/t/6f1c/jwt/nodes{DISCOVERY}"
        assert ask(app, url, headers={"Host": host}).json()["issuer"] == ISSUER
    for host in ("up.example.com", "up.example.com:443"):
        answer = ask(app, f"https://127.0.0.1/A{DISCOVERY}", headers={"Host": host})
        assert answer.json()["issuer"] == "https://UP.example.com:443/A"


@pytest.mark.parametrize(
    "url",
    [
        "https://id.example.com/",
        f"https://id.example.com{DISCOVERY}",
        "https://id.example.com/jwks",
        ISSUER,
        f"{ISSUER}/",
        f"{ISSUER}{DISCOVERY}/",
        f"{ISSUER}/{DISCOVERY}",
        f"{ISSUER}/jwks/",
        f"{ISSUER}/jwks%3F",
        f"{ISSUER}/jwks%23",
        f"{ISSUER}/JWKS",
        f"{ISSUER}x/jwks",
        f"{ISSUER.upper()}/jwks".replace("HTTPS", "https"),
        "https://id.example.com/t/6f1c/jwt/unknown/jwks",
        "https://id.example.com:8443/t/6f1c/jwt/nodes/jwks",
        "https://id.example.com/a/jwks",
        "https://other.example.com/t/6f1c/jwt/nodes/jwks",
        "https://up.example.com/a/jwks",
    ],
)
def test_nothing_is_published_anywhere_else(app: IssuerServer, url: str) -> None:
    answer = ask(app, url)
    assert answer.status_code == 404
    assert answer.text == "no issuer is published under this host and path\n"


@pytest.mark.parametrize(
    "host",
    ["", "id.example.com.", "id.example.com:80", "[::1", "[", "id.example.com/t", "a@b", "?"],
)
def test_another_host_is_no_issuer_whatever_it_looks_like(app: IssuerServer, host: str) -> None:
    answer = ask(app, f"{ISSUER}/jwks", headers={"Host": host})
    assert answer.status_code == 404


def test_a_query_changes_nothing(app: IssuerServer) -> None:
    assert ask(app, f"{ISSUER}/jwks?a=b").json() == jwks(IDENTITY)


@pytest.mark.parametrize("url", [f"{ISSUER}{DISCOVERY}", f"{ISSUER}/jwks", f"{ISSUER}/none"])
def test_head_answers_as_get_does(app: IssuerServer, url: str) -> None:
    got, head = ask(app, url), ask(app, url, "HEAD")
    assert (head.status_code, head.headers) == (got.status_code, got.headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("url", [f"{ISSUER}{DISCOVERY}", f"{ISSUER}/jwks", f"{ISSUER}/none"])
def test_no_other_method_is_served(app: IssuerServer, url: str, method: str) -> None:
    answer = ask(app, url, method)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_without_its_key_an_issuer_has_no_jwks_and_the_log_says_why(
    app: IssuerServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = ask(app, f"{OTHER}/jwks")
    assert answer.status_code == 503
    assert "registry-token" not in answer.text
    (record,) = caplog.records
    assert record.getMessage() == f"{OTHER}: no JWKS: there is no key registry-token"
    assert ask(app, OTHER + DISCOVERY).status_code == 200


def test_a_key_that_was_replaced_is_served_from_then_on() -> None:
    held = {"identity": IDENTITY}
    app = application(config(), Keys(held), look=0)
    assert ask(app, f"{ISSUER}/jwks").json() == jwks(IDENTITY)
    held["identity"] = EXCHANGE
    assert ask(app, f"{ISSUER}/jwks").json() == jwks(EXCHANGE)


def test_discovery_is_where_rfc_8414_looks_for_it_too(app: IssuerServer) -> None:
    inserted = "https://id.example.com/.well-known/oauth-authorization-server/t/6f1c/jwt/nodes"
    assert ask(app, inserted).content == ask(app, ISSUER + DISCOVERY).content
    at_the_root = f"{ELSEWHERE}/.well-known/oauth-authorization-server"
    assert ask(app, at_the_root).json()["issuer"] == ELSEWHERE
    for wrong in (f"{inserted}/", f"{ISSUER}/.well-known/oauth-authorization-server"):
        assert ask(app, wrong).status_code == 404


@pytest.mark.parametrize("url", [f"{ISSUER}/jwks", ISSUER + DISCOVERY])
def test_a_cache_that_has_a_document_is_told_so_and_sent_nothing(
    app: IssuerServer, url: str
) -> None:
    got = ask(app, url)
    etag = got.headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = ask(app, url, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        for name in ("etag", "cache-control"):
            assert answer.headers[name] == got.headers[name]
    for other in ('"other"', "", etag.strip('"'), "x"):
        assert ask(app, url, headers={"If-None-Match": other}).content == got.content


def test_an_etag_changes_with_the_keys() -> None:
    held = {"identity": IDENTITY}
    app = application(config(), Keys(held), look=0)
    before = ask(app, f"{ISSUER}/jwks").headers["etag"]
    held["identity"] = EXCHANGE
    assert ask(app, f"{ISSUER}/jwks", headers={"If-None-Match": before}).status_code == 200


def test_an_issuer_that_signed_under_another_url_is_not_published(
    caplog: pytest.LogCaptureFixture,
) -> None:
    key = replace(IDENTITY, issuers={"nodes": "https://before.example.com"})
    app = application(config(), Keys({"identity": key}))
    assert ask(app, f"{ISSUER}/jwks").status_code == 503
    assert "has signed as https://before.example.com" in caplog.records[-1].getMessage()


def test_it_is_ready_once_every_issuer_has_its_keys() -> None:
    held = {"identity": IDENTITY}
    app = application(config(), Keys(held), look=0)
    answer = ask(app, "http://127.0.0.1:8441/readyz")
    assert (answer.status_code, answer.text) == (503, "no JWKS: others\n")
    held["registry-token"] = EXCHANGE
    answer = ask(app, "http://127.0.0.1:8441/readyz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_metrics_are_for_who_asks_the_server_itself(app: IssuerServer) -> None:
    ask(app, f"{ISSUER}/jwks")
    ask(app, f"{OTHER}/jwks")
    told = ask(app, "http://127.0.0.1:8441/metrics").text
    assert 'pullpass_issuer_requests_total{document="jwks",status="200"} 1.0' in told
    assert 'pullpass_issuer_requests_total{document="jwks",status="503"} 1.0' in told
    assert 'pullpass_key_versions{key="identity",state="active"} 1.0' in told
    assert 'pullpass_key_overdue_seconds{key="identity"} 0.0' in told
    assert told.count("pullpass_key_overdue_seconds{") == 1  # three issuers sign with it
    assert 'pullpass_issuer_look_failures_total{issuer="others"} 1.0' in told
    for public in ("https://id.example.com/metrics", "https://127.0.0.1.example.com/metrics"):
        assert ask(app, public).status_code == 404
    assert ask(app, "http://[::1]:8441/metrics").status_code == 200


def test_health_is_told_under_any_host(app: IssuerServer) -> None:
    answer = ask(app, "http://127.0.0.1:8441/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")
