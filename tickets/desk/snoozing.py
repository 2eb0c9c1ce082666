"""Until when a conversation may be put off: what agents mean by "tomorrow", in their own zone."""

from datetime import UTC, datetime, time, timedelta, tzinfo

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

MORNING = time(9)
LATER = timedelta(hours=3)
LONGEST = timedelta(days=366)


def presets(at: datetime, zone: tzinfo) -> dict[str, tuple[str, datetime]]:
    """Key → what it is called and when it is: in three hours, tomorrow at nine, Monday at nine."""
    local = at.astimezone(zone)
    later = (at + LATER).astimezone(zone).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    tomorrow = local.date() + timedelta(days=1)
    monday = local.date() + timedelta(days=7 - local.weekday())
    found = {
        "later": (_("Later today"), later),
        "tomorrow": (_("Tomorrow"), datetime.combine(tomorrow, MORNING, zone)),
        "next_week": (_("Next week"), datetime.combine(monday, MORNING, zone)),
    }
    if later.date() != local.date():
        del found["later"]
    return found


def until(chosen: str, typed: str, at: datetime, zone: tzinfo) -> datetime | None:
    """The time meant by a preset's key, or by "custom" and a time typed in the zone; None where it is none.

    A time that the clocks' change leaves out is the one an hour later.
    """
    if chosen != "custom":
        preset = presets(at, zone).get(chosen)
        return preset[1] if preset else None
    try:
        parsed = parse_datetime(typed)
    except ValueError:
        return None
    if parsed is None:
        return None
    try:
        found = (parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        return None
    return found if at < found <= at + LONGEST else None
