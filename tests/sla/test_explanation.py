"""The reckoning is complete, adds up, and reads well."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.sla.explanation import LISTED, explain
from helpdesk.sla.hours import OpeningHours
from helpdesk.sla.week import WEEKDAYS

HOUR = 3600
OFFICE = OpeningHours.from_week(
    "Europe/Berlin",
    {day: [["08:00", "20:00"]] for day in WEEKDAYS[:5]},
    [date(2026, 4, 3), date(2026, 4, 6)],
)
ROUND_THE_CLOCK = OpeningHours.from_week("Europe/Berlin", {day: [["00:00", "24:00"]] for day in WEEKDAYS})
NAMES = {date(2026, 4, 3): "Good Friday"}


def local(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def as_json(explanation: Any) -> Any:
    return json.loads(json.dumps(explanation.as_dict(), allow_nan=False))


def test_over_easter() -> None:
    explanation = explain(OFFICE, local("2026-04-02T14:00"), 12 * HOUR, holiday_names=NAMES)
    assert as_json(explanation) == {
        "timezone": "Europe/Berlin",
        "always_open": False,
        "goal_minutes": 720,
        "started_at": "2026-04-02T12:00:00Z",
        "due_at": "2026-04-07T12:00:00Z",
        "until": "2026-04-07T12:00:00Z",
        "worked_minutes": 720,
        "spans": [
            {
                "from": "2026-04-02T12:00:00Z",
                "to": "2026-04-02T18:00:00Z",
                "worked_minutes": 360,
                "running_total_minutes": 360,
            },
            {
                "from": "2026-04-07T06:00:00Z",
                "to": "2026-04-07T12:00:00Z",
                "worked_minutes": 360,
                "running_total_minutes": 720,
            },
        ],
        "spans_omitted": 0,
        "pauses": [],
        "pauses_omitted": 0,
        "holidays": [{"date": "2026-04-03", "name": "Good Friday"}, {"date": "2026-04-06", "name": ""}],
        "holidays_omitted": 0,
        "closed_days": ["2026-04-04", "2026-04-05"],
        "closed_days_omitted": 0,
    }
    assert explanation.as_text() == (
        "Goal: 12 h of opening hours.\n"
        "The clock started on Thu 2 Apr 2026 14:00 CEST (Europe/Berlin).\n"
        "Time that counted:\n"
        "  Thu 2 Apr 2026 14:00 to 20:00 CEST: 6 h, 6 h in total\n"
        "  Tue 7 Apr 2026 08:00 to 14:00 CEST: 6 h, 12 h in total\n"
        "Holidays, not counted: Fri 3 Apr 2026 (Good Friday), Mon 6 Apr 2026.\n"
        "Closed days, not counted: Sat 4 Apr 2026, Sun 5 Apr 2026.\n"
        "Due on Tue 7 Apr 2026 14:00 CEST."
    )


def test_a_start_outside_hours_and_a_pause_over_a_change_of_the_clocks() -> None:
    pauses = [
        (local("2026-03-29T10:00"), local("2026-03-30T08:30")),
        (local("2026-03-30T08:15"), local("2026-03-30T09:00")),
    ]
    text = explain(OFFICE, local("2026-03-28T10:00"), 1.5 * HOUR, pauses).as_text()
    assert text == (
        "Goal: 1 h 30 min of opening hours.\n"
        "The clock started on Sat 28 Mar 2026 10:00 CET (Europe/Berlin).\n"
        "It was closed then, so time counts from the next opening, Mon 30 Mar 2026 09:00 CEST.\n"
        "Time that counted:\n"
        "  Mon 30 Mar 2026 09:00 to 10:30 CEST: 1 h 30 min, 1 h 30 min in total\n"
        "The clock was paused:\n"
        "  Sun 29 Mar 2026 10:00 CEST to Mon 30 Mar 2026 09:00 CEST\n"
        "Closed days, not counted: Sat 28 Mar 2026, Sun 29 Mar 2026.\n"
        "The clocks went forward by 1 h in this time.\n"
        "Due on Mon 30 Mar 2026 10:30 CEST."
    )


def test_until_now_says_what_is_left_or_exceeded() -> None:
    started = local("2026-01-12T08:00")
    before = explain(OFFICE, started, 4 * HOUR, until=local("2026-01-12T11:15"))
    assert before.as_text().endswith("At Mon 12 Jan 2026 11:15 CET, 3 h 15 min had counted; 45 min were left.")
    after = explain(OFFICE, started, 4 * HOUR, until=local("2026-01-12T12:00:30"))
    assert after.as_text().endswith(
        "Due on Mon 12 Jan 2026 12:00 CET.\n"
        "At Mon 12 Jan 2026 12:00:30 CET, 4 h 30 s had counted; the goal was exceeded by 30 s."
    )
    assert as_json(after)["worked_minutes"] == 240.5


def test_until_before_the_start_is_the_start() -> None:
    explanation = explain(OFFICE, local("2026-01-12T08:00"), HOUR, until=local("2026-01-11T08:00"))
    assert explanation.until == explanation.started_at
    assert "No time has counted." in explanation.as_text()


def test_round_the_clock_over_a_change_of_the_clocks() -> None:
    text = explain(ROUND_THE_CLOCK, local("2026-03-29T01:45"), HOUR / 2).as_text()
    assert "Goal: 30 min round the clock." in text
    assert "  Sun 29 Mar 2026 01:45 CET to Sun 29 Mar 2026 03:15 CEST: 30 min, 30 min in total" in text


def test_zones_without_letters_show_their_offset() -> None:
    hours = OpeningHours.from_week("Asia/Kathmandu", {"mon": [["08:00", "20:00"]]})
    text = explain(hours, local("2026-01-12T09:00", "Asia/Kathmandu"), HOUR).as_text()
    assert "Due on Mon 12 Jan 2026 10:00 UTC+05:45." in text


def test_hours_that_never_hold_the_goal_are_explained() -> None:
    explanation = explain(OpeningHours.from_week("Europe/Berlin", {}), local("2026-01-12T09:00"), HOUR)
    assert as_json(explanation)["due_at"] is None
    assert explanation.as_text().endswith("Never due: these opening hours do not hold that much time within ten years.")


def test_long_lists_are_capped_in_the_middle_and_totals_stay_right() -> None:
    explanation = explain(OFFICE, local("2020-01-01T08:00"), 12 * HOUR * 1000)
    answer = as_json(explanation)
    assert len(answer["spans"]) == LISTED
    assert answer["spans_omitted"] == 1000 - LISTED
    assert answer["spans"][-1]["running_total_minutes"] == 720_000
    assert len(answer["closed_days"]) == LISTED
    text = explanation.as_text()
    assert f"\n  … {1000 - LISTED} more spans …\n" in text
    assert len(text) < 10_000


@settings(deadline=None)
@given(
    st.sampled_from([OFFICE, ROUND_THE_CLOCK]),
    st.integers(0, 364 * 86_400_000_000),
    st.integers(0, 500_000),
    st.lists(st.tuples(st.integers(-100_000, 500_000), st.integers(0, 200_000)), max_size=4),
)
def test_the_listed_spans_add_up_to_the_goal(
    hours: OpeningHours, micros: int, goal: int, written: list[tuple[int, int]]
) -> None:
    start = local("2026-01-01T00:00", "UTC") + timedelta(microseconds=micros)
    pauses = [(start + timedelta(seconds=a), start + timedelta(seconds=a + length)) for a, length in written]
    explanation = explain(hours, start, goal, pauses)
    assert explanation.worked_seconds == goal
    for span in explanation.spans:
        assert not any(span.start < pause.end and pause.start < span.end for pause in explanation.pauses)
        assert not {hours.local(span.start).date()} & {day for day, _ in explanation.not_open}
    assert as_json(explanation)["due_at"] is not None
    assert explanation.as_text()
