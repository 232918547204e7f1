"""Keeps what the process holds out of core dumps and away from debuggers."""

import ctypes
import os

from pullpass.agent.peer import NEEDS_LINUX
from pullpass.errors import PullpassError, UsageError

try:
    import resource
except ImportError as error:
    raise UsageError(NEEDS_LINUX) from error

_PR_SET_DUMPABLE = 4  # include/uapi/linux/prctl.h


def harden() -> None:
    """Ends core dumps and ptrace for this process, and opens no file to anybody else.

    Raises:
        PullpassError: if the kernel refuses.
    """
    os.umask(0o077)
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError) as error:
        raise PullpassError("core dumps cannot be turned off: setrlimit failed") from error
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        raise PullpassError("core dumps cannot be turned off: prctl failed")
