"""How many pages one contact may get: arithmetic on the instants of earlier sends. Pure: no Django, no clock.

A page too many is delayed, never dropped; the caller gathers what waits into one digest.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

Limit = tuple[int, timedelta]
"""At most so many sends in any window of that length."""

QUIET_HOUR: Final = timedelta(hours=1)


def allowed_at(history: Sequence[datetime], at: datetime, limits: Sequence[Limit]) -> datetime:
    """The earliest instant, not before `at`, at which one more page may be sent to a contact.

    `history` holds the sends to this contact, made or already promised, in any order; whatever is older than the
    longest window may be left out. A send leaves a window of length w exactly w after it was made.

    The first page after a quiet hour is never delayed: if the last send lies an hour or more before `at`, the answer
    is `at`, even where a longer window is full. So a limit over more than an hour can be exceeded, by one an hour.

    Raises ValueError for a limit that would never let a page through, or one whose window is not positive.
    """
    if any(count < 1 or window <= timedelta(0) for count, window in limits):
        raise ValueError("a limit allows at least one page in a window that lasts")
    newest_first = sorted(history, reverse=True)
    if not newest_first or newest_first[0] <= at - QUIET_HOUR:
        return at
    # With `count` sends made, the next waits for the count-th newest to leave the window. Promised sends after `at`
    # count alike, which keeps every window that holds both within the limit.
    return max([at, *(newest_first[count - 1] + window for count, window in limits if len(newest_first) >= count)])
