"""Business time: the figures of our own agreement, and the mistakes others made."""

from __future__ import annotations

from datetime import UTC, date, timedelta

import pytest

from helpdesk.sla.hours import NeverOpen, OpeningHours
from helpdesk.sla.week import WEEKDAYS, InvalidHours
from tests.sla.timetables import (
    ALL_WEEK,
    HOUR,
    OFFICE,
    ROUND_THE_CLOCK,
    TWELVE_BY_FIVE,
    WORKDAYS,
    Week,
    every_day,
    local,
    utc,
)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-01-09T19:45", 0.5, "2026-01-12T07:15"),
        ("2026-01-09T19:30", 0.5, "2026-01-09T19:00"),
        ("2026-03-27T18:00", 4, "2026-03-30T08:00"),
        ("2026-10-23T18:00", 4, "2026-10-26T09:00"),
        ("2026-04-02T14:00", 12, "2026-04-07T12:00"),
        ("2026-01-10T10:00", 12, "2026-01-12T19:00"),
        ("2026-04-30T12:00", 36, "2026-05-06T10:00"),
        ("2026-01-11T03:00", 1, "2026-01-12T08:00"),
    ],
)
def test_our_own_agreement(start: str, hours: float, due: str) -> None:
    assert OFFICE.add(local(start), hours * HOUR) == utc(due)
    assert OFFICE.worked(local(start), utc(due)) == hours * HOUR


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-03-29T01:45", 0.5, "2026-03-29T01:15"),
        ("2026-03-29T00:00", 4, "2026-03-29T03:00"),
        ("2026-10-25T00:00", 4, "2026-10-25T02:00"),
        ("2026-03-28T12:00", 24, "2026-03-29T11:00"),
    ],
)
def test_round_the_clock_is_elapsed_time(start: str, hours: float, due: str) -> None:
    assert ROUND_THE_CLOCK.always_open
    assert ROUND_THE_CLOCK.add(local(start), hours * HOUR) == utc(due)
    assert ROUND_THE_CLOCK.worked(local(start), utc(due)) == hours * HOUR


def test_results_are_in_utc() -> None:
    for hours in (OFFICE, ROUND_THE_CLOCK):
        assert hours.add(local("2026-07-01T10:00"), 60).tzinfo is UTC
        assert hours.add(local("2026-07-01T10:00"), 0) == utc("2026-07-01T08:00")


# --- the ways a timetable can be written ---------------------------------------------------------------------------


def test_several_spans_a_day_leave_the_break_out() -> None:
    hours = OpeningHours.from_week("Europe/Berlin", {"mon": [["08:00", "12:00"], ["13:00", "17:00"]]})
    assert hours.add(local("2026-01-12T11:30"), HOUR) == local("2026-01-12T13:30")
    assert hours.worked(local("2026-01-12T00:00"), local("2026-01-13T00:00")) == 8 * HOUR


def test_unsorted_overlapping_and_touching_spans_count_once() -> None:
    written: Week = {"mon": [["13:00", "17:00"], ["08:00", "12:00"], ["11:00", "13:00"], ["09:00", "10:00"]]}
    hours = OpeningHours.from_week("Europe/Berlin", written)
    assert hours == OpeningHours.from_week("Europe/Berlin", {"mon": [["08:00", "17:00"]]})
    assert hash(hours) == hash(OpeningHours.from_week("Europe/Berlin", {"mon": [["08:00", "17:00"]], "tue": []}))


@pytest.mark.parametrize("span", [["00:00", "24:00"], ["00:00", "00:00"], ["09:00", "09:00"], ["18:00", "18:00"]])
def test_round_the_clock_is_recognised_however_it_is_written(span: list[str]) -> None:
    assert OpeningHours.from_week("Europe/Berlin", {day: [span] for day in WEEKDAYS}).always_open


def test_a_minute_missing_at_midnight_is_kept_as_written() -> None:
    hours = OpeningHours.from_week("Europe/Berlin", every_day(("00:00", "23:59")))
    assert not hours.always_open
    assert hours.worked(utc("2026-01-12T00:00"), utc("2026-01-22T00:00")) == 10 * (86_400 - 60)


def test_an_overnight_shift_has_both_its_parts() -> None:
    hours = OpeningHours.from_week("Europe/Berlin", {"fri": [["22:00", "06:00"]]})
    assert hours.worked(local("2026-01-09T20:00"), local("2026-01-10T00:00")) == 2 * HOUR
    assert hours.worked(local("2026-01-10T00:00"), local("2026-01-10T08:00")) == 6 * HOUR
    assert hours.add(local("2026-01-10T01:00"), 2 * HOUR) == local("2026-01-10T03:00")
    assert hours.add(local("2026-01-09T12:00"), 8 * HOUR) == local("2026-01-10T06:00")
    assert [span.seconds for span in hours.spans(local("2026-01-09T00:00"), local("2026-01-11T00:00"))] == [8 * HOUR]


