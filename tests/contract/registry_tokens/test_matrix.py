"""The registry-token matrix, row by row, at docker-registry 2.8.2 and at our embedded registry."""

from typing import Final

import pytest

from fakes.registries import Registry
from fakes.registry_tokens import REPOSITORY, SCOPE, Row, Verdict, rows
from pullpass.registry.challenge import parse_challenges

ROWS: Final = tuple(rows())
PATH: Final = f"/v2/{REPOSITORY}/manifests/nothing"  # 404 once the door is open


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_token_gets_its_verdict(registry: Registry, program: str, row: Row) -> None:
    verdict = {"debian": row.debian, "embedded": row.embedded}[program]
    answer = registry.ask("GET", PATH, token=row.forge(registry.realm.key))
    assert answer.status_code == (404 if verdict is Verdict.OPEN else 401)
    if verdict is not Verdict.OPEN:
        (challenge,) = parse_challenges(answer.headers["www-authenticate"])
        assert challenge.parameters["error"] == verdict
        assert challenge.parameters["scope"] == SCOPE


def test_no_row_stands_twice() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
