"""How a clock of the database came to be due when it is."""

from datetime import date, datetime

from helpdesk.sla.explanation import Explanation, explain
from helpdesk.sla.models import CalendarVersion, Clock


def explain_clock(clock: Clock, *, at: datetime) -> Explanation:
    """The spans, pauses and holidays counted until the clock ended, or until `at` while it is open.

    Reckoned on the hours as the clock last knew them; the clock's own `due_at` is what counts.
    """
    version = CalendarVersion.objects.get(calendar_id=clock.calendar_id, version=clock.calendar_version)
    until = clock.met_at or clock.cancelled_at or at
    pauses = [(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in clock.pauses]
    if clock.paused_at is not None and clock.paused_at < until:
        pauses.append((clock.paused_at, until))
    names = {date.fromisoformat(day): name for day, name in version.holidays.items()}
    return explain(version.hours, clock.started_at, clock.goal_seconds, pauses, until, names)
