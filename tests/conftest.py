"""Rules for every test: nothing leaves this machine, and in CI nothing is skipped."""

import os
import signal
import socket
import sys
from collections.abc import Generator
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, TypeVar

import hypothesis
import pytest

pytest_plugins = ["canary"]

E2E: Final = Path(__file__).parent / "e2e"
STRAYS: Final = pytest.StashKey[list[str]]()
CALLS: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
LOOKUPS: Final = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def pytest_configure(config: pytest.Config) -> None:
    # CI shares its cores, and what it has to say is of the change alone.
    same = os.environ.get("CI") == "true"
    hypothesis.settings.register_profile("pullpass", deadline=None, derandomize=same)
    hypothesis.settings.load_profile("pullpass")
    strays = config.stash[STRAYS] = []

    def stay(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in CALLS and event not in LOOKUPS:
            return
        host = _host(event, arguments)
        if not _is_loopback(host):
            strays.append(f"{event} to {host}")
            pytest.fail(f"{event} to {host}: a test must not leave loopback")

    sys.addaudithook(stay)
    _hear_signals()


@pytest.fixture(autouse=True)
def _stays_on_loopback(pytestconfig: pytest.Config) -> Generator[None]:
    """Fails a test that caught the refusal and went on."""
    yield
    strays = pytestconfig.stash[STRAYS]
    seen = strays.copy()
    strays.clear()
    assert not seen


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(E2E):
            item.add_marker("e2e")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return _without_skip(report)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    return _without_skip(report)


def _hear_signals() -> None:
    """Undoes what nohup and background jobs ignore: programs under test inherit it."""
    for number in (signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def _without_skip(report: Report) -> Report:
    """Turns a skip into a failure in CI, where nothing may be missing."""
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"CI skips nothing. {reason}"
    return report


def _host(event: str, arguments: tuple[Any, ...]) -> str | None:
    """Returns whom a call of a socket would reach, None where that is this machine for certain."""
    target = arguments[0]
    if event in CALLS:
        sender, address = arguments
        if sender.family == socket.AF_UNIX or address is None:
            return None
        target = address[0]
    return target.decode() if isinstance(target, bytes) else target


def _is_loopback(host: str | None) -> bool:
    if host in {None, "localhost"}:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
