"""No output, log or traceback of the suite holds an issued secret; and that can fail."""

import sys
from base64 import b64encode
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary import SHOWN, cleaned
from fakes.issued import issued
from fakes.jfrog import unsigned
from fakes.programs import environment, finished

TESTS = Path(__file__).parents[1]
SECRET = "planted-7b1f0c9e"
# Each test but the last gives the secret away in another way.
PLANTED = """
import logging, sys
from base64 import b64encode
import pytest
from fakes.issued import issued, overheard
from fakes.jfrog import unsigned
from fakes.programs import running

SECRET = issued("-".join(["planted", "7b1f0c9e"]))

def test_output():
    print("password", SECRET)

def test_complaint():
    print("password", SECRET, file=sys.stderr)

def test_log():
    logging.getLogger("anybody").warning("password %s", SECRET)

def test_traceback():
    raise ValueError(SECRET)

def test_comparison():
    assert SECRET == "what was expected"

def test_basic():
    print("Authorization: Basic", b64encode(b"user:" + SECRET.encode()).decode())

def test_token():
    print(unsigned({"iss": "https://id.example.com"}))

def test_token_in_base64():
    print(b64encode(b"user:" + unsigned({"iss": "https://id.example.com"}).encode()).decode())

def test_program_log(tmp_path):
    with running(["sh", "-c", f"echo {SECRET}; exec sleep 60"], log=tmp_path / "log") as process:
        process.until(process.printed)

def test_log_file(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "audit.jsonl").write_text(SECRET)

def test_overheard():
    overheard(SECRET)

@pytest.fixture
def teardown():
    yield
    print(SECRET)

def test_teardown(teardown):
    pass

def test_honest(tmp_path):
    print("planted-7b1f", "nothing")
"""


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["alone", "worker"])
def test_whoever_prints_an_issued_secret_fails_and_does_not_show_it(
    tmp_path: Path, workers: list[str]
) -> None:
    (tmp_path / "test_planted.py").write_text(PLANTED)
    argv = [sys.executable, "-m", "pytest", "-p", "canary", "-p", "no:cacheprovider", "-v"]
    env = environment(PYTHONPATH=str(TESTS))

    done = finished([*argv, *workers, "--junitxml=report.xml", "."], env=env, cwd=tmp_path)

    report = (tmp_path / "report.xml").read_text()
    found = {
        case.attrib["name"].removeprefix("test_"): "\n".join(case.itertext())
        for case in ET.fromstring(report).iter("testcase")
        if len(case)
    }
    planted = [line.split("(")[0] for line in PLANTED.split("def test_")[1:]]
    assert set(planted) - set(found) == {"honest"}
    assert all("printed an issued secret" in told for told in found.values())
    assert SHOWN in done.stdout
    for shown in (done.stdout, done.stderr, report):
        assert SECRET not in shown
        assert b64encode(SECRET.encode()).decode()[4:-4] not in shown
        assert "eyJ" not in shown


@given(st.text(), st.text())
def test_a_secret_is_found_in_any_text(before: str, after: str) -> None:
    secrets = {SECRET}
    for held in (SECRET, unsigned({"iss": before})):
        assert held not in cleaned(f"{before}{held} {after}", secrets)
        basic = b64encode(f"{before}:{held}".encode(errors="replace")).decode()
        assert basic not in cleaned(f"{before} {basic} {after}", secrets)


@given(st.text())
def test_honest_text_stays_as_it_is(text: str) -> None:
    assert cleaned(text, {SECRET}) == text


def test_a_secret_too_short_to_be_found_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 8 characters"):
        issued("hunter2")
