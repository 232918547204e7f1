"""The platforms whose identity is in a variable or a file, or comes from a program."""

import sys
from pathlib import Path

from fakes.platforms.platform import Platform, program, token

_PRINT = "sys.stdout.write(open({file!r}).read())"


def _variable(source: str, variable: str, told: dict[str, str], **environ: str) -> Platform:
    made = Platform(source=source, told=told, environ={**environ, variable: token()})

    def keep(text: str) -> None:
        made.environ[variable] = text

    made.keep = keep
    return made


def _file(source: str, path: Path) -> Platform:
    path.write_text(token() + "\n")
    told = {"path": str(path)}
    return Platform(source=source, told=told, keep=lambda text: _write(path, text))


def _write(path: Path, text: str) -> None:
    path.write_text(text, errors="surrogateescape")


def gitlab(_: Path) -> Platform:
    """A job that declares an id token."""
    return _variable("gitlab", "MY_TOKEN", {"variable": "MY_TOKEN"}, GITLAB_CI="true")


def bitbucket(_: Path) -> Platform:
    """A step with ``oidc: true``."""
    return _variable("bitbucket", "BITBUCKET_STEP_OIDC_TOKEN", {}, BITBUCKET_BUILD_NUMBER="7")


def terraform_cloud(_: Path) -> Platform:
    """A run whose workspace asks for a token under a tag."""
    variable, run = "TFC_WORKLOAD_IDENTITY_TOKEN_REGISTRY", "run-1"
    return _variable("terraform-cloud", variable, {"tag": "REGISTRY"}, TFC_RUN_ID=run)


def circleci(directory: Path) -> Platform:
    """A job with the CLI of CircleCI, which asks for the registry's audience."""
    given = directory / "given"
    path = program(
        directory,
        "circleci",
        'assert argv[:4] == ["run", "oidc", "get", "--claims"], argv',
        'assert argv[4:] == [\'{"aud": "registry.example.com"}\'], argv',
        'assert os.environ["CIRCLE_JOB"] == "pull" and "AWS_REGION" not in os.environ',
        _PRINT.format(file=str(given)),
    )
    environ = {
        "CIRCLECI": "true",
        "CIRCLE_JOB": "pull",
        "CIRCLE_OIDC_TOKEN": token("org-id"),
        "CIRCLE_OIDC_TOKEN_V2": token("org-id"),
        "AWS_REGION": "eu-central-1",
        "PATH": path,
    }
    given.write_text(token())
    return Platform(source="circleci", environ=environ, keep=lambda text: _write(given, text))


def buildkite(directory: Path) -> Platform:
    """A job beside Buildkite's agent."""
    given = directory / "given"
    path = program(
        directory,
        "buildkite-agent",
        'assert argv[:4] == ["oidc", "request-token", "--audience", "registry.example.com"], argv',
        'assert argv[4:] == ["--lifetime", "300"] and os.environ["BUILDKITE_JOB_ID"] == "1"',
        _PRINT.format(file=str(given)),
    )
    environ = {"BUILDKITE": "true", "BUILDKITE_JOB_ID": "1", "PATH": path}
    given.write_text(token() + "\n")
    return Platform(source="buildkite", environ=environ, keep=lambda text: _write(given, text))


def spire_agent(directory: Path) -> Platform:
    """A host with SPIRE's own program."""
    given = directory / "given"
    path = program(
        directory,
        "spire-agent",
        'assert argv[:5] == ["api", "fetch", "jwt", "-audience", "registry.example.com"], argv',
        'assert argv[5:9] == ["-output", "json", "-socketPath", "/run/spire.sock"], argv',
        'assert argv[9:] == ["-spiffeID", "spiffe://acme.example/pull"], argv',
        "import json",
        f"svid = open({str(given)!r}).read()",
        'print(json.dumps([{"svids": [{"svid": svid, "hint": ""}]}, {"bundles": {}}]))',
    )
    told = {"socket": "unix:///run/spire.sock", "spiffe_id": "spiffe://acme.example/pull"}
    given.write_text(token())
    return Platform(
        source="spire-agent",
        told=told,
        environ={"PATH": path},
        keep=lambda text: _write(given, text),
    )


def kubernetes(directory: Path) -> Platform:
    """A pod into which a token is projected."""
    return _file("kubernetes", directory / "projected")


def file(directory: Path) -> Platform:
    """A file that somebody renews, such as spiffe-helper."""
    return _file("file", directory / "token")


def env(_: Path) -> Platform:
    """A variable of whoever pulls."""
    return _variable("env", "ID_TOKEN", {"variable": "ID_TOKEN"})


def command(directory: Path) -> Platform:
    """Somebody's own program, which gives JSON."""
    given = directory / "given"
    body = (
        "import json, os, sys; assert sys.argv[1:] == ['--for=registry.example.com'], sys.argv;"
        "assert os.environ['KEPT'] == 'yes' and 'LOST' not in os.environ;"
        f"print(json.dumps({{'a': {{'jwt': open({str(given)!r}).read()}}}}))"
    )
    told = {
        "command": [sys.executable, "-ISc", body, "--for={audience}"],
        "environ": ["KEPT", "ABSENT"],
        "out": "a.jwt",
    }
    given.write_text(token())
    return Platform(
        source="exec",
        told=told,
        environ={"KEPT": "yes", "LOST": "yes"},
        keep=lambda text: _write(given, text),
    )
