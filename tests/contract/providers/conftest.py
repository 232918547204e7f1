"""Every provider that comes with the package, each with the other side that it is written for."""

import pytest

from fakes.vendors import ASKED, BY_NAME, Vendor


@pytest.fixture(params=BY_NAME)
def vendor(request: pytest.FixtureRequest) -> Vendor:
    """Each of them."""
    return BY_NAME[request.param]


@pytest.fixture(params=ASKED)
def asked(request: pytest.FixtureRequest) -> Vendor:
    """Each that is asked for something: the others show the subject token itself."""
    return BY_NAME[request.param]
