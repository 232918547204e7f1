"""No registry secret is stored anywhere: what was issued for a pull is on no disk after it."""

import json
import re
from base64 import b64encode
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from fakes.deployment import Deployment
from fakes.programs import Puller, ask_helper, environment
from fakes.resting import TOKEN, holding, rests_nowhere

# Gives a client what pullpass answers, and keeps a copy for the search.
WITNESS: Final = """\
#!/bin/sh
docker-credential-pullpass "$@" | tee -a "$WITNESSED"
"""
PRIVATE_KEY: Final = "PRIVATE KEY-----"


@pytest.fixture
def places(puller: Puller, deployment: Deployment, home: Path) -> list[Path]:
    """All folders that any of the programs of a pull writes to, logs included."""
    engine = [Path(urlsplit(address).path).parent for address in puller.variables.values()]
    return [home, deployment.directory, *engine]


def test_nothing_that_was_issued_for_a_pull_rests_on_disk(
    *,
    puller: Puller,
    deployment: Deployment,
    home: Path,
    reference: str,
    places: list[Path],
    tmp_path: Path,
) -> None:
    witnessed = tmp_path / "witnessed"
    watching = {"PATH": witness(tmp_path / "bin"), "WITNESSED": str(witnessed)}
    ask_helper(home, deployment.registry, helper="witness")

    done = puller.pull(home, reference, **deployment.environment(), **watching)

    assert done.returncode == 0, done.stderr
    issued = [json.loads(line) for line in witnessed.read_text().splitlines()]
    assert issued
    for credential in issued:
        secret = credential["Secret"]
        pair = f"{credential['Username']}:{secret}".encode()
        basic = b64encode(pair).decode()  # as Docker's configuration and Basic authentication do
        assert rests_nowhere(re.escape(secret), places, canary=secret)
        assert rests_nowhere(re.escape(basic), places, canary=basic)
        assert rests_nowhere(TOKEN, places, canary=secret)


def test_private_keys_rest_in_their_stores_alone(deployment: Deployment, reference: str) -> None:
    assert reference  # it was pushed, so all keys were used
    stores = [deployment.directory / host / "keys" for host in ("node", "token-server")]

    found = holding(PRIVATE_KEY, [deployment.directory])

    assert found == {file for store in stores for file in store.iterdir()}
    assert {file.stat().st_mode & 0o777 for file in found} == {0o600}
    assert {store.stat().st_mode & 0o777 for store in stores} == {0o700}


def witness(directory: Path) -> str:
    """Makes the helper docker-credential-witness and returns the PATH on which it is found."""
    directory.mkdir()
    program = directory / "docker-credential-witness"
    program.write_text(WITNESS)
    program.chmod(0o755)
    return f"{directory}:{environment()['PATH']}"
