"""Jobs of GitHub Actions, and of Forgejo and Gitea, which keep to its contract.

https://docs.github.com/en/actions/reference/security/oidc
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from pullpass.errors import IdentityError
from pullpass.http import Request
from pullpass.identity.effects import Steps, ask
from pullpass.identity.reading import json_text
from pullpass.identity.source import Wanted

_PERMISSION = (
    "the job may not ask for a token: write «id-token: write» under «permissions:» of its workflow,"
    " beside «contents: read»; a fork's pull request is never given one"
)


def github(wanted: Wanted) -> Steps[str | None]:
    """Returns the token of a job at GitHub."""
    environ = wanted.environ
    if "GITHUB_ACTIONS" not in environ or _is_forge(environ):
        return None
    return (yield from _token(wanted))


def forgejo(wanted: Wanted) -> Steps[str | None]:
    """Returns the token of a job at a Forgejo."""
    return (yield from _token(wanted)) if "FORGEJO_ACTIONS" in wanted.environ else None


def gitea(wanted: Wanted) -> Steps[str | None]:
    """Returns the token of a job at a Gitea; Forgejo says that it is one."""
    environ = wanted.environ
    if "GITEA_ACTIONS" not in environ or "FORGEJO_ACTIONS" in environ:
        return None
    return (yield from _token(wanted))


def _is_forge(environ: Mapping[str, str]) -> bool:
    return "FORGEJO_ACTIONS" in environ or "GITEA_ACTIONS" in environ


def _token(wanted: Wanted) -> Steps[str]:
    url = wanted.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL")
    bearer = wanted.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not url or not bearer:
        raise IdentityError(_PERMISSION)
    separator = "&" if "?" in url else "?"
    answer = yield from ask(
        Request(
            method="GET",
            url=f"{url}{separator}{urlencode({'audience': wanted.audience})}",
            headers={
                "authorization": f"Bearer {bearer}",
                "accept": "application/json; api-version=2.0",
            },
        )
    )
    return json_text(answer, "value", "the job's token endpoint")
