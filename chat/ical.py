"""A booked chat as a calendar entry (RFC 5545, sent as RFC 5546 and 6047 say). Pure: no Django, no clock."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from icalendar import Alarm, Calendar, Event, vCalAddress

RINGS_BEFORE: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the entry says. `uid` stays the same through all changes, `revision` (SEQUENCE) rises with each; `words` are
    summary and description in the customer's language.
    """

    uid: str
    revision: int
    starts_at: datetime
    ends_at: datetime
    summary: str
    description: str
    url: str
    organizer: tuple[str, str]
    attendee: tuple[str, str]
    is_cancelled: bool = False


def text(entry: Entry, *, stamp: datetime) -> str:
    """The entry as a text of its own, METHOD REQUEST or CANCEL, all times in UTC: no calendar reads them otherwise.

    `organizer` and `attendee` are address and name. Raises ValueError for naive times.
    """
    if any(at.tzinfo is None for at in (stamp, entry.starts_at, entry.ends_at)):
        raise ValueError("times need a zone")
    calendar = Calendar()
    calendar.add("prodid", "-//helpdesk//chat//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if entry.is_cancelled else "REQUEST")
    calendar.add_component(_event(entry, stamp))
    made: str = calendar.to_ical().decode()
    return made


def _event(entry: Entry, stamp: datetime) -> Event:
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.revision)
    event.add("dtstamp", stamp.astimezone(UTC))
    event.add("dtstart", entry.starts_at.astimezone(UTC))
    event.add("dtend", entry.ends_at.astimezone(UTC))
    event.add("summary", _clean(entry.summary))
    event.add("description", _clean(entry.description, keeps_lines=True))
    event.add("url", entry.url)
    event.add("status", "CANCELLED" if entry.is_cancelled else "CONFIRMED")
    event.add("organizer", _person(*entry.organizer))
    attendee = _person(*entry.attendee)
    # They have booked it themselves: nobody waits for an answer.
    attendee.params.update({"ROLE": "REQ-PARTICIPANT", "PARTSTAT": "ACCEPTED", "RSVP": "FALSE"})
    event.add("attendee", attendee)
    if not entry.is_cancelled:
        event.add_component(_alarm(entry))
    return event


def _alarm(entry: Entry) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", -RINGS_BEFORE)
    alarm.add("description", _clean(entry.summary))
    return alarm


def _person(address: str, name: str) -> vCalAddress:
    person = vCalAddress(f"MAILTO:{_clean(address)}")
    if name:
        person.params["CN"] = _clean(name).replace('"', "'")
    return person


def _clean(value: str, *, keeps_lines: bool = False) -> str:
    """Without control characters, which RFC 5545 forbids and which could end a content line."""
    return "".join(c if c.isprintable() or (keeps_lines and c == "\n") else " " for c in value)
