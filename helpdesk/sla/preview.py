"""One line of the `sla_preview` contract: a JSON object in, what it is due or has worked out. Pure, no Django.

In: ``timezone``, ``week``, ``start`` (with an offset), one of ``goal_minutes`` and ``end``; optional ``holidays``,
``exceptional_days`` (date to spans) and ``pauses`` (pairs of instants). Out: ``due_at`` (UTC), ``worked_minutes`` or
``error``. Optional keys may be null; unknown keys are ignored, so that a line can carry an id of its own.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NoReturn, TypeVar

from helpdesk.sla.hours import HORIZON_DAYS, OpeningHours
from helpdesk.sla.week import InvalidHours

MAX_LINE = 1_000_000
"""Longest line that is read, in characters."""

_CACHED_LENGTH = 50_000  # a longer timetable is not kept: many of them would fill the memory
_YEARS = range(1900, 2201)
_MAX_MINUTES = HORIZON_DAYS * 1440
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_Json = Mapping[str, object]
_Kind = TypeVar("_Kind")


class _Senseless(ValueError):
    """The line makes no sense; the text says why."""


def preview_line(line: str) -> dict[str, object]:
    """The answer to one line: ``{"due_at": …}``, ``{"worked_minutes": …}`` or ``{"error": …}``; never raises."""
    try:
        return _answer(_read(line))
    except (ValueError, OverflowError, RecursionError) as error:
        return {"error": str(error) or type(error).__name__}


def _read(line: str) -> _Json:
    if len(line) > MAX_LINE:
        raise _Senseless(f"the line is longer than {MAX_LINE} characters")
    try:
        asked = json.loads(line, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise _Senseless("the line is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise _Senseless(f"not JSON: {error.msg} at column {error.colno}") from error
    if not isinstance(asked, dict):
        raise _Senseless("expected a JSON object")
    return asked


def _answer(asked: _Json) -> dict[str, object]:
    hours = _hours(asked)
    start = _instant(asked.get("start"), "start")
    pauses = _pauses(asked.get("pauses"))
    goal, end = asked.get("goal_minutes"), asked.get("end")
    if (goal is None) == (end is None):
        raise _Senseless('expected either "goal_minutes" or "end"')
    if goal is not None:
        due = hours.add(start, _goal_seconds(goal), pauses)
        return {"due_at": due.isoformat().replace("+00:00", "Z")}
    until = _instant(end, "end")
    if until < start:
        raise _Senseless("end lies before start")
    if until - start > timedelta(days=HORIZON_DAYS):
        raise _Senseless("start and end are more than ten years apart")
    seconds = hours.worked(start, until, pauses)
    return {"worked_minutes": int(seconds // 60) if seconds % 60 == 0 else seconds / 60}


def _hours(asked: _Json) -> OpeningHours:
    parts = [asked.get(key) for key in ("timezone", "week", "holidays", "exceptional_days")]
    text = json.dumps(parts)
    return _cached_hours(text) if len(text) <= _CACHED_LENGTH else _build_hours(text)


@lru_cache(maxsize=64)
def _cached_hours(parts: str) -> OpeningHours:
    return _build_hours(parts)


def _build_hours(parts: str) -> OpeningHours:
    timezone, week, holidays, exceptional = json.loads(parts)
    days = _of_kind(holidays if holidays is not None else [], list, "holidays", "a list of dates")
    special = _of_kind(exceptional if exceptional is not None else {}, dict, "exceptional_days", "an object by date")
    if week is None:
        raise InvalidHours("week is missing")
    return OpeningHours.from_week(
        timezone,
        week,
        [_date(day, "holidays") for day in days],
        {_date(day, "exceptional_days"): spans for day, spans in special.items()},
    )


def _pauses(value: object) -> list[tuple[datetime, datetime]]:
    pairs = _of_kind(value if value is not None else [], list, "pauses", "a list of pairs of instants")
    found = []
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2:
            raise _Senseless("pauses: expected pairs of instants")
        found.append((_instant(pair[0], "pauses"), _instant(pair[1], "pauses")))
    return found


def _goal_seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _Senseless("goal_minutes: expected a number")
    if not 0 <= value <= _MAX_MINUTES or not math.isfinite(value):
        raise _Senseless(f"goal_minutes: expected 0 to {_MAX_MINUTES}")
    return value * 60


def _instant(value: object, where: str) -> datetime:
    """An ISO 8601 instant with an offset, in UTC. A time without an offset could mean two things and is refused."""
    if value is None:
        raise _Senseless(f"{where} is missing")
    if not isinstance(value, str) or len(value) > 40:
        raise _Senseless(f"{where}: expected an ISO 8601 instant such as 2026-01-09T19:45:00Z")
    try:
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise _Senseless(f"{where}: {value!r} is not an ISO 8601 instant such as 2026-01-09T19:45:00Z") from error
    if at.utcoffset() is None:
        raise _Senseless(f"{where}: {value!r} has no offset; write Z or such as +01:00")
    if at.year not in _YEARS:
        raise _Senseless(f"{where}: the year must lie between {_YEARS[0]} and {_YEARS[-1]}")
    return at.astimezone(UTC)


def _date(value: object, where: str) -> date:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise _Senseless(f"{where}: expected dates such as 2026-04-03")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise _Senseless(f"{where}: {value} is not a date") from error


def _of_kind(value: object, kind: type[_Kind], where: str, expected: str) -> _Kind:
    if not isinstance(value, kind):
        raise _Senseless(f"{where}: expected {expected}")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise _Senseless(f"{name} is not a number")
