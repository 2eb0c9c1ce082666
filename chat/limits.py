"""How much one visitor may do: token buckets in this process's memory.

They ward off floods, and a restart may forget them; what must be counted exactly is counted in PostgreSQL elsewhere.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Final

MOST_KEPT: Final = 100_000


@dataclass(frozen=True, slots=True)
class Limit:
    """So many at once, and so many more a second."""

    burst: int
    rate: float


# What one address may do is generous: a whole office shares it.
SESSIONS_OF_ADDRESS: Final = Limit(1000, 10)
CHATS_OF_ADDRESS: Final = Limit(500, 5)
CHATS_OF_VISIT: Final = Limit(10, 10 / 3600)
MESSAGES_OF_VISIT: Final = Limit(120, 5)
UPLOADS_OF_VISIT: Final = Limit(10, 10 / 600)
SLOTS_OF_VISIT: Final = Limit(60, 1)
BOOKINGS_OF_VISIT: Final = Limit(10, 10 / 3600)
BOOKINGS_OF_ADDRESS: Final = Limit(60, 60 / 3600)
TRANSCRIPTS_OF_CHAT: Final = Limit(5, 5 / 3600)
SOCKETS_OF_ADDRESS: Final = 6000
SOCKETS_OF_VISIT: Final = 10

_buckets: OrderedDict[tuple[Limit, str], tuple[float, float]] = OrderedDict()
_lock = Lock()


def take(limit: Limit, key: str) -> float:
    """One more of `key`: 0 if it may be, else the seconds until it may."""
    now = time.monotonic()
    with _lock:
        left, since = _buckets.pop((limit, key), (float(limit.burst), now))
        left = min(limit.burst, left + (now - since) * limit.rate)
        may = left >= 1
        _buckets[limit, key] = (left - 1 if may else left, now)
        if len(_buckets) > MOST_KEPT:
            _buckets.popitem(last=False)
    return 0.0 if may else (1 - left) / limit.rate


def give_back(limit: Limit, key: str) -> None:
    """It came to nothing, or had been counted before: who sends the same again until it is taken is no flood."""
    with _lock:
        if (limit, key) in _buckets:
            left, since = _buckets[limit, key]
            _buckets[limit, key] = (min(limit.burst, left + 1), since)


def forget() -> None:
    """Begin anew, for tests."""
    with _lock:
        _buckets.clear()
