"""Looks for issued secrets in all that the suite prints: output, logs and tracebacks.

A test which prints one fails, and what it printed is shown without the secret. Logs of programs are
printed by the tests which run them or lie in a test's own folder, and complaints are overheard.
Known are signed tokens and private keys by their shape, and what ``fakes.issued`` was told; all
also in base64, as Basic authentication and Docker's configuration write them.
"""

import re
from base64 import b64decode
from collections.abc import Generator, Iterable
from typing import Final, TypeVar

import pytest

from fakes.issued import all_issued, overheard, take_overheard

SHOWN: Final = "<issued secret>"
BROKEN: Final = "printed an issued secret: its output, log or traceback held one"
_SHAPES: Final = re.compile(
    r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[A-Za-z0-9+/=\s\\]*"
)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{12,}={0,2}")
_LOGS: Final = {".log", ".jsonl"}
_LEAKED: Final = pytest.StashKey[bool]()

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def cleaned(text: str, secrets: Iterable[str]) -> str:
    """Returns text with each secret replaced."""
    known = tuple(secrets)
    for secret in known:
        text = text.replace(secret, SHOWN)
    text = _SHAPES.sub(SHOWN, text)
    return _BASE64.sub(lambda run: SHOWN if _hides(run[0], known) else run[0], text)


def _hides(run: str, secrets: tuple[str, ...]) -> bool:
    text = run.rstrip("=")
    decoded = b64decode(text[: len(text) // 4 * 4] + _rest(text)).decode("latin-1")
    return bool(_SHAPES.search(decoded)) or any(secret in decoded for secret in secrets)


def _rest(text: str) -> str:
    """Returns the last characters with their padding; a single one says nothing."""
    left = len(text) % 4
    return text[-left:] + "=" * (4 - left) if left > 1 else ""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fails a test whose report or log holds a secret, once."""
    report = yield
    if report.when == "teardown":
        _overhear_logs(item)
    if _clean(report) and not item.stash.get(_LEAKED, False):
        item.stash[_LEAKED] = True
        _fail(report, f"{item.name} {BROKEN}")
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fails a module that prints a secret when it is imported."""
    report = yield
    if _clean(report):
        _fail(report, f"{report.nodeid} {BROKEN}")
    return report


def _overhear_logs(item: pytest.Item) -> None:
    """Takes what programs have logged into the test's own folder as if it was printed."""
    directory = getattr(item, "funcargs", {}).get("tmp_path")
    for path in directory.rglob("*") if directory else ():
        if path.suffix in _LOGS and path.is_file():
            overheard(path.read_text(errors="replace"))


def _clean(report: Report) -> bool:
    """Takes all secrets out of report, and tells whether there were any."""
    secrets = all_issued()
    heard = take_overheard()
    sections = [(title, cleaned(text, secrets)) for title, text in report.sections]
    leaked = sections != report.sections or cleaned(heard, secrets) != heard
    report.sections = sections
    told = report.longreprtext
    if told and (clean := cleaned(told, secrets)) != told:
        report.longrepr = clean
        return True
    return leaked


def _fail(report: Report, why: str) -> None:
    report.longrepr = f"{report.longreprtext}\n{why}" if report.failed else why
    report.outcome = "failed"
