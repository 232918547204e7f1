"""OpenBao, by the program that it is."""

from collections.abc import Iterator

import pytest

from fakes.programs import OpenBao, openbao


@pytest.fixture(scope="session")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    with openbao(tmp_path_factory.mktemp("openbao")) as server:
        yield server
