"""Python's garbage collector, told what a web process is like: much that stays, and much small that goes by itself."""

import gc

# A page makes thousands of short-lived objects; with the default of 700 the collector looks through them all the time.
THRESHOLDS = (20_000, 20, 50)


def settle() -> None:
    """Call once when everything is imported: what is there now stays, and is looked through no more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
