"""Which errors mean that a registry did not take a credential, and requests of any kind."""

from pathlib import Path
from typing import Final

import pytest
from grpc import StatusCode
from hypothesis import given, settings
from hypothesis import strategies as some

from fakes.cri import config, granted, pull_request
from fakes.cri.bench import IMAGE
from pullpass_plugin._proto.cri_pb2 import PullImageRequest
from pullpass_plugin.cri.auth import Pull, is_auth_failure, pull_of, with_credential

CONFIG: Final = config(Path("/nowhere"))

# What runtimes said, tried: containerd 1.6.20 and 2.4, CRI-O 1.37.
REFUSALS: Final = (
    "pull access denied, repository does not exist or may require authorization",
    "server message: insufficient_scope: authorization failed",
    "failed to authorize: failed to fetch oauth token: unexpected status: 401 Unauthorized",
    "failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized",
    "unexpected status from GET request to http://h/token: 401 Unauthorized",
    "unable to retrieve auth token: invalid username/password: unauthorized",
    "requested access to the resource is denied",
    "pulling from host h failed with status code [manifests v1]: 401 Unauthorized",
    "authorization failed: no basic auth credentials",
    "unexpected status code [manifests v1]: 403 Forbidden",
    "unauthorized: access to the requested resource is not authorized",
    "denied: Your authorization token has expired. Reauthenticate and try again.",
)
OTHERS: Final = (
    "",
    "write /var/lib/containerd/x: permission denied",
    "no space left on device",
    "failed to fetch oauth token: unexpected status: 500 Internal Server Error",
    "failed to authorize: failed to fetch oauth token: dial tcp: connect: connection refused",
    "not found",
    "context deadline exceeded",
    "unauthorised by nobody",
)


def pull(image: str = IMAGE) -> Pull:
    found = pull_of(CONFIG, pull_request(image).SerializeToString())
    assert found is not None
    return found


@pytest.mark.parametrize("text", REFUSALS)
def test_what_runtimes_say_of_a_refused_credential_is_known(text: str) -> None:
    said = f'failed to pull and unpack image "{IMAGE}": {text}'

    assert is_auth_failure(pull(), StatusCode.UNKNOWN, said)
    assert is_auth_failure(pull(), StatusCode.PERMISSION_DENIED, said)
    assert not is_auth_failure(pull(), StatusCode.UNAVAILABLE, said)
    assert not is_auth_failure(pull(), StatusCode.DEADLINE_EXCEEDED, said)


@pytest.mark.parametrize("text", OTHERS)
def test_what_they_say_of_other_faults_is_something_else(text: str) -> None:
    said = f'failed to pull and unpack image "{IMAGE}": {text}'

    assert not is_auth_failure(pull(), StatusCode.UNKNOWN, said)


@pytest.mark.parametrize("named", ["", "docker.io/library/"])
def test_the_name_of_an_image_is_no_refusal(named: str) -> None:
    """However the runtime spells it."""
    image = "unauthorized:insufficient_scope"
    said = f'failed to pull "{named}{image}": no space left on device'

    assert not is_auth_failure(pull(image), StatusCode.UNKNOWN, said)


@settings(max_examples=200)
@given(some.binary(max_size=200))
def test_any_bytes_are_a_pull_of_ours_or_nobodys(raw: bytes) -> None:
    assert pull_of(CONFIG, raw) is None or PullImageRequest.FromString(raw).image.image


@settings(max_examples=200)
@given(some.binary(max_size=60), some.text(max_size=20), some.text(max_size=20))
def test_a_credential_changes_nothing_else(later: bytes, name: str, secret: str) -> None:
    """Not even a field that nobody knows yet: number 15, of bytes."""
    raw = pull_request(IMAGE, name="pod", namespace="team").SerializeToString()
    raw += b"\x7a" + bytes([len(later)]) + later
    found = pull_of(CONFIG, raw)
    assert found is not None
    credential = granted(secret, username=name).credential

    made = PullImageRequest.FromString(with_credential(found, credential))

    assert (made.auth.username, made.auth.password) == (name, secret)
    made.ClearField("auth")
    assert made.SerializeToString() == raw
