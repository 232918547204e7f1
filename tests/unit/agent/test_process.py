"""The process's surroundings: systemd, its user directory and its memory."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping

import pytest

from fakes.loop import WITHIN, in_a_loop
from pullpass.agent.journal import Journal
from pullpass.agent.notify import notifier
from pullpass.agent.users import KEEP, Users
from pullpass.errors import IdentityError

HARDENED = """
import ctypes, os, resource
from pullpass.agent.harden import harden
harden()
PR_GET_DUMPABLE = 3
print(ctypes.CDLL(None).prctl(PR_GET_DUMPABLE), *resource.getrlimit(resource.RLIMIT_CORE))
print(oct(os.umask(0)))
"""


def test_core_dumps_and_ptrace_are_off_and_files_are_private() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HARDENED], capture_output=True, check=True, text=True, timeout=30
    )
    assert done.stdout.split() == ["0", "0", "0", "0o77"]


@pytest.mark.parametrize(
    ("environ", "address", "interval"),
    [
        ({}, "", None),
        ({"NOTIFY_SOCKET": "/run/notify"}, "/run/notify", None),
        ({"NOTIFY_SOCKET": "@notify"}, "\0notify", None),
        ({"NOTIFY_SOCKET": "vsock:2:1"}, "", None),
        ({"WATCHDOG_USEC": "30000000"}, "", 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, "", 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, "", None),
        ({"WATCHDOG_USEC": "0"}, "", None),
        ({"WATCHDOG_USEC": "soon"}, "", None),
        ({"WATCHDOG_USEC": "١"}, "", None),
        ({"WATCHDOG_USEC": "9" * 5000}, "", None),
    ],
)
def test_systemd_is_found_where_it_says(
    environ: Mapping[str, str], address: str, interval: float | None
) -> None:
    found = notifier(environ)
    assert (found.address, found.interval) == (address, interval)


@pytest.mark.parametrize("address", ["", "/nowhere/notify", "@nobody-listens-here"])
def test_nobody_who_listens_is_no_failure(address: str) -> None:
    notifier({"NOTIFY_SOCKET": address}).tell("READY=1")


@in_a_loop
async def test_a_user_is_looked_up_once_a_minute() -> None:
    asked: list[int] = []
    time = [0.0]

    def look_up(uid: int) -> Mapping[str, str]:
        asked.append(uid)
        return {"unix.user": f"user-{uid}"}

    users = Users(look_up=look_up, now=lambda: time[0])
    for now in (0, 1, KEEP - 1, KEEP):
        time[0] = now
        assert await users.facts(7) == {"unix.user": "user-7"}
    assert await users.facts(8) == {"unix.user": "user-8"}
    assert asked == [7, 7, 8]


@in_a_loop
async def test_a_directory_that_does_not_answer_is_given_up() -> None:
    answered = threading.Event()

    def look_up(_: int) -> Mapping[str, str]:
        answered.wait(WITHIN)
        return {}

    with pytest.raises(IdentityError, match="uid 7: "):
        await Users(look_up=look_up, within=0.05).facts(7)
    answered.set()


def test_a_record_is_one_line_and_leaves_out_what_is_not_known() -> None:
    lines: list[bytes] = []
    Journal(write=lines.append, now=lambda: 5.0).tell("get", registry="a\nb", repository=None)
    assert lines == [b'{"time": 5.0, "event": "get", "registry": "a\\nb"}\n']


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    def full(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    Journal(write=full).tell("get")
