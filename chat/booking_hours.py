"""Which times are offered, and how many seats of each are taken already."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from chat import slots
from chat.models import Booking, BookingHours
from chat.slots import Slot
from helpdesk.sla import calendars
from helpdesk.sla.hours import OpeningHours


def current() -> BookingHours:
    """The row; not saved yet where nobody has changed anything."""
    return BookingHours.objects.filter(pk=1).first() or BookingHours(pk=1)


def save(fields: Mapping[str, Any]) -> BookingHours:
    """Write it; `fields` are columns."""
    row = current()
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()
    return row


def offered(*, at: datetime) -> list[Slot]:
    """What can be booked now, soonest first; full ones are left out."""
    rules = current()
    if not rules.is_on:
        return []
    starts = list(_starts(rules, at))
    if not starts:
        return []
    taken = Counter(
        Booking.objects.filter(
            state=Booking.State.BOOKED, starts_at__gte=starts[0], starts_at__lte=starts[-1]
        ).values_list("starts_at", flat=True)
    )
    found = (Slot(start, start + slots.LASTS, rules.seats - taken[start]) for start in starts)
    return [slot for slot in found if slot.left > 0]


def seats_at(starts_at: datetime, *, at: datetime) -> int:
    """How many seats there are at that time, taken or not; 0 where it is no slot that is offered now."""
    rules = current()
    first, last = bounds(rules, at)
    if not rules.is_on or not first <= starts_at <= last:
        return 0
    hours, zone = _hours(rules)
    return rules.seats if starts_at in slots.within(hours, zone, starts_at, starts_at + slots.LASTS) else 0


def bounds(rules: BookingHours, at: datetime) -> tuple[datetime, datetime]:
    """From when until when slots are offered."""
    return at + timedelta(minutes=rules.lead_minutes), at + timedelta(days=rules.days)


def zone_of(*names: str) -> tzinfo:
    """The zone of the first name this machine knows; else the office's."""
    for name in names:
        try:
            if name:
                return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            continue
    return _hours(current())[1]


def _starts(rules: BookingHours, at: datetime) -> list[datetime]:
    hours, zone = _hours(rules)
    return list(slots.within(hours, zone, *bounds(rules, at.astimezone(UTC))))


def _hours(rules: BookingHours) -> tuple[OpeningHours | None, tzinfo]:
    if rules.calendar is not None:
        hours: OpeningHours | None = calendars.hours_of(rules.calendar.pk, rules.calendar.version)
    else:
        hours = calendars.office_hours()
    return hours, ZoneInfo(settings.OFFICE_TIME_ZONE if hours is None else hours.timezone)
