"""Holidays from the library and from feeds, friendly and hostile."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.sla.holiday_sources import (
    MAX_EVENTS,
    MAX_FEED,
    InvalidFeed,
    UnknownRegion,
    from_ical,
    from_library,
    library_version,
)


def feed(*events: str) -> str:
    body = "".join(f"BEGIN:VEVENT\r\nUID:{number}\r\n{text}\r\nEND:VEVENT\r\n" for number, text in enumerate(events))
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{body}END:VCALENDAR\r\n".replace("\r\n\r\n", "\r\n")


def event(start: str, *more: str, summary: str = "Day") -> str:
    return "\r\n".join([f"DTSTART;VALUE=DATE:{start}", f"SUMMARY:{summary}", *more])


def days(text: str, *years: int) -> list[str]:
    return [day.isoformat() for day, _ in from_ical(text, years)]


# --- the library ---------------------------------------------------------------------------------------------------


def test_the_library_gives_the_public_holidays_of_a_region() -> None:
    found = dict(from_library("DE", "BE", [2026]))
    assert found[date(2026, 4, 3)] == "Good Friday"
    assert found[date(2026, 4, 6)] == "Easter Monday"
    assert date(2026, 5, 1) in found
    assert {day.year for day in found} == {2026}


def test_the_subdivision_matters() -> None:
    corpus_christi = date(2026, 6, 4)
    assert corpus_christi in dict(from_library("DE", "BY", [2026]))
    assert corpus_christi not in dict(from_library("DE", "BE", [2026]))
    assert corpus_christi not in dict(from_library("DE", None, [2026]))


def test_company_days_are_not_public_holidays() -> None:
    assert not {date(2026, 12, 24), date(2026, 12, 31)} & set(dict(from_library("DE", "", [2026])))


def test_several_years_come_sorted() -> None:
    found = [day for day, _ in from_library("US", None, range(2025, 2028))]
    assert found == sorted(found)
    assert {day.year for day in found} == {2025, 2026, 2027}


def test_names_do_not_depend_on_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "th")
    assert dict(from_library("DE", None, [2026]))[date(2026, 12, 25)] == "Christmas Day"
    assert dict(from_library("DE", None, [2026], "de"))[date(2026, 12, 25)] == "Erster Weihnachtstag"


@pytest.mark.parametrize(
    ("country", "subdivision"),
    [("XX", None), ("DE", "QQ"), ("Germany", None), ("de", None), ("HolidayBase", None), ("", None), ("__", None)],
)
def test_unknown_regions_are_refused(country: str, subdivision: str | None) -> None:
    with pytest.raises(UnknownRegion):
        from_library(country, subdivision, [2026])


@pytest.mark.parametrize("years", [[1], [10**6], range(1900, 2000)])
def test_senseless_years_are_refused(years: list[int]) -> None:
    with pytest.raises(ValueError, match="year"):
        from_library("DE", None, years)
    with pytest.raises(ValueError, match="year"):
        from_ical(feed(), years)


def test_the_version_is_known() -> None:
    assert library_version()[0].isdigit()


# --- feeds ---------------------------------------------------------------------------------------------------------


def test_all_day_events_are_holidays() -> None:
    text = feed(event("20260403", summary="Good\\, very good\\nFriday"), event("20250101"), event("20270101"))
    assert from_ical(text, [2026]) == [(date(2026, 4, 3), "Good, very good Friday")]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("DTEND;VALUE=DATE:20260102", ["2025-12-30", "2025-12-31", "2026-01-01"]),
        ("DURATION:P2D", ["2025-12-30", "2025-12-31"]),
        ("DTEND;VALUE=DATE:20251230", ["2025-12-30"]),
    ],
)
def test_events_of_several_days_leave_their_end_out(more: str, expected: list[str]) -> None:
    assert days(feed(event("20251230", more)), 2025, 2026) == expected
    assert days(feed(event("20251230", more)), 2026) == [day for day in expected if day >= "2026"]


def test_timed_cancelled_and_observed_events_are_no_holidays() -> None:
    text = feed(
        "DTSTART:20260403T080000Z\r\nDTEND:20260403T100000Z",
        "DTSTART:20260404T000000Z\r\nDTEND:20260405T000000Z",
        event("20260405", "STATUS:CANCELLED"),
        event("20260406", "DESCRIPTION:Observance\\nTo hide observances\\, go to Settings"),
        event("20260407", "DESCRIPTION:Public holiday"),
    )
    assert days(text, 2026) == ["2026-04-07"]


def test_local_midnight_to_midnight_is_a_whole_day() -> None:
    text = feed(
        "DTSTART;TZID=Europe/Berlin:20260403T000000\r\nDTEND;TZID=Europe/Berlin:20260404T000000",
        "DTSTART:20260501T000000\r\nDTEND:20260503T000000",
    )
    assert days(text, 2026) == ["2026-04-03", "2026-05-01", "2026-05-02"]


@pytest.mark.parametrize(
    ("start", "rule", "expected"),
    [
        ("20200101", "FREQ=YEARLY", ["2026-01-01", "2027-01-01"]),
        ("20200101", "FREQ=YEARLY;UNTIL=20260101", ["2026-01-01"]),
        ("20200101", "FREQ=YEARLY;UNTIL=20260101T225959Z", ["2026-01-01"]),
        ("20200101", "FREQ=YEARLY;COUNT=7", ["2026-01-01"]),
        ("20200101", "FREQ=YEARLY;COUNT=6", []),
        ("20200101", "FREQ=YEARLY;INTERVAL=7", ["2027-01-01"]),
        ("20200229", "FREQ=YEARLY", []),
        ("20201126", "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", ["2026-11-26", "2027-11-25"]),
        ("20200525", "FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO", ["2026-05-25", "2027-05-31"]),
        ("20201103", "FREQ=YEARLY;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", ["2026-11-03", "2027-11-02"]),
        ("20200907", "FREQ=YEARLY;BYMONTH=9;BYDAY=MO;BYSETPOS=1", ["2026-09-07", "2027-09-06"]),
        ("20200930", "FREQ=YEARLY;BYMONTH=9;BYMONTHDAY=-1", ["2026-09-30", "2027-09-30"]),
        ("20200106", "FREQ=YEARLY;BYDAY=1MO", ["2026-01-05", "2027-01-04"]),
        ("20280101", "FREQ=YEARLY", []),
        ("20200501", "freq=yearly;bymonth=5,10;bymonthday=1", ["2026-05-01", "2026-10-01", "2027-05-01", "2027-10-01"]),
    ],
)
def test_yearly_rules(start: str, rule: str, expected: list[str]) -> None:
    assert days(feed(event(start, f"RRULE:{rule}")), 2026, 2027) == expected


def test_a_rule_reaches_over_the_turn_of_the_year() -> None:
    text = feed(event("20201231", "DTEND;VALUE=DATE:20210102", "RRULE:FREQ=YEARLY"))
    assert days(text, 2026) == ["2026-01-01", "2026-12-31"]


def test_exceptions_additions_and_moved_occurrences() -> None:
    master = event("20200501", "RRULE:FREQ=YEARLY", "EXDATE;VALUE=DATE:20270501", "RDATE;VALUE=DATE:20270503")
    text = feed(master).replace(
        "END:VCALENDAR",
        f"BEGIN:VEVENT\r\nUID:0\r\nRECURRENCE-ID;VALUE=DATE:20260501\r\n{event('20260504')}\r\n"
        "END:VEVENT\r\nEND:VCALENDAR",
    )
    assert days(text, 2026, 2027, 2028) == ["2026-05-04", "2027-05-03", "2028-05-01"]


def test_two_names_of_one_day_are_one_entry() -> None:
    text = feed(event("20260501", summary="One"), event("20260501", summary="Two"), event("20260501", summary="One"))
    assert from_ical(text, [2026]) == [(date(2026, 5, 1), "One; Two")]


def test_a_byte_order_mark_and_bare_line_feeds_are_read() -> None:
    assert days("\ufeff" + feed(event("20260501")).replace("\r\n", "\n"), 2026) == ["2026-05-01"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not an iCalendar"),
        ("<!DOCTYPE html><html></html>", "cannot be read"),
        ("BEGIN:VCALENDAR\r\n", "not an iCalendar"),
        ("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260101\r\nEND:VEVENT\r\n", "not an iCalendar"),
        (feed("SUMMARY:x"), "DTSTART"),
        (feed(event("20261301")), "DTSTART"),
        (feed(event("20260101") + "\r\nDTSTART;VALUE=DATE:20260102"), "DTSTART"),
        (feed(event("20260101", "DTEND;VALUE=DATE:20250101")), "lasts"),
        (feed(event("20260101", "DTEND;VALUE=DATE:29990101")), "lasts"),
        (feed(event("20260101", "RRULE:FREQ=WEEKLY")), "yearly"),
        (feed(event("20260101", "RRULE:FREQ=SECONDLY;COUNT=999999999")), "yearly"),
        (feed(event("20260101", "RRULE:FREQ=YEARLY;BYWEEKNO=20")), "BYWEEKNO"),
        (feed(event("20260101", "RRULE:FREQ=YEARLY;BYMONTH=0")), "BYMONTH"),
        (feed(event("20260101", "RRULE:FREQ=YEARLY;INTERVAL=0")), "INTERVAL"),
        (feed(event("20260101", "RRULE:nonsense")), "cannot be read|recurrence"),
        ("x" * (MAX_FEED + 1), "longer"),
        (feed(*[event("20260101")] * (MAX_EVENTS + 1)), "more than"),
        (feed(*[event("19000101", "DTEND;VALUE=DATE:19010101", "RRULE:FREQ=YEARLY")] * 2000), "too many"),
        (feed(*[event("19000101", "RRULE:FREQ=YEARLY;COUNT=9999;BYMONTHDAY=1,2,3;BYDAY=MO")] * 2000), "too many"),
        ("BEGIN:VCALENDAR\r\n" * 20_000, "not an iCalendar"),
    ],
)
def test_hostile_feeds_are_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidFeed, match=reason):
        from_ical(text, range(1990, 2030))


def test_deep_nesting_is_read_past() -> None:
    assert from_ical("BEGIN:VCALENDAR\r\n" * 20_000 + "END:VCALENDAR\r\n" * 20_000, [2026]) == []


PIECES = [
    "BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "DTSTART;VALUE=DATE:20260101", "DTSTART:x",
    "DTEND;VALUE=DATE:20260103", "DTEND:20260101T000000", "RRULE:FREQ=YEARLY", "RRULE:FREQ=YEARLY;BYDAY=9MO",
    "RRULE:", "EXDATE:;", "EXDATE;VALUE=DATE:20270101", "RDATE;VALUE=PERIOD:20260101T000000Z/P1D", "DURATION:P1D",
    "DURATION:-P9W", "RECURRENCE-ID:20260101", "UID:1", "SUMMARY:a", "STATUS:CANCELLED", " folded", ";;;", "",
]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=30), max_size=12), st.booleans())
def test_whatever_the_feed_it_is_read_or_refused(lines: list[str], framed: bool) -> None:
    if framed:
        lines = ["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"]
    try:
        found = from_ical("\r\n".join(lines), [2026, 2027])
    except InvalidFeed:
        return
    assert all(day.year in (2026, 2027) for day, _ in found)
