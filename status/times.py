"""Times as the public reads them, alike everywhere: in the page's zone, which is named, in the active language."""

from datetime import datetime, tzinfo
from typing import Protocol

from django.utils import formats
from django.utils.translation import gettext as _


class Planned(Protocol):
    """What may have a time that it is planned for, and an end."""

    @property
    def scheduled_for(self) -> datetime | None: ...
    @property
    def scheduled_until(self) -> datetime | None: ...
    @property
    def resolved_at(self) -> datetime | None: ...


def moment(at: datetime, zone: tzinfo) -> str:
    """A day and a time of it, such as "Nov. 22, 2026, 14:57 CET"."""
    local = at.astimezone(zone)
    return f"{_day(local)}, {local:%H:%M} {local.tzname()}"


def window(one: Planned, zone: tzinfo) -> str:
    """When a maintenance is planned for, as a line of its own; "" for anything else, and once it is over."""
    begins, ends = one.scheduled_for, one.scheduled_until
    if begins is None or ends is None or one.resolved_at is not None:
        return ""
    return f"{_('When')}: {span(begins, ends, zone)}"


def span(begins: datetime, ends: datetime, zone: tzinfo) -> str:
    """From when until when. Within a day its date stands there once; the zone twice where the clock changes in it."""
    first, last = begins.astimezone(zone), ends.astimezone(zone)
    if first.date() != last.date():
        return f"{moment(begins, zone)} – {moment(ends, zone)}"
    changes = f" {first.tzname()}" if first.tzname() != last.tzname() else ""
    return f"{_day(first)}, {first:%H:%M}{changes} – {last:%H:%M} {last.tzname()}"


def _day(local: datetime) -> str:
    return formats.date_format(local, "DATE_FORMAT")
