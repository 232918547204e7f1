"""GitHub Actions: a runner that does the steps of an action, and the issuer of its jobs."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import yaml

from fakes.issued import issued, overheard
from fakes.jfrog import unsigned
from pullpass.http import Request, Response

ISSUER: Final = "https://token.actions.githubusercontent.com"
SERVICE: Final = "pipelines.actions.githubusercontent.com"
SUBJECT: Final = "repo:acme/app:ref:refs/heads/main"
WITHIN: Final = 300.0  # seconds for a step; one that installs takes a minute
_INPUT: Final = re.compile(r"\$\{\{ inputs\.([a-z-]+) \}\}")


@dataclass(slots=True)
class Tokens:
    """The service that gives a job its identity. A Transport.

    Attributes:
        now: what the tokens' times begin with, Unix seconds.
        given: the tokens so far, by audience.
    """

    now: float
    bearer: str = field(default_factory=lambda: issued(os.urandom(16).hex()))
    given: dict[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        """Returns what a job with ``id-token: write`` has in its environment."""
        return {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"https://{SERVICE}/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.bearer,
        }

    def send(self, request: Request) -> Response:
        """Returns a token for the audience that is asked for."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        url = urlsplit(request.url)
        if request.method != "GET" or url.path != "/token":
            return Response(status=404)
        if headers.get("authorization") != f"Bearer {self.bearer}":
            return Response(status=401)
        query = parse_qs(url.query, strict_parsing=True)
        (audience,) = query["audience"]
        assert query == {"api-version": ["2.0"], "audience": [audience]}
        iat = int(self.now)
        claims = {"iss": ISSUER, "sub": SUBJECT, "aud": audience, "iat": iat, "exp": iat + 300}
        self.given[audience] = unsigned({**claims, "repository": "acme/app"})
        return _json({"value": self.given[audience]})


@dataclass(slots=True)
class DockerHub:
    """Docker Hub's exchange with one connection, which trusts a job's identity. A Transport."""

    tokens: Tokens
    connection: str
    secret: str = field(default_factory=lambda: issued(f"dckr_oat_{os.urandom(12).hex()}"))

    def send(self, request: Request) -> Response:
        """Returns an access token for the identity that the job was given for Docker."""
        form = {name: value for name, (value,) in parse_qs(request.body.decode()).items()}
        known = form.get("connection_id") == self.connection
        identity = self.tokens.given.get("https://identity.docker.com")
        if urlsplit(request.url).path != "/oauth/token" or not known:
            return Response(status=404)
        if form.get("subject_token") != identity:
            return Response(status=401)
        return _json({"access_token": self.secret, "expires_in": int(form["expires_in"])})


@dataclass(slots=True, kw_only=True)
class Runner:
    """A runner: what its files say is in the environment of later steps.

    Attributes:
        directory: its home and all files.
        variables: of every step.
    """

    directory: Path
    variables: dict[str, str]
    path: list[str] = field(default_factory=list)

    def uses(self, action: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
        """Does the one step of action, and returns how it has ended."""
        described = yaml.safe_load((action / "action.yml").read_text())
        given = {
            name: inputs.get(name.replace("-", "_"), one.get("default", ""))
            for name, one in described.get("inputs", {}).items()
        }
        assert described["runs"]["using"] == "composite"
        (step,) = described["runs"]["steps"]
        return self._step(step, given, action)

    def environment(self) -> dict[str, str]:
        """Returns what a step has in its environment now."""
        path = os.pathsep.join([*reversed(self.path), self.variables["PATH"]])
        return {**self.variables, "HOME": str(self.directory), "PATH": path}

    def _step(
        self, step: Mapping[str, Any], inputs: Mapping[str, str], action: Path
    ) -> subprocess.CompletedProcess[str]:
        assert (step["shell"], "${{" in step["run"]) == ("bash", False)
        script = self.directory / "step.sh"
        script.write_text(step["run"])
        files = {name: self.directory / name.lower() for name in ("GITHUB_ENV", "GITHUB_PATH")}
        files["GITHUB_OUTPUT"] = self.directory / "github_output"
        for file in files.values():
            file.write_text("")
        given = {
            name: _INPUT.sub(lambda found: inputs[found[1]], value)
            for name, value in step.get("env", {}).items()
        }
        place = {"RUNNER_TEMP": str(self.directory / "temp"), "GITHUB_ACTION_PATH": str(action)}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            env={**self.environment(), **place, **given, **{n: str(f) for n, f in files.items()}},
            capture_output=True,
            check=False,
            text=True,
            timeout=WITHIN,
        )
        overheard(done.stdout + done.stderr)
        self._take(files)
        return done

    def _take(self, files: Mapping[str, Path]) -> None:
        self.path += files["GITHUB_PATH"].read_text().splitlines()
        for line in files["GITHUB_ENV"].read_text().splitlines():
            name, _, value = line.partition("=")
            self.variables[name] = value


def _json(value: object) -> Response:
    headers = {"content-type": "application/json"}
    return Response(status=200, headers=headers, body=json.dumps(value).encode())
