"""How much one caller may do: token buckets in this process's memory.

They ward off floods before anything is written, and a restart may forget them; what must be counted exactly is counted
in PostgreSQL elsewhere.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from threading import Lock
from typing import Final

MOST_KEPT: Final = 100_000


@dataclass(frozen=True, slots=True)
class Limit:
    """So many at once, and so many more a second."""

    burst: int
    rate: float


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


def network_of(address: str) -> str:
    """What one caller can call from: an IPv4 address, or the /64 that each household has of IPv6 (RFC 6177)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:100]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Address(int(parsed) >> 64 << 64))
