"""Jobs of CI platforms that put a token into a variable, or have a program that asks for one."""

import json
from collections.abc import Mapping
from typing import Final

from pullpass.claims import audiences_of, read_token
from pullpass.errors import IdentityError, InvalidToken
from pullpass.identity.effects import RunCommand, Steps, run_command
from pullpass.identity.source import Wanted

_LIFETIME: Final = "300"  # seconds; the longest that Buildkite's own registries take
_EVERY_COMMAND: Final = frozenset({"PATH", "HOME"})
# A platform's program asks the platform, as this one asks others: through a proxy, if need be.
_WAY: Final = frozenset({"HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"})


def gitlab(wanted: Wanted) -> Steps[str | None]:
    """Returns the variable that the job declares under ``id_tokens``.

    https://docs.gitlab.com/ci/secrets/id_token_authentication/
    """
    yield from ()
    if "GITLAB_CI" not in wanted.environ:
        return None
    variable = wanted.parameters["variable"]
    return _set(
        wanted.environ.get(variable),
        f"the job has no {variable}: write «{variable}: {{aud: {wanted.audience}}}» under its"
        " «id_tokens:»",
    )


def bitbucket(wanted: Wanted) -> Steps[str | None]:
    """Returns the token of a step with ``oidc: true``.

    https://support.atlassian.com/bitbucket-cloud/docs/integrate-pipelines-with-resource-servers-using-oidc/
    """
    yield from ()
    if "BITBUCKET_BUILD_NUMBER" not in wanted.environ:
        return None
    return _set(
        wanted.environ.get("BITBUCKET_STEP_OIDC_TOKEN"),
        "the step has no token: write «oidc: true» into it",
    )


def terraform_cloud(wanted: Wanted) -> Steps[str | None]:
    """Returns the token of a run at HCP Terraform, or the one of several that ``tag`` names.

    https://developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials/manual-generation
    """
    yield from ()
    if "TFC_RUN_ID" not in wanted.environ:
        return None
    tag = wanted.parameters["tag"]
    suffix = f"_{tag}" if tag else ""
    return _set(
        wanted.environ.get(f"TFC_WORKLOAD_IDENTITY_TOKEN{suffix}"),
        f"the run has no token: set the environment variable TFC_WORKLOAD_IDENTITY_AUDIENCE{suffix}"
        f" of the workspace to {wanted.audience}",
    )


def circleci(wanted: Wanted) -> Steps[str | None]:
    """Returns the job's own token if it is for the audience, else one that the CLI asks for.

    https://circleci.com/docs/oidc-tokens-with-custom-claims/
    """
    environ = wanted.environ
    if "CIRCLECI" not in environ:
        return None
    for variable in ("CIRCLE_OIDC_TOKEN_V2", "CIRCLE_OIDC_TOKEN"):
        if _is_for(environ.get(variable, ""), wanted.audience):
            return environ[variable]
    claims = json.dumps({"aud": wanted.audience})
    root = ("--root-issuer",) if wanted.parameters["root_issuer"] else ()
    argv = ("circleci", "run", "oidc", "get", "--claims", claims, *root)
    return (yield from run_command(RunCommand(argv=argv, environ=_told(environ, "CIRCLE"))))


def buildkite(wanted: Wanted) -> Steps[str | None]:
    """Returns the token that the agent asks for.

    https://buildkite.com/docs/agent/cli/reference/oidc
    """
    if "BUILDKITE" not in wanted.environ:
        return None
    argv = ("buildkite-agent", "oidc", "request-token", "--audience", wanted.audience)
    command = RunCommand(
        argv=(*argv, "--lifetime", _LIFETIME), environ=_told(wanted.environ, "BUILDKITE")
    )
    return (yield from run_command(command))


def _set(token: str | None, missing: str) -> str:
    if not token or not token.strip():
        raise IdentityError(missing)
    return token.strip()


def _is_for(token: str, audience: str) -> bool:
    try:
        return audience in audiences_of(read_token(token).claims)
    except InvalidToken:
        return False


def _told(environ: Mapping[str, str], prefix: str) -> Mapping[str, str]:
    """Returns what a platform's program needs of the job's variables, and nothing else."""
    return {
        name: value
        for name, value in environ.items()
        if name in _EVERY_COMMAND or name.upper() in _WAY or name.startswith(prefix)
    }
