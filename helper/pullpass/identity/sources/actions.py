"""Jobs of GitHub Actions, and of Forgejo and Gitea, which keep to its contract.

https://docs.github.com/en/actions/reference/security/oidc
https://forgejo.org/docs/latest/user/actions/security-openid-connect/
"""

from typing import Final
from urllib.parse import urlencode

from pullpass.errors import IdentityError
from pullpass.http import Request
from pullpass.identity.effects import Steps
from pullpass.identity.reading import ask_json
from pullpass.identity.source import Wanted

_GITHUB: Final = (
    "the job may not ask for a token: write «id-token: write» under «permissions:» of its workflow,"
    " beside «contents: read»; a pull request of a fork is never given one"
)
_FORGEJO: Final = (
    "the job may not ask for a token: write «enable-openid-connect: true» into its workflow; it"
    " takes Forgejo 15, and a pull request of a fork is never given one"
)
_ENDPOINT: Final = "the job's token endpoint"
_HINTS: Final = {
    401: "the job's request token is not good, or not any more: let the job that runs ask itself",
    403: "the job may not have a token: check its permissions",
}


def github(wanted: Wanted) -> Steps[str | None]:
    """Returns the token of a job at GitHub."""
    if "GITHUB_ACTIONS" not in wanted.environ or _is_forge(wanted):
        return None
    return (yield from _token(wanted, _GITHUB))


def forgejo(wanted: Wanted) -> Steps[str | None]:
    """Returns the token of a job at a Forgejo."""
    return (yield from _token(wanted, _FORGEJO)) if "FORGEJO_ACTIONS" in wanted.environ else None


def gitea(wanted: Wanted) -> Steps[str | None]:
    """Returns the token of a job at a Gitea, which a Forgejo says that it is too."""
    if "GITEA_ACTIONS" not in wanted.environ or "FORGEJO_ACTIONS" in wanted.environ:
        return None
    return (yield from _token(wanted, _GITHUB))


def _is_forge(wanted: Wanted) -> bool:
    return not wanted.environ.keys().isdisjoint({"FORGEJO_ACTIONS", "GITEA_ACTIONS"})


def _token(wanted: Wanted, forbidden: str) -> Steps[str]:
    url = wanted.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL")
    bearer = wanted.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not url or not bearer:
        raise IdentityError(forbidden)
    headers = {
        "authorization": f"Bearer {bearer}",
        "accept": "application/json; api-version=2.0",
    }
    asked = f"{url}{'&' if '?' in url else '?'}{urlencode({'audience': wanted.audience})}"
    request = Request(method="GET", url=asked, headers=headers, patient=True)
    return (yield from ask_json(request, _ENDPOINT, _HINTS, "value"))
