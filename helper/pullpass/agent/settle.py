"""What a resident process begins with, and keeps."""

import gc


def settle() -> None:
    """Has garbage collection pass over all that is there now, which stays.

    To look at it takes 12 ms, in which nobody is answered.
    """
    gc.collect()
    gc.freeze()
