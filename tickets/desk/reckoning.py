"""A clock from the database, explained."""

from datetime import date, datetime

from django.utils.dateparse import parse_datetime

from helpdesk.sla.calendars import hours_of
from helpdesk.sla.explanation import Explanation, explain
from helpdesk.sla.models import CalendarVersion, Clock


def explain_clock(clock: Clock, *, at: datetime) -> Explanation:
    """Why it is due when it is due: until it was met, or until `at` while it is paused, else until it is due."""
    version = CalendarVersion.objects.get(calendar_id=clock.calendar_id, version=clock.calendar_version)
    names = {date.fromisoformat(day): name for day, name in version.holidays.items()}
    until = clock.met_at or clock.cancelled_at or (at if clock.paused_at else None)
    return explain(
        hours_of(clock.calendar_id, clock.calendar_version),
        clock.started_at,
        clock.goal_seconds,
        _pauses(clock, at),
        until=until,
        holiday_names=names,
    )


def _pauses(clock: Clock, at: datetime) -> list[tuple[datetime, datetime]]:
    found = []
    for begun, ended in clock.pauses:
        start, end = parse_datetime(begun), parse_datetime(ended)
        assert start is not None and end is not None, "clocks.resume wrote them"
        found.append((start, end))
    if clock.paused_at is not None:
        found.append((clock.paused_at, max(at, clock.paused_at)))
    return found
