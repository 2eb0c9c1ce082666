"""Reading a weekly timetable as people write it: zone names, times of day, spans, special days. Pure, no Django.

A timetable is kept as *day spans*: for each local date a tuple of ``(from, to)`` in seconds since local midnight,
``0 <= from < to <= 86_400``, sorted and not touching. A span that runs past midnight is cut there, so a date's own
spans say everything about that date and a holiday can close it from midnight to midnight.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo

DAY = 86_400
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OPEN_ALL_DAY = ((0, DAY),)

DaySpans = tuple[tuple[int, int], ...]

_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,30}(?:/[A-Za-z0-9_+-]{1,30}){0,2}")
_TIME_OF_DAY = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_NOT_A_PLACE = ("posix/", "right/", "Factory", "localtime")


class InvalidHours(ValueError):
    """A timetable that makes no sense; the text says what and where, fit to be shown to the person who wrote it."""


def read_zone(name: object) -> ZoneInfo:
    """The IANA zone of that name (``Area/City`` or ``UTC``); raises InvalidHours for anything else.

    Abbreviations are refused although the database knows some of them: PostgreSQL reads ``CET`` as a fixed offset and
    Python as a zone with summer time, so the two would disagree by an hour for half of the year.
    """
    if not isinstance(name, str) or not _ZONE_NAME.fullmatch(name):
        raise InvalidHours(f"{_shown(name)} is not a time zone name such as Europe/Berlin")
    if "/" not in name and name.upper() == name and name != "UTC":
        raise InvalidHours(f"{name} is an abbreviation, not a place: use a name such as Europe/Berlin, or UTC")
    if name.startswith(_NOT_A_PLACE):
        raise InvalidHours(f"unknown time zone {name}")
    try:
        return ZoneInfo(name)
    except (
        LookupError,
        OSError,
        ValueError,
    ) as error:  # a folder such as "Europe" is an OSError
        raise InvalidHours(f"unknown time zone {name}") from error


def read_week(week: object) -> tuple[DaySpans, ...]:
    """Seven day spans, Monday first, of ``{"mon": [["08:00", "20:00"], …], …}``; a missing day is closed."""
    if not isinstance(week, Mapping):
        raise InvalidHours("the week must map mon, tue, wed, thu, fri, sat, sun to lists of spans")
    unknown = [day for day in week if day not in WEEKDAYS]
    if unknown:
        raise InvalidHours(f"unknown weekday {_shown(unknown[0])}: use mon, tue, wed, thu, fri, sat, sun")
    own: list[DaySpans] = []
    spilled: list[DaySpans] = []
    for day in WEEKDAYS:
        today, tomorrow = read_spans(week.get(day, ()), day)
        own.append(today)
        spilled.append(tomorrow)
    return tuple(merged(own[index] + spilled[index - 1]) for index in range(7))


def read_spans(spans: object, where: str) -> tuple[DaySpans, DaySpans]:
    """The day spans of one date and what of them runs into the next date.

    An end at or before its start lies on the next day; ``24:00`` is the end of the day.
    """
    if not isinstance(spans, (list, tuple)):
        raise InvalidHours(f'{where}: expected a list of spans such as [["08:00", "20:00"]]')
    today: list[tuple[int, int]] = []
    tomorrow: list[tuple[int, int]] = []
    for span in spans:
        if not isinstance(span, (list, tuple)) or len(span) != 2:
            raise InvalidHours(f'{where}: expected a span such as ["08:00", "20:00"], not {_shown(span)}')
        start, end = _seconds(span[0], where), _seconds(span[1], where)
        if start == DAY:
            raise InvalidHours(f"{where}: a span cannot start at 24:00")
        if end > start:
            today.append((start, end))
            continue
        today.append((start, DAY))
        if end:
            tomorrow.append((0, end))
    return merged(today), merged(tomorrow)


def merged(spans: Iterable[tuple[int, int]]) -> DaySpans:
    """The same time as sorted spans that neither overlap nor touch; empty spans are dropped."""
    result: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return tuple(result)


def _seconds(text: object, where: str) -> int:
    """Seconds since midnight of ``HH:MM`` or ``HH:MM:SS``."""
    match = _TIME_OF_DAY.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise InvalidHours(f"{where}: {_shown(text)} is not a time of day such as 08:00")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if minutes > 59 or seconds > 59 or total > DAY:
        raise InvalidHours(f"{where}: {_shown(text)} is not a time of day such as 08:00")
    return total


def _shown(value: object) -> str:
    """A short, bounded rendering of hostile input for an error text."""
    if isinstance(value, str):
        return repr(value[:40])
    return repr(value)[:40] if value is None or isinstance(value, (bool, int, float)) else type(value).__name__