def test_sunday_night_runs_into_monday() -> None:
    hours = OpeningHours.from_week("Europe/Berlin", {"sun": [["22:00", "06:00"]]})
    assert hours.is_open(local("2026-01-12T05:59"))
    assert not hours.is_open(local("2026-01-13T05:00"))


def test_a_span_until_24_00_and_one_from_00_00_are_one() -> None:
    split = OpeningHours.from_week("Europe/Berlin", {"mon": [["22:00", "24:00"]], "tue": [["00:00", "06:00"]]})
    assert split == OpeningHours.from_week("Europe/Berlin", {"mon": [["22:00", "06:00"]]})
    assert split.closing(local("2026-01-12T23:00")) == local("2026-01-13T06:00")


@pytest.mark.parametrize(
    ("zone", "reason"),
    [
        ("CET", "abbreviation"),
        ("EST", "abbreviation"),
        ("EST5EDT", "abbreviation"),
        ("GMT", "abbreviation"),
        ("UTC+1", "abbreviation"),
        ("UTC+01:00", "not a time zone name"),
        ("Europe/Nowhere", "unknown"),
        ("Europe", "unknown"),
        ("posix/Europe/Berlin", "unknown"),
        ("../../etc/passwd", "not a time zone name"),
        ("", "not a time zone name"),
        ("Europe/Berlin\x00", "not a time zone name"),
        ("A" * 5000, "not a time zone name"),
        (None, "not a time zone name"),
        (1, "not a time zone name"),
    ],
)
def test_only_places_are_time_zones(zone: str, reason: str) -> None:
    with pytest.raises(InvalidHours, match=reason):
        OpeningHours.from_week(zone, TWELVE_BY_FIVE)


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", "America/Argentina/Buenos_Aires", "Singapore", "Asia/Kathmandu"])
def test_places_and_utc_are_time_zones(zone: str) -> None:
    assert OpeningHours.from_week(zone, TWELVE_BY_FIVE).timezone == zone


@pytest.mark.parametrize(
    "week",
    [
        {"Monday": [["08:00", "20:00"]]},
        {"mon": [["8", "20:00"]]},
        {"mon": [["08:60", "20:00"]]},
        {"mon": [["08:00", "24:01"]]},
        {"mon": [["25:00", "26:00"]]},
        {"mon": [["24:00", "06:00"]]},
        {"mon": [["-1:00", "06:00"]]},
        {"mon": [["\u0660\u0668:\u0660\u0660", "20:00"]]},
        {"mon": [["08:00"]]},
        {"mon": [["08:00", "12:00", "13:00"]]},
        {"mon": ["08:00", "20:00"]},
        {"mon": "08:00-20:00"},
        {"mon": None},
        {"mon": [[8, 20]]},
        {0: [["08:00", "20:00"]]},
        [],
        None,
    ],
)
def test_a_week_that_makes_no_sense_is_refused(week: Week) -> None:
    with pytest.raises(InvalidHours):
        OpeningHours.from_week("Europe/Berlin", week)


def test_holidays_are_plain_dates() -> None:
    # 1 May 00:30 in Berlin is 30 April in UTC: the date of an instant depends on whom you ask.
    with pytest.raises(InvalidHours, match="plain date"):
        OpeningHours.from_week("Europe/Berlin", TWELVE_BY_FIVE, [utc("2026-04-30T22:30")])


def test_hours_that_never_open_say_so() -> None:
    never = OpeningHours.from_week("Europe/Berlin", {})
    with pytest.raises(NeverOpen):
        never.add(utc("2026-01-01T00:00"), 1)
    assert never.worked(utc("2026-01-01T00:00"), utc("2027-01-01T00:00")) == 0
    assert never.next_opening(utc("2026-01-01T00:00")) is None
    assert never.closing(utc("2026-01-01T00:00")) is None


@pytest.mark.parametrize("hours", [OFFICE, ROUND_THE_CLOCK])
def test_a_goal_beyond_the_horizon_is_refused(hours: OpeningHours) -> None:
    with pytest.raises(NeverOpen):
        hours.add(utc("2026-01-01T00:00"), 1e12)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), float("-inf")])
def test_senseless_amounts_are_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        OFFICE.add(utc("2026-01-01T00:00"), seconds)


def test_naive_instants_are_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        OFFICE.add(utc("2026-01-01T00:00").replace(tzinfo=None), 1)


# --- holidays and exceptional days ---------------------------------------------------------------------------------


