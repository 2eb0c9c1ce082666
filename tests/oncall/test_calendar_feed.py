"""The on-call feed, read back by the same rules a calendar client reads it by."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from helpdesk.oncall.calendar_feed import ical
from helpdesk.oncall.rota import LayerPlan, OverridePlan, Slot, whole_slots

STAMP = datetime(2026, 1, 5, 12, tzinfo=UTC)
NAMES = {1: "Änna Müller, Ops", 2: "Ben"}
WEEKLY = LayerPlan(4, 0, "weekly", 1, date(2026, 1, 5), time(9), (1, 2))


def slot(start: int, end: int, user: int | None, source: str) -> Slot:
    return Slot(STAMP + timedelta(hours=start), STAMP + timedelta(hours=end), user, source)


def test_one_event_for_each_slot_with_somebody() -> None:
    feed = ical(
        [slot(0, 8, 1, "layer:4"), slot(8, 9, None, "gap"), slot(9, 12, 2, "override:7")],
        NAMES,
        "Operations",
        "desk.example",
        STAMP,
    )
    calendar = Calendar.from_ical(feed)
    events = calendar.walk("VEVENT")
    assert [str(event["UID"]) for event in events] == [
        "layer-4-1-20260105T120000Z@desk.example",
        "override-7-2-20260105T210000Z@desk.example",
    ]
    assert [str(event["SUMMARY"]) for event in events] == ["On call: Änna Müller, Ops", "On call: Ben"]
    assert [(event.decoded("DTSTART"), event.decoded("DTEND")) for event in events] == [
        (STAMP, STAMP + timedelta(hours=8)),
        (STAMP + timedelta(hours=9), STAMP + timedelta(hours=12)),
    ]
    assert str(calendar["X-WR-CALNAME"]) == str(calendar["NAME"]) == "Operations"
    assert {name for name in ("PRODID", "VERSION") if name in calendar} == {"PRODID", "VERSION"}


def test_all_times_are_utc_and_lines_end_as_rfc_5545_wants() -> None:
    berlin = Slot(
        datetime.fromisoformat("2026-07-01T08:00+02:00"), datetime.fromisoformat("2026-07-01T20:00+02:00"), 1, "layer:4"
    )
    feed = ical([berlin], NAMES, "x" * 300, "desk.example", STAMP)
    lines = feed.split(b"\r\n")
    assert b"DTSTART:20260701T060000Z" in lines
    assert b"DTEND:20260701T180000Z" in lines
    assert b"DTSTAMP:20260105T120000Z" in lines
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H" in lines
    assert b"\n" not in b"".join(lines)
    assert max(len(line) for line in lines) <= 75


def test_the_same_arguments_give_the_same_bytes_and_a_moving_window_the_same_uids() -> None:
    stand_in = OverridePlan(datetime(2026, 1, 7, tzinfo=UTC), datetime(2026, 1, 8, tzinfo=UTC), 2, 7)

    def feed(day: int) -> bytes:
        start = datetime(2026, 1, day, tzinfo=UTC)
        slots = whole_slots([WEEKLY], [stand_in], "Europe/Berlin", start, datetime(2026, 2, 1, tzinfo=UTC))
        return ical(slots, NAMES, "Operations", "desk.example", STAMP)

    def uids(content: bytes) -> list[str]:
        return [str(event["UID"]) for event in Calendar.from_ical(content).walk("VEVENT")]

    assert feed(9) == feed(10)
    assert set(uids(feed(10))) < set(uids(feed(6)))
    assert len(set(uids(feed(6)))) == len(uids(feed(6))) == 6


def test_an_unknown_person_is_still_shown() -> None:
    feed = ical([slot(0, 8, 9, "layer:4")], {}, "Operations", "desk.example", STAMP)
    assert b"SUMMARY:On call: user 9" in feed


def test_a_stamp_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        ical([], {}, "Operations", "desk.example", datetime(2026, 1, 5))


@given(st.text(), st.text())
def test_no_name_can_add_a_line_of_its_own(name: str, calendar_name: str) -> None:
    hostile = f"{name}\r\nEND:VEVENT\nATTACH:http://evil.example/\x85\u2028"
    feed = ical([slot(0, 8, 1, "layer:4")], {1: hostile}, calendar_name, "desk.example", STAMP)
    calendar = Calendar.from_ical(feed)
    (event,) = calendar.walk("VEVENT")
    assert set(event) == {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "TRANSP"}
    assert str(event["SUMMARY"]).isprintable()
    assert len(calendar.subcomponents) == 1
