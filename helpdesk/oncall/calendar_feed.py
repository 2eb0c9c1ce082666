"""A schedule as an iCalendar feed (RFC 5545). Pure: no Django, no clock."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from icalendar import Calendar, Event

from helpdesk.oncall.rota import Slot

REFRESH_EVERY: Final = timedelta(hours=1)


def ical(slots: Iterable[Slot], names: Mapping[int, str], calendar_name: str, domain: str, stamp: datetime) -> bytes:
    """A published calendar with one event for each slot in which somebody is on call, all times in UTC.

    `slots` are best those of `whole_slots`: an event's UID is made of its source, person and start, so that it keeps
    its identity from feed to feed while the window moves. `names` are display names by user id; `domain` is the host
    that makes the UIDs unique (RFC 7986 §5.3); `stamp` is when the feed was made (aware). The same arguments give the
    same bytes. Raises ValueError if `stamp` has no zone.
    """
    if stamp.tzinfo is None:
        raise ValueError("a stamp needs a time zone")
    calendar = Calendar()
    calendar.add("prodid", "-//helpdesk//on-call//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    # NAME and REFRESH-INTERVAL are RFC 7986; the X- twins are what Outlook, Google and Apple still read.
    calendar.add("name", _line(calendar_name))
    calendar.add("x-wr-calname", _line(calendar_name))
    calendar.add("refresh-interval", REFRESH_EVERY, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for slot in slots:
        if slot.user is not None:
            calendar.add_component(_event(slot, slot.user, names, domain, stamp))
    feed: bytes = calendar.to_ical()
    return feed


def _event(slot: Slot, user: int, names: Mapping[int, str], domain: str, stamp: datetime) -> Event:
    start = slot.start.astimezone(UTC)
    event = Event()
    event.add("uid", f"{slot.source.replace(':', '-')}-{user}-{start:%Y%m%dT%H%M%SZ}@{_line(domain)}")
    event.add("dtstamp", stamp.astimezone(UTC))
    event.add("dtstart", start)
    event.add("dtend", slot.end.astimezone(UTC))
    event.add("summary", _line(f"On call: {names.get(user, f'user {user}')}"))
    # Being on call does not make the person busy.
    event.add("transp", "TRANSPARENT")
    return event


def _line(text: str) -> str:
    """`text` without control characters, which RFC 5545 forbids and which could end a content line."""
    return "".join(character if character.isprintable() else " " for character in text)
