"""Python's garbage collector and its threads' turns, told what a web process is like.

There is much that stays, and much small that goes by itself; and an event loop beside threads that compute.
"""

import gc
import sys

# A page makes thousands of short-lived objects; with the default of 700 the collector looks through them all the time.
THRESHOLDS = (20_000, 20, 50)
# Seconds after which a thread that computes lets others go on. The sockets' loop waits behind eight threads that make
# pages, and with the default of 5 ms it would wait for each of them.
TURN = 0.001


def settle() -> None:
    """Call once when everything is imported: what is there now stays, and is looked through no more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    sys.setswitchinterval(TURN)
