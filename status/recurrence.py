"""When something comes again: a recurrence rule (RFC 5545, section 3.3.10) in the wall-clock time of a zone. Pure.

What the clock shows stays the same when the clocks are changed. A time that a change skips moves to the first instant
after it; a time that comes twice is meant the first time (helpdesk.oncall.wall_clock).
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from helpdesk.oncall.wall_clock import first_instant

LONGEST: Final = 300
MOST: Final = 400
_DAYS: Final = r"(?:MO|TU|WE|TH|FR|SA|SU)"
_NUMBERS: Final = r"-?[0-9]{1,3}(?:,-?[0-9]{1,3}){0,30}"
# What a value looks like. Hours and less are left out: no maintenance comes every minute.
_PARTS: Final = {
    "FREQ": re.compile(r"DAILY|WEEKLY|MONTHLY|YEARLY"),
    "INTERVAL": re.compile(r"[1-9][0-9]{0,2}"),
    "COUNT": re.compile(r"[1-9][0-9]{0,2}"),
    "UNTIL": re.compile(r"[0-9]{8}(?:T[0-9]{6})?"),
    "WKST": re.compile(_DAYS),
    "BYDAY": re.compile(rf"(?:[+-]?[1-5])?{_DAYS}(?:,(?:[+-]?[1-5])?{_DAYS}){{0,30}}"),
    "BYMONTHDAY": re.compile(_NUMBERS),
    "BYMONTH": re.compile(_NUMBERS),
    "BYSETPOS": re.compile(_NUMBERS),
}
# A rule that never comes true is looked through to the year 9999: with these a day at a time, that would take seconds.
_OF_LONG: Final = frozenset({"BYMONTHDAY", "BYMONTH", "BYSETPOS"})


class WrongRule(ValueError):
    """What was written is no rule we follow; the argument says why."""


def check(text: str) -> str:
    """The rule as it is kept: in capitals, without `RRULE:`. Raises WrongRule."""
    rule = text.strip().upper().removeprefix("RRULE:")
    if len(rule) > LONGEST:
        raise WrongRule(f"a rule has at most {LONGEST} characters")
    parts: dict[str, str] = {}
    for part in filter(None, rule.split(";")):
        name, _sign, value = part.partition("=")
        if name not in _PARTS or name in parts or not _PARTS[name].fullmatch(value):
            raise WrongRule(f"{part[:40]} is not understood here")
        parts[name] = value
    if "FREQ" not in parts:
        raise WrongRule("a rule says how often: FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")
    if parts["FREQ"] in ("DAILY", "WEEKLY") and _OF_LONG & parts.keys():
        raise WrongRule(f"{', '.join(sorted(_OF_LONG & parts.keys()))} go with MONTHLY and YEARLY")
    return ";".join(f"{name}={value}" for name, value in parts.items())


def occurrences(rule: str, begins: datetime, zone: ZoneInfo, after: datetime, until: datetime) -> list[datetime]:
    """When it comes within (after, until], as instants in UTC, at most MOST. `begins` is the first time it may come.
    Raises WrongRule.
    """
    found: list[datetime] = []
    for wall in _walls(rule, begins, zone):
        instant = first_instant(zone, wall.date(), wall.time())
        if instant > until or len(found) == MOST:
            break
        if instant > after:
            found.append(instant)
    return found


def first(rule: str, begins: datetime, zone: ZoneInfo) -> datetime | None:
    """When it comes first; None for a rule that never comes true. Raises WrongRule."""
    wall = next(islice(_walls(rule, begins, zone), 1), None)
    return None if wall is None else first_instant(zone, wall.date(), wall.time())


def _walls(rule: str, begins: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """What the clock shows whenever it comes."""
    start = begins.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
    try:
        found = rrulestr(check(rule), dtstart=start)
    except WrongRule:
        raise
    except ValueError as error:
        raise WrongRule(str(error)[:200]) from error
    assert isinstance(found, rrule), "one rule, and nothing else, was let through"
    for wall in found:
        if wall.year > 2200:
            return
        yield wall


def ends(begin: datetime, minutes: int) -> datetime:
    """When a window ends that begins then: work takes as long as it takes, also while the clocks are changed."""
    return datetime.fromtimestamp(begin.timestamp() + minutes * 60, UTC)
