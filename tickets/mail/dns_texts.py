"""TXT records of the DNS: asked seldom, waited for briefly, never raising anything but `NoAnswer`."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import dns.exception
import dns.name
import dns.resolver

LOOKUP_SECONDS: Final = 2.0
# All lookups of one process together may cost this much of a minute; beyond it nothing is asked until the next.
BUDGET_SECONDS: Final = 10.0
BUDGET_WINDOW: Final = 60.0
MOST_KEPT: Final = 2000
MAX_RECORD_BYTES: Final = 4096
_KEPT_AT_LEAST, _KEPT_AT_MOST = 60.0, 3600.0
_KEPT_WITHOUT_RECORD: Final = 300.0

Records = tuple[bytes, ...]
Ask = Callable[[str], tuple[Records, float]]


class NoAnswer(Exception):
    """Nobody knows at the moment: not the same as no record."""


def ask(name: str) -> tuple[Records, float]:
    """The TXT records of a name, each as one piece, and for how many seconds they hold. Raises NoAnswer."""
    try:
        answer = dns.resolver.resolve(f"{name}.", "TXT", lifetime=LOOKUP_SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return (), _KEPT_WITHOUT_RECORD
    except (dns.exception.DNSException, OSError, ValueError) as error:
        raise NoAnswer(f"{name}: {error}") from error
    found = [b"".join(record.strings) for record in answer]
    return tuple(text for text in found if len(text) <= MAX_RECORD_BYTES), max(answer.expiration - time.time(), 0.0)


class Texts:
    """TXT records by name, remembered. Threads may share one."""

    def __init__(self, ask: Ask = ask, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, Records | None]] = OrderedDict()
        self._window = self._spent = 0.0

    def of(self, name: str) -> Records:
        """The records of a name, none where there are none. Raises NoAnswer."""
        with self._lock:
            until, records = self._known.get(name, (0.0, ()))
            is_known = until > self._clock()
            if not is_known and not self._may_ask():
                raise NoAnswer("too much time went into the DNS lately")
        if not is_known:
            records = self._asked(name)
        if records is None:
            raise NoAnswer(f"{name} was not answered a moment ago")
        return records

    def _may_ask(self) -> bool:
        if self._clock() - self._window >= BUDGET_WINDOW:
            self._window, self._spent = self._clock(), 0.0
        return self._spent < BUDGET_SECONDS

    def _asked(self, name: str) -> Records | None:
        began = self._clock()
        records: Records | None
        try:
            records, seconds = self._ask(name)
        except NoAnswer:
            records, seconds = None, _KEPT_AT_LEAST
        with self._lock:
            ended = self._clock()
            self._spent += ended - began
            self._known[name] = (ended + min(max(seconds, _KEPT_AT_LEAST), _KEPT_AT_MOST), records)
            self._known.move_to_end(name)
            while len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)
        return records
