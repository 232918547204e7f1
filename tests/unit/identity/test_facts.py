import os
import pwd
import subprocess
import sys
from typing import Final

from pullpass.identity.facts import process_facts

PROGRAM: Final = (
    "from pullpass.identity.facts import process_facts as f; print(sorted(f().items()))"
)


def test_the_facts_are_what_the_system_says() -> None:
    assert process_facts() == {
        "node": os.uname().nodename,
        "unix.user": pwd.getpwuid(os.geteuid()).pw_name,
    }


def test_the_environment_is_not_asked() -> None:
    claimed = dict.fromkeys(("USER", "LOGNAME", "HOSTNAME", "COMPUTERNAME", "SUDO_USER"), "root-2")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **claimed},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == repr(sorted(process_facts().items()))
