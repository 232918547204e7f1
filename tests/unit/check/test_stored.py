"""The chain of a stored credential: nothing is minted and nothing exchanged."""

import json
from pathlib import Path

from fakes.chain import NOW, REGISTRY, Chain
from pullpass.check.finding import Finding, Level
from pullpass.check.walk import Walk
from pullpass.config.parse import parse


def walked(directory: Path) -> dict[str, Finding]:
    chain = Chain()
    chain.settings["registry"][REGISTRY] = {
        "credential": [{"store": "systemd", "secret": "registry"}]
    }
    walk = Walk(
        config=parse(chain.settings, Path("/nowhere")),
        minter=chain.minter,
        transport=chain,
        registry=REGISTRY,
        repository="team/app",
        environ={"CREDENTIALS_DIRECTORY": str(directory)},
        now=lambda: NOW,
    )
    return {one.link: one for one in walk.findings()}


def test_a_stored_credential_is_tried_at_the_registry(tmp_path: Path) -> None:
    document = {"username": "puller", "secret": "eyJ-hidden"}
    (tmp_path / "registry").write_text(json.dumps(document))
    found = walked(tmp_path)
    assert {one.level for one in found.values()} == {Level.OK}
    assert [(link, found[link].saw) for link in ("entry", "store")] == [
        ("entry", f'registry."{REGISTRY}".credential[0] answers for team/app: store systemd'),
        ("store", "it holds a credential for puller"),
    ]
    assert list(found) == ["entry", "store", "registry", "clock"]
    assert "grants repository:team/app:pull" in found["registry"].saw
    assert "hidden" not in repr(found)


def test_a_stored_credential_that_is_missing_ends_the_walk(tmp_path: Path) -> None:
    found = walked(tmp_path)
    assert (found["store"].level, found["store"].exit_status) == (Level.ERROR, 77)
    assert "there is no secret registry in systemd" in found["store"].saw
    assert found["registry"].level is Level.NOT_TRIED
