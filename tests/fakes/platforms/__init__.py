"""Every platform whose identity can be shown, by name: each in a directory of its own."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from fakes.platforms import aws, local, web
from fakes.platforms.platform import NOW, REGISTRY, Endpoint, Platform, Token, token

__all__ = ["ALL", "LOCAL", "NOW", "REGISTRY", "WEB", "Endpoint", "Platform", "Token", "token"]

WEB: Final[Mapping[str, Callable[[Path], Platform]]] = {
    "github-actions": web.github,
    "forgejo": web.forgejo,
    "gitea": web.gitea,
    "azure-pipelines": web.azure_pipelines,
    "kubernetes-token-request": web.token_request,
    "openbao": web.openbao,
    "vault": web.vault,
    "gcp": web.gcp,
    "azure": web.azure,
    "fly": web.fly,
    "http": web.http,
    "remote": web.remote,
    "aws": aws.environment,
    "aws container": aws.container,
    "aws pod": aws.pod,
    "aws machine": aws.machine,
}
LOCAL: Final[Mapping[str, Callable[[Path], Platform]]] = {
    "gitlab": local.gitlab,
    "bitbucket": local.bitbucket,
    "terraform-cloud": local.terraform_cloud,
    "circleci": local.circleci,
    "buildkite": local.buildkite,
    "spire-agent": local.spire_agent,
    "kubernetes": local.kubernetes,
    "file": local.file,
    "env": local.env,
    "exec": local.command,
}
ALL: Final = {**WEB, **LOCAL}
