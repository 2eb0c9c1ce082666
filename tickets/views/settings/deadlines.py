"""When a request would be due: the same reckoning that clocks run by, tried out on hours that are not saved yet."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language

from helpdesk.sla.models import Calendar
from helpdesk.sla.preview import preview_line
from tickets.desk.wording import labels
from tickets.zones import known_zone


@dataclass(frozen=True, slots=True)
class Due:
    """`at` is None where the hours do not hold the goal; `error` then says why."""

    priority: str
    minutes: int
    at: datetime | None
    error: str


def asked(request: HttpRequest) -> datetime:
    """The instant to reckon from, as the page was asked for it in the agent's zone; else the next Friday, 18:30."""
    given = request.POST.get("start") or request.GET.get("start") or ""
    try:
        read = parse_datetime(given[:40])
    except ValueError:
        read = None
    if read is not None and 2000 <= read.year <= 2150:
        return read if timezone.is_aware(read) else read.replace(tzinfo=timezone.get_current_timezone())
    today = timezone.localdate()
    friday = today + timedelta(days=(4 - today.weekday()) % 7)
    return datetime.combine(friday, time(18, 30), timezone.get_current_timezone())


def of_calendar(calendar: Calendar, goals: Mapping[str, int], start: datetime) -> list[Due]:
    days = [holiday.isoformat() for holiday in calendar.holidays.values_list("date", flat=True)]
    return reckon(calendar.timezone, calendar.week, days, goals, start)


def reckon(zone: str, week: Any, holidays: list[str], goals: Mapping[str, int], start: datetime) -> list[Due]:
    """One line a goal (priority → minutes of opening time) for a request that comes in at `start`; times in `zone`."""
    names = labels(get_language())["priority"]
    found = []
    for priority, minutes in goals.items():
        line = {
            "timezone": zone,
            "week": week,
            "holidays": holidays,
            "start": start.isoformat(),
            "goal_minutes": minutes,
        }
        said = preview_line(json.dumps(line))
        due = str(said.get("due_at", ""))
        at = datetime.fromisoformat(due).astimezone(known_zone(zone)) if due else None
        found.append(Due(names[priority], minutes, at, str(said.get("error", ""))))
    return found
