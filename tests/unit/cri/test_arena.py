import subprocess
import sys

# Has threads allocate at the same time, and prints how many arenas that took.
SCRIPT = """
import ctypes, sys
from threading import Barrier, Thread
from pullpass_plugin.cri.arena import one_arena
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
if sys.argv[1] == "one":
    one_arena()
together = Barrier(8)
def allocate():
    together.wait()
    libc.malloc(1000)
    together.wait()
threads = [Thread(target=allocate) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def arenas(how: str) -> int:
    """Returns how many arenas the script has with one_arena, or without."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, how], capture_output=True, check=True, text=True, timeout=60
    )
    return done.stdout.count("<heap nr=")


def test_threads_share_one_arena_of_memory() -> None:
    assert arenas("one") == 1


def test_threads_have_arenas_of_their_own_otherwise() -> None:
    assert arenas("as it is") > 1
