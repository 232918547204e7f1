"""Every source that is asked over HTTP, and what its endpoint may answer instead."""

import json
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.platforms import REGISTRY, WEB, Platform, token
from fakes.platforms.aws import sts_error
from fakes.platforms.web import BEARER, CLIENT_TOKEN, POD_TOKEN
from fakes.settings import refusal_of
from pullpass.errors import IdentityError, TransportError
from pullpass.http import Response

REST: Final = sorted(WEB.keys() - {name for name in WEB if name.startswith("aws")})
SECRET: Final = b"hunter2"
ANSWERS: Final[list[tuple[Response, str]]] = [
    (Response(status=400, body=SECRET), "400: "),
    (Response(status=401, body=SECRET), "401: "),
    (Response(status=403, body=SECRET), "403: "),
    (Response(status=404, body=SECRET), "404: "),
    (Response(status=418, body=SECRET), "418: check that nothing else answers"),
    (Response(status=429, body=SECRET), "429"),
    (Response(status=500, body=SECRET), "500, so it cannot serve now: try again"),
    (Response(status=503, body=SECRET), "503, so it cannot serve now: try again"),
    (Response(status=302, headers={"location": "https://evil.org"}), "redirects are not followed"),
    (Response(status=200, body=b"<html>hunter2"), "a web page: check that nothing else answers"),
    (Response(status=200, body=b"\xff\xfe"), "no text: check"),
]
DOCUMENTS: Final = [
    b"",
    b"hunter2",
    b"[]",
    b"null",
    b"7",
    b"{}",
    b'{"value": 7}',
    b'{"data": null}',
]


def refused(platform: Platform) -> str:
    with pytest.raises(IdentityError) as error:
        platform.show()
    said = refusal_of(error.value)
    for secret in ("hunter2", "eyJ", "evil", BEARER, CLIENT_TOKEN, POD_TOKEN):
        assert secret not in said
    assert said.startswith("here: ")
    return said


@pytest.mark.parametrize("name", REST)
@pytest.mark.parametrize(("answer", "says"), ANSWERS)
def test_a_refusal_is_told_with_its_status_and_what_to_do(
    name: str, answer: Response, says: str, tmp_path: Path
) -> None:
    platform = WEB[name](tmp_path)
    platform.endpoint.instead = answer
    assert says in refused(platform)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_server_that_fails_is_asked_once_more(status: int, tmp_path: Path) -> None:
    platform = WEB["github-actions"](tmp_path)
    answer = platform.endpoint.answer
    platform.endpoint.answer = lambda request, gives: (
        answer(request, gives)
        if len(platform.endpoint.seen) > 1
        else Response(status=status, body=b"eyJ")
    )
    assert platform.show().token.reveal() == token()
    platform.endpoint.instead = Response(status=status)
    assert f"answers {status}, so it cannot serve now" in refused(platform)
    assert len(platform.endpoint.seen) == 4


def test_an_answer_that_never_came_is_told(web: Platform) -> None:
    web.endpoint.instead = TransportError("https://a.example: no answer in time")
    assert refused(web) == "here: https://a.example: no answer in time"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_of_another_shape_is_no_token(web: Platform, document: bytes) -> None:
    web.endpoint.instead = Response(status=200, body=document)
    assert "check" in refused(web)


@given(body=st.binary(max_size=200) | st.text().map(lambda text: json.dumps(text).encode()))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_whatever_is_answered_is_a_token_or_our_error(web: Platform, body: bytes) -> None:
    web.endpoint.instead = Response(status=200, body=body)
    refused(web)


def test_another_registry_is_another_audience(web: Platform) -> None:
    if web.source in {"azure-pipelines", "openbao", "vault"}:  # theirs are fixed elsewhere
        assert "is for registry.example.com and other.example" in _other(web)
    else:
        assert web.show("other.example:5000").token.reveal() == token("other.example:5000")


def _other(web: Platform) -> str:
    with pytest.raises(IdentityError) as error:
        web.show("other.example:5000")
    return refusal_of(error.value)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("OutboundWebIdentityFederationDisabled", "enable outbound web identity federation"),
        ("OutboundWebIdentityFederationDisabledException", "enable outbound web identity"),
        ("AccessDenied", "allow the role sts:GetWebIdentityToken"),
        ("ExpiredToken", "are expired: renew them"),
        ("InvalidClientTokenId", "not good for this region"),
        ("SignatureDoesNotMatch", "or the clock is wrong"),
        ("RequestExpired", "check the clock"),
        ("SessionDurationEscalationException", "ask for less in lifetime"),
        ("Hunter2", "check region and lifetime"),
    ],
)
def test_aws_refusals_are_translated(code: str, says: str, tmp_path: Path) -> None:
    platform = WEB["aws"](tmp_path)
    platform.endpoint.instead = sts_error(code, 403)
    said = refused(platform)
    assert says in said
    assert "Hunter2" not in said