def test_a_holiday_is_a_local_date() -> None:
    hours = OpeningHours.from_week("Europe/Berlin", ALL_WEEK, [date(2026, 5, 1)])
    assert not hours.always_open
    assert hours.add(utc("2026-04-30T21:30"), HOUR) == local("2026-05-02T00:30")
    assert hours.worked(utc("2026-04-30T22:00"), utc("2026-05-01T22:00")) == 0
    assert hours.worked(local("2026-04-29T00:00"), local("2026-05-03T00:00")) == 72 * HOUR


def test_a_holiday_closes_the_rest_of_the_night_before_too() -> None:
    hours = OpeningHours.from_week("Europe/Berlin", every_day(("22:00", "06:00")), [date(2026, 5, 1)])
    assert hours.spans(local("2026-04-30T12:00"), local("2026-05-02T12:00")) == [
        (local("2026-04-30T22:00"), local("2026-05-01T00:00")),
        (local("2026-05-02T00:00"), local("2026-05-02T06:00")),
    ]


def test_a_holiday_on_the_day_the_clocks_change() -> None:
    hours = OpeningHours.from_week("Europe/Berlin", ALL_WEEK, [date(2026, 3, 29)])
    assert hours.worked(local("2026-03-28T00:00"), local("2026-03-31T00:00")) == 48 * HOUR


def test_an_exceptional_day_replaces_its_spans_holiday_or_not() -> None:
    eve, christmas, sunday = date(2026, 12, 24), date(2026, 12, 25), date(2026, 12, 27)
    hours = OpeningHours.from_week(
        "Europe/Berlin",
        TWELVE_BY_FIVE,
        [christmas],
        {eve: [["08:00", "12:00"]], christmas: [["10:00", "11:00"]], sunday: [["23:00", "01:00"]]},
    )
    assert hours.spans(local("2026-12-24T00:00"), local("2026-12-28T09:00")) == [
        (local("2026-12-24T08:00"), local("2026-12-24T12:00")),
        (local("2026-12-25T10:00"), local("2026-12-25T11:00")),
        (local("2026-12-27T23:00"), local("2026-12-28T01:00")),
        (local("2026-12-28T08:00"), local("2026-12-28T09:00")),
    ]


def test_an_exceptional_day_without_spans_is_closed() -> None:
    hours = OpeningHours.from_week("Europe/Berlin", ALL_WEEK, exceptional_days={date(2026, 12, 31): []})
    assert not hours.is_open(local("2026-12-31T12:00"))
    assert hours.next_opening(local("2026-12-31T12:00")) == local("2027-01-01T00:00")


# --- changes of the clocks -----------------------------------------------------------------------------------------


def test_times_that_are_skipped_become_the_first_that_exists() -> None:
    hours = OpeningHours.from_week("Europe/Berlin", {"sun": [["00:00", "02:30"], ["02:45", "04:00"]]})
    assert hours.spans(local("2026-03-29T00:00"), local("2026-03-30T00:00")) == [
        (utc("2026-03-28T23:00"), utc("2026-03-29T02:00"))
    ]


def test_times_that_come_twice_open_at_the_first_and_close_at_the_last() -> None:
    hours = OpeningHours.from_week("Europe/Berlin", {"sun": [["02:15", "02:45"]]})
    assert hours.spans(local("2026-10-25T00:00"), local("2026-10-26T00:00")) == [
        (utc("2026-10-25T00:15"), utc("2026-10-25T01:45"))
    ]


@pytest.mark.parametrize(
    ("zone", "night", "seconds"),
    [
        ("Europe/Berlin", "2026-03-28", 7 * HOUR),
        ("Europe/Berlin", "2026-10-24", 9 * HOUR),
        ("America/Chicago", "2026-03-07", 7 * HOUR),
        ("America/Chicago", "2026-10-31", 9 * HOUR),
        ("Australia/Lord_Howe", "2026-10-03", 7.5 * HOUR),
        ("Australia/Lord_Howe", "2026-04-04", 8.5 * HOUR),
        ("Asia/Kathmandu", "2026-03-28", 8 * HOUR),
    ],
)
def test_a_night_shift_over_a_change_of_the_clocks(zone: str, night: str, seconds: float) -> None:
    hours = OpeningHours.from_week(zone, every_day(("22:00", "06:00")))
    start = local(f"{night}T12:00", zone)
    end = local(f"{date.fromisoformat(night) + timedelta(days=1)}T12:00", zone)
    assert hours.worked(start, end) == seconds
    assert hours.add(start, seconds) == end.replace(hour=6)


