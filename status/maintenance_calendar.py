"""Maintenance windows as a calendar to subscribe to (RFC 5545). Pure: no Django, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from icalendar import Calendar, Event

REFRESH_EVERY: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Window:
    """One maintenance. `uid` stays the same through all changes, `revision` (SEQUENCE) rises with each."""

    uid: str
    revision: int
    changed_at: datetime
    begins: datetime
    ends: datetime
    summary: str
    description: str
    url: str
    is_cancelled: bool = False


def calendar(windows: Iterable[Window], *, name: str) -> bytes:
    """A published calendar, all times in UTC. The same windows give the same bytes."""
    made = Calendar()
    made.add("prodid", "-//helpdesk//status//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    # NAME and REFRESH-INTERVAL are RFC 7986; the X- twins are what Outlook, Google and Apple still read.
    made.add("name", _clean(name))
    made.add("x-wr-calname", _clean(name))
    made.add("refresh-interval", REFRESH_EVERY, parameters={"VALUE": "DURATION"})
    made.add("x-published-ttl", "PT15M")
    for window in windows:
        made.add_component(_event(window))
    content: bytes = made.to_ical()
    return content


def _event(window: Window) -> Event:
    event = Event()
    event.add("uid", window.uid)
    event.add("sequence", window.revision)
    event.add("dtstamp", window.changed_at.astimezone(UTC))
    event.add("last-modified", window.changed_at.astimezone(UTC))
    event.add("dtstart", window.begins.astimezone(UTC))
    event.add("dtend", window.ends.astimezone(UTC))
    event.add("summary", _clean(window.summary))
    event.add("description", _clean(window.description, keeps_lines=True))
    event.add("url", window.url)
    event.add("status", "CANCELLED" if window.is_cancelled else "CONFIRMED")
    # A window of ours does not make those busy who have it in their calendar.
    event.add("transp", "TRANSPARENT")
    return event


def _clean(value: str, *, keeps_lines: bool = False) -> str:
    """Without control characters, which RFC 5545 forbids and which could end a content line."""
    return "".join(c if c.isprintable() or (keeps_lines and c == "\n") else " " for c in value)
