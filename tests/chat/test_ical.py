"""A booked chat as a calendar entry, read back by a parser."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from chat import ical
from chat.ical import Entry

STAMP = datetime(2026, 1, 12, 8, 0, tzinfo=UTC)
ENTRY = Entry(
    uid="booking-1@demo.example",
    revision=3,
    starts_at=datetime(2026, 3, 29, 10, 0, tzinfo=ZoneInfo("Europe/Berlin")),
    ends_at=datetime(2026, 3, 29, 10, 30, tzinfo=ZoneInfo("Europe/Berlin")),
    summary="Chat with Demo",
    description="What it is about\nhttps://desk.example/chat/",
    url="https://desk.example/chat/",
    organizer=("helpdesk@demo.example", "Demo"),
    attendee=("carol@acme.example", "Carol Meyer"),
)


def test_a_request() -> None:
    text = ical.text(ENTRY, stamp=STAMP)

    calendar = Calendar.from_ical(text)
    (event,) = calendar.walk("VEVENT")
    assert calendar["METHOD"] == "REQUEST"
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == ("booking-1@demo.example", 3, "CONFIRMED")
    assert "DTSTART:20260329T080000Z\r\n" in text
    assert "DTEND:20260329T083000Z\r\n" in text
    assert ";PARTSTAT=ACCEPTED;" in text.replace("\r\n ", "")
    (alarm,) = event.walk("VALARM")
    assert alarm.decoded("TRIGGER") == -timedelta(minutes=15)


def test_a_cancellation_rings_no_more() -> None:
    calendar = Calendar.from_ical(ical.text(replace(ENTRY, is_cancelled=True), stamp=STAMP))

    (event,) = calendar.walk("VEVENT")
    assert (calendar["METHOD"], event["STATUS"]) == ("CANCEL", "CANCELLED")
    assert not event.walk("VALARM")


def test_naive_times_are_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        ical.text(replace(ENTRY, starts_at=datetime(2026, 1, 1)), stamp=STAMP)


@settings(deadline=None, max_examples=60)
@given(summary=st.text(max_size=120), description=st.text(max_size=300), name=st.text(max_size=60))
def test_no_text_ends_a_content_line(summary: str, description: str, name: str) -> None:
    entry = replace(ENTRY, summary=summary, description=description, attendee=("carol@acme.example", name))

    text = ical.text(entry, stamp=STAMP)

    (event,) = Calendar.from_ical(text).walk("VEVENT")
    assert event["UID"] == ENTRY.uid
    assert event["STATUS"] == "CONFIRMED"
    lines = text.split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    assert sum(line.startswith(("BEGIN:", "END:")) for line in lines) == 6
