"""Where holidays can be imported from: the `holidays` library and iCalendar feeds. Pure, no Django, no network.

Both give ``[(date, name), …]``, sorted, one entry a date, to be copied into our own table: the library's data change
from release to release, and a calendar that changes by itself would move deadlines that were promised.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from importlib.metadata import version
from typing import Any

import holidays
from icalendar import Calendar, Component, Event

from helpdesk.sla.yearly_rule import UnsupportedRule, YearlyRule

Holidays = list[tuple[date, str]]

MAX_FEED = 1_000_000
"""Longest feed that is read, in characters; public holiday feeds have a tenth of it."""

MAX_EVENTS = 5_000
MAX_YEARS = 50
MAX_NAME = 200
_MAX_EVENT_DAYS = 366
_MAX_WORK = 300_000  # dates looked at, a second or so
_YEARS = range(1900, 2201)
_ENTITY = re.compile(r"[A-Z]{2}")


class UnknownRegion(ValueError):
    """The library has no holidays for that country or subdivision."""


class InvalidFeed(ValueError):
    """The feed is no calendar we can take holidays from; the text says why."""


def library_version() -> str:
    """The version of the `holidays` library, to be stored with what was imported from it."""
    return version("holidays")


def from_library(country: str, subdivision: str | None, years: Iterable[int], language: str = "en_US") -> Holidays:
    """Public holidays of an ISO 3166-1 country and, where given, its ISO 3166-2 subdivision (``"DE", "BY"``).

    Names are in `language` where the library has it, else in the country's own. Raises UnknownRegion; ValueError for
    years outside 1900 to 2200 or more than `MAX_YEARS` of them. Company days (24 and 31 December) are not in it.
    """
    wanted = _wanted_years(years)
    if not _ENTITY.fullmatch(country):
        raise UnknownRegion(f"{country[:20]!r} is not a two-letter country code")
    try:
        # The years are named here because the library fills itself lazily: without them it iterates as empty. The
        # language is named because it would otherwise follow the environment of the process.
        found = holidays.country_holidays(
            country, subdiv=subdivision or None, years=wanted, expand=False, language=language
        )
    except NotImplementedError as error:
        raise UnknownRegion(str(error)) from error
    return sorted((day, name) for day, name in found.items() if day.year in wanted)


def from_ical(text: str, years: Iterable[int]) -> Holidays:
    """The all-day events of an iCalendar feed (RFC 5545) that fall into those years.

    Several days (DTEND excluded), yearly rules, RDATE, EXDATE and moved occurrences are followed; timed and cancelled
    events are not holidays, nor are those Google's feeds describe as ``Observance``. Whatever the text holds,
    InvalidFeed is all it can raise; also for an all-day event with a rule that is not understood, because a holiday
    missed silently is a promise miscalculated. Years as for `from_library`.
    """
    wanted = _wanted_years(years)
    try:
        if len(text) > MAX_FEED:
            raise InvalidFeed(f"the feed is longer than {MAX_FEED} characters")
        names: dict[date, dict[str, None]] = defaultdict(dict)
        for day, name in _occurrences(_events(text), wanted):
            names[day][name] = None
    except InvalidFeed:
        raise
    except Exception as error:
        # The parser documents no closed set of exceptions for hostile text; what it said is kept in ours.
        raise InvalidFeed(f"the feed cannot be read: {type(error).__name__}: {str(error)[:200]}") from error
    return [(day, "; ".join(names[day])[:MAX_NAME]) for day in sorted(names)]


def _wanted_years(years: Iterable[int]) -> frozenset[int]:
    wanted: set[int] = set()
    for year in years:
        if year not in _YEARS:
            raise ValueError(f"the year must lie between {_YEARS[0]} and {_YEARS[-1]}")
        wanted.add(year)
        if len(wanted) > MAX_YEARS:
            raise ValueError(f"more than {MAX_YEARS} years")
    return frozenset(wanted)


def _events(text: str) -> list[Event]:
    calendars = Calendar.from_ical(text.removeprefix("\ufeff"), multiple=True)
    if not calendars or any(calendar.name != "VCALENDAR" for calendar in calendars):
        raise InvalidFeed("this is not an iCalendar feed")
    events = [event for calendar in calendars for event in calendar.subcomponents if isinstance(event, Event)]
    if len(events) > MAX_EVENTS:
        raise InvalidFeed(f"the feed has more than {MAX_EVENTS} events")
    return events


def _occurrences(events: list[Event], years: Collection[int]) -> Iterable[tuple[date, str]]:
    moved: dict[str, set[date]] = defaultdict(set)
    for event in events:
        if "RECURRENCE-ID" in event:
            moved[_text(event, "UID")].add(_date(_value(event, "RECURRENCE-ID")))
    wanted = {*years, *(year - 1 for year in years)}  # what begins at the end of a year may reach into the next
    work = 0
    for event in events:
        days = _all_day(event)
        if days is None or _text(event, "STATUS").upper() == "CANCELLED" or _is_observance(event):
            continue
        first, count = days
        own = "RECURRENCE-ID" in event
        rules = [] if own else _rules(event, first)
        work = _spend(work, sum(rule.effort(wanted) for rule in rules))
        starts = {first}.union(_listed(event, "RDATE"), *(rule.dates(wanted) for rule in rules))
        if not own:
            starts -= _listed(event, "EXDATE") | moved[_text(event, "UID")]
        work = _spend(work, len(starts) * count)
        name = " ".join(_text(event, "SUMMARY").split())[:MAX_NAME]
        for start in starts:
            for day in (start + timedelta(days=number) for number in range(count)):
                if day.year in years:
                    yield day, name


def _spend(spent: int, more: int) -> int:
    if spent + more > _MAX_WORK:
        raise InvalidFeed("the feed has too many recurring or long events")
    return spent + more


def _all_day(event: Event) -> tuple[date, int] | None:
    """The first date and the number of days of an all-day event, else None.

    Some programs write a whole day as local midnight to midnight; that is taken as all-day, an instant in UTC is not.
    """
    start = _value(event, "DTSTART")
    end = _value(event, "DTEND") if "DTEND" in event else None
    if isinstance(start, datetime):
        if not (isinstance(end, datetime) and _is_midnight(start) and _is_midnight(end) and end.date() > start.date()):
            return None
    elif not isinstance(start, date):
        raise InvalidFeed(f"{_label(event)}: DTSTART is not a date")
    first = _date(start)
    if end is not None:
        count = (_date(end) - first).days
    elif "DURATION" in event:
        count = _duration(event).days
    else:
        count = 1
    if count > _MAX_EVENT_DAYS or count < 0:
        raise InvalidFeed(f"{_label(event)}: it lasts {count} days")
    return first, max(count, 1)  # RFC 5545 forbids an empty event; where it is written, the day is meant


def _rules(event: Event, first: date) -> list[YearlyRule]:
    found = event.get("RRULE", [])
    try:
        return [
            YearlyRule.read({key.upper(): list(values) for key, values in rule.items()}, first)
            for rule in (found if isinstance(found, list) else [found])
        ]
    except UnsupportedRule as error:
        raise InvalidFeed(f"{_label(event)}: {error}") from error


def _listed(event: Event, name: str) -> set[date]:
    found = event.get(name, [])
    lists = found if isinstance(found, list) else [found]
    return {_date(entry.dt) for dates in lists for entry in dates.dts}


def _value(event: Event, name: str) -> object:
    value: Any = event.get(name)
    if not hasattr(value, "dt"):  # absent, twice, or kept by the parser as broken
        raise InvalidFeed(f"{_label(event)}: {name} cannot be read")
    return value.dt


def _duration(event: Event) -> timedelta:
    value = _value(event, "DURATION")
    if not isinstance(value, timedelta):
        raise InvalidFeed(f"{_label(event)}: DURATION cannot be read")
    return value


def _date(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    raise InvalidFeed(f"{str(value)[:40]!r} is not a date")


def _is_midnight(at: datetime) -> bool:
    return at.time() == time() and at.tzname() != "UTC"


def _is_observance(event: Event) -> bool:
    # Google's holiday calendars mix public holidays with days such as Mother's Day and tell them apart only here.
    return _text(event, "DESCRIPTION").lstrip().lower().startswith("observance")


def _text(event: Component, name: str) -> str:
    value = event.get(name, "")
    return str(value[0] if isinstance(value, list) and value else value)


def _label(event: Event) -> str:
    return f"event {_text(event, 'SUMMARY')[:60]!r}"