@pytest.mark.parametrize(
    "zone", ["America/Havana", "America/St_Johns", "America/Santiago", "Africa/Cairo", "Asia/Gaza"]
)
@pytest.mark.parametrize("week", [every_day(("00:00", "24:00")), every_day(("18:00", "06:00"), ("06:00", "18:00"))])
def test_changes_around_midnight_neither_lose_nor_double_time(zone: str, week: Week) -> None:
    # A closed day far away keeps the hours from being recognised as round the clock.
    hours = OpeningHours.from_week(zone, week, [date(2030, 1, 1)])
    start, end = utc("2009-01-01T00:00"), utc("2012-01-01T00:00")
    assert hours.worked(start, end) == (end - start).total_seconds()
    assert hours.spans(start, end) == [(start, end)]


def test_a_date_that_does_not_exist_is_empty() -> None:
    hours = OpeningHours.from_week("Pacific/Apia", TWELVE_BY_FIVE)
    assert hours.add(local("2011-12-29T19:00", "Pacific/Apia"), 2 * HOUR) == local("2012-01-02T09:00", "Pacific/Apia")
    assert not hours.is_open(local("2011-12-31T10:00", "Pacific/Apia"))
    assert not hours.opens_on(date(2011, 12, 30))


# --- pauses --------------------------------------------------------------------------------------------------------


def test_a_pause_moves_the_deadline_by_the_business_time_it_covers() -> None:
    # Friday 18:00 to Monday 09:00 covers three open hours, not 63 hours.
    pause = (local("2026-01-09T18:00"), local("2026-01-12T09:00"))
    assert OFFICE.add(local("2026-01-09T17:00"), 2 * HOUR, [pause]) == local("2026-01-12T10:00")
    assert OFFICE.worked(local("2026-01-09T17:00"), local("2026-01-12T10:00"), [pause]) == 2 * HOUR


def test_overlapping_unsorted_and_outlying_pauses_count_once() -> None:
    start = local("2026-01-12T08:00")
    pauses = [
        (local("2026-01-12T11:00"), local("2026-01-12T12:00")),
        (local("2026-01-12T09:00"), local("2026-01-12T10:00")),
        (local("2026-01-12T09:30"), local("2026-01-12T11:00")),
        (local("2026-01-11T00:00"), local("2026-01-11T23:00")),
        (local("2026-01-12T13:00"), local("2026-01-12T13:00")),
        (local("2030-01-12T13:00"), local("2031-01-12T13:00")),
    ]
    for hours in (OFFICE, ROUND_THE_CLOCK):
        assert hours.add(start, 2 * HOUR, pauses) == local("2026-01-12T13:00")
        assert hours.worked(start, local("2026-01-12T13:00"), pauses) == 2 * HOUR


def test_a_deadline_that_fits_before_a_pause_lies_at_its_start() -> None:
    pause = (local("2026-01-12T10:00"), local("2026-01-12T11:00"))
    assert OFFICE.add(local("2026-01-12T09:00"), HOUR, [pause]) == pause[0]


def test_a_pause_over_a_change_of_the_clocks() -> None:
    pause = (local("2026-03-28T12:00"), local("2026-03-29T12:00"))
    assert ROUND_THE_CLOCK.worked(local("2026-03-28T00:00"), local("2026-03-30T00:00"), [pause]) == 24 * HOUR


def test_a_reversed_pause_is_refused() -> None:
    with pytest.raises(ValueError, match="ends before"):
        OFFICE.add(utc("2026-01-12T08:00"), 60, [(utc("2026-01-12T10:00"), utc("2026-01-12T09:00"))])


# --- openings ------------------------------------------------------------------------------------------------------


def test_opening_is_included_and_closing_is_not() -> None:
    assert OFFICE.is_open(local("2026-01-12T08:00"))
    assert not OFFICE.is_open(local("2026-01-12T20:00"))
    assert OFFICE.is_open(local("2026-01-12T19:59:59.999999"))


def test_next_opening_and_closing() -> None:
    assert OFFICE.next_opening(local("2026-01-09T20:00")) == local("2026-01-12T08:00")
    assert OFFICE.next_opening(local("2026-01-12T08:30")) == local("2026-01-12T08:30")
    assert OFFICE.closing(local("2026-01-12T08:00")) == local("2026-01-12T20:00")
    assert OFFICE.closing(local("2026-01-12T20:00")) is None
    assert ROUND_THE_CLOCK.closing(local("2026-01-12T20:00")) is None
    five_days = OpeningHours.from_week("Europe/Berlin", {day: [["00:00", "24:00"]] for day in WORKDAYS})
    assert five_days.closing(local("2026-01-12T09:00")) == local("2026-01-17T00:00")


def test_nothing_is_worked_backwards() -> None:
    assert OFFICE.worked(local("2026-01-12T12:00"), local("2026-01-12T10:00")) == 0
    assert ROUND_THE_CLOCK.spans(local("2026-01-12T12:00"), local("2026-01-12T10:00")) == []
