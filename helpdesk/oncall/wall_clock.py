"""Local wall-clock times as instants. Pure: no Django, no clock of its own.

The one rule for days on which the clocks are changed (GoAlert's, https://github.com/target/goalert/pull/1252):

* a local time that does not exist moves forward to the first instant after the gap;
* a local time that happens twice means its first occurrence where it starts something, its last where it ends it.

Both readings grow with the wall clock, so hand-offs stay in order whatever a government does to the hour or the day.
"""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

# The end of a span that lasts until midnight: nothing can end where its own day begins, so 00:00 is free to mean 24:00.
END_OF_DAY: Final = time(0)

# Room enough for every rota, and far enough from the ends of `datetime` that no arithmetic here can overflow.
YEARS: Final = range(1900, 2201)


@lru_cache(maxsize=1)
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone(name: str) -> ZoneInfo:
    """The IANA zone `name`, as Area/City or "UTC".

    Raises ValueError for anything else. Abbreviations are refused although the IANA database knows some of them:
    "EST" never has summer time, and "CET" is a fixed offset in PostgreSQL but not in Python.
    """
    if name != "UTC" and "/" not in name:
        raise ValueError(f"{name[:60]!r} is not a time zone with its own rules; use Area/City, such as Europe/Berlin")
    if name not in _known_zones():
        raise ValueError(f"{name[:60]!r} is not a time zone of the IANA database; use one such as Europe/Berlin")
    return ZoneInfo(name)


def utc(moment: datetime) -> datetime:
    """`moment` in UTC. Raises ValueError if it names no zone or lies outside the years 1900 to 2200."""
    if moment.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    if moment.year not in YEARS:
        raise ValueError(f"the year {moment.year} is outside {YEARS[0]} to {YEARS[-1]}")
    return moment.astimezone(UTC)


def first_instant(where: ZoneInfo, day: date, clock: time) -> datetime:
    """When `clock` is first shown on `day`, in UTC; where it is skipped, the first instant after the gap."""
    return _occurrences(where, day, clock)[0]


def span(where: ZoneInfo, day: date, start: time, end: time) -> tuple[datetime, datetime]:
    """The span beginning on `day` at `start`, as [start, end) in UTC; empty where the gap swallows it.

    An `end` that is not after `start` is on the following day: 22:00 to 06:00 runs overnight, 08:00 to END_OF_DAY
    until midnight, 09:00 to 09:00 around the clock.
    """
    last_day = day if end > start else day + timedelta(days=1)
    return first_instant(where, day, start), _occurrences(where, last_day, end)[1]


def _occurrences(where: ZoneInfo, day: date, clock: time) -> tuple[datetime, datetime]:
    local = datetime.combine(day, clock, tzinfo=where)
    first, last = (local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC))
    if first <= last:
        return first, last
    # A gap: read with the offset before it the time comes after the change, with the offset after it before (PEP 495).
    change = _offset_change(where, last, first)
    return change, change


def _offset_change(where: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The instant in (before, after] at which the zone's offset changes; zones change at whole seconds."""
    base = before.replace(microsecond=0)
    old = base.astimezone(where).utcoffset()
    seconds = range(int((after - base).total_seconds()) + 1)

    def changed(second: int) -> bool:
        return (base + timedelta(seconds=second)).astimezone(where).utcoffset() != old

    return base + timedelta(seconds=bisect_left(seconds, True, key=changed))