def test_aws_that_cannot_serve_now_is_told(tmp_path: Path) -> None:
    platform = WEB["aws"](tmp_path)
    platform.endpoint.instead = sts_error("ServiceUnavailable", 503)
    assert "answers 503: try again" in refused(platform)


@pytest.mark.parametrize("region", ["eu/central", "a.evil.org", "eu-central-1@evil.org", "é", "-"])
def test_a_region_moves_no_host(region: str, tmp_path: Path) -> None:
    platform = WEB["aws"](tmp_path)
    platform.environ["AWS_REGION"] = region
    assert "the region of AWS is none: set region" in refused(platform)
    assert platform.endpoint.seen == []


@pytest.mark.parametrize(
    "url",
    ["https://evil.org/v2/1", "http://10.0.0.1/", "http://[", "x", "https://sts.amazonaws.com"],
)
def test_the_containers_token_goes_to_this_machine_alone(url: str, tmp_path: Path) -> None:
    platform = WEB["aws pod"](tmp_path)
    platform.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url
    assert "leads elsewhere than to this machine: unset it" in refused(platform)
    assert platform.endpoint.seen == []


def test_a_role_that_the_machine_lacks_is_told(tmp_path: Path) -> None:
    platform = WEB["aws machine"](tmp_path)
    platform.endpoint.answer = lambda request, _: (
        Response(status=200, body=b"session") if request.method == "PUT" else Response(status=404)
    )
    assert "404: the machine has no role: give it an instance profile" in refused(platform)


@pytest.mark.parametrize("name", ["token", "namespace"])
@pytest.mark.parametrize("content", [None, ""])
def test_a_pod_without_its_account_says_which_file_it_lacks(
    name: str, content: str | None, tmp_path: Path
) -> None:
    platform = WEB["kubernetes-token-request"](tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_text(content)
    assert f"{tmp_path / name} is missing or empty" in refused(platform)


def test_an_api_server_may_have_an_address_of_ipv6(tmp_path: Path) -> None:
    platform = WEB["kubernetes-token-request"](tmp_path)
    platform.environ = {"KUBERNETES_SERVICE_HOST": "fd00::1"}
    refused(platform)
    assert platform.endpoint.seen[0].url.startswith("https://[fd00::1]:443/api/v1/namespaces/shop/")


def test_a_name_stays_within_its_segment(tmp_path: Path) -> None:
    platform = WEB["kubernetes-token-request"](tmp_path)
    platform.told = {**platform.told, "service_account": "../../secrets", "namespace": "a/b"}
    refused(platform)
    asked = platform.endpoint.seen[0].url
    assert asked.endswith("/namespaces/a%2Fb/serviceaccounts/..%2F..%2Fsecrets/token")


@pytest.mark.parametrize("bearer", [{"bearer_file": "/nowhere"}, {"bearer_variable": "ABSENT"}])
def test_an_endpoint_is_not_asked_without_what_is_to_be_shown(
    bearer: dict[str, str], tmp_path: Path
) -> None:
    platform = WEB["http"](tmp_path)
    platform.told = {"url": "https://broker.example.com", **bearer}
    assert "holds nothing to show to the endpoint" in refused(platform)
    assert platform.endpoint.seen == []


def test_the_plainest_endpoint_needs_a_url_alone(tmp_path: Path) -> None:
    platform = WEB["http"](tmp_path)
    platform.told = {"url": "https://broker.example.com/token"}
    platform.endpoint.instead = Response(status=200, body=token(REGISTRY).encode())
    assert platform.show().token.reveal() == token(REGISTRY)
    (request,) = platform.endpoint.seen
    assert (request.method, request.url) == ("GET", "https://broker.example.com/token")
    assert request.body == b""


def test_azure_is_asked_for_a_resource_and_may_name_it_by_its_identifier(tmp_path: Path) -> None:
    platform = WEB["azure"](tmp_path)
    exchange, identifier = "api://AzureADTokenExchange", "fb60f99c-7a34-4190-8149-302f77469936"
    platform.told = {**platform.told, "resource": exchange, "audience": identifier}
    platform.give(lambda asked: token(identifier if asked == exchange else asked))
    assert platform.show().said.claims["aud"] == identifier
