"""Uptime from spans: days as long as their zone makes them, weights, overlaps, and what is not known."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from status import uptime

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 3, 30, 10, 0, tzinfo=UTC)
LONG_AGO = date(2020, 1, 1)


@dataclass(frozen=True)
class Span:
    state: str
    since: datetime
    until: datetime | None


def _hours(day: int, begin: int, end: int, state: str = "major_outage") -> Span:
    midnight = datetime(2026, 3, day, tzinfo=UTC)
    return Span(state, midnight + timedelta(hours=begin), midnight + timedelta(hours=end))


def _days(*spans: Span, at: datetime = NOON, count: int = 3, started_on: date = LONG_AGO) -> list[uptime.Day]:
    first = at.astimezone(BERLIN).date() - timedelta(days=count - 1)
    return uptime.days(spans, zone=BERLIN, started_on=started_on, first=first, count=count, until=at)


def test_the_day_of_the_clock_change_has_23_hours_and_today_is_not_over() -> None:
    days = _days()
    assert [day.on.isoformat() for day in days] == ["2026-03-28", "2026-03-29", "2026-03-30"]
    assert [day.known / 3600 for day in days] == [24, 23, 12]
    assert uptime.share(days) == 1.0
    autumn = _days(at=datetime(2026, 10, 26, 12, tzinfo=UTC))
    assert [day.known / 3600 for day in autumn] == [24, 25, 13]


def test_a_major_outage_counts_whole_and_a_partial_one_half() -> None:
    assert uptime.share(_days(_hours(28, 10, 16))) == pytest.approx(1 - 6 / 59)
    assert uptime.share(_days(_hours(28, 10, 16, "partial_outage"))) == pytest.approx(1 - 3 / 59)
    for state in ("degraded_performance", "under_maintenance", "operational"):
        assert uptime.share(_days(_hours(28, 10, 16, state))) == 1.0


def test_where_spans_lie_over_each_other_the_worst_counts_once() -> None:
    (day, *_rest) = _days(_hours(28, 10, 16), _hours(28, 12, 20, "partial_outage"), _hours(28, 11, 13))
    assert day.seconds == {"major_outage": 6 * 3600, "partial_outage": 4 * 3600}
    assert day.worst == "major_outage"


def test_an_outage_that_goes_on_counts_until_now_and_over_midnight() -> None:
    days = _days(Span("major_outage", datetime(2026, 3, 29, 20, tzinfo=UTC), None))
    assert [day.seconds.get("major_outage", 0) / 3600 for day in days] == [0, 2, 12]


def test_what_was_not_there_yet_is_not_known() -> None:
    days = _days(started_on=date(2026, 3, 30))
    assert [day.worst for day in days] == ["", "", "operational"]
    assert uptime.share(_days(started_on=date(2026, 4, 2))) is None


times = st.datetimes(datetime(2026, 1, 1), datetime(2026, 3, 30)).map(lambda at: at.replace(tzinfo=UTC))
spans = st.builds(
    lambda state, since, hours: Span(state, since, None if hours is None else since + timedelta(hours=hours)),
    st.sampled_from(["major_outage", "partial_outage", "degraded_performance", "under_maintenance", "operational"]),
    times,
    st.none() | st.integers(0, 500),
)


@given(st.lists(spans, max_size=12))
def test_nothing_counts_twice_whatever_the_spans(some: list[Span]) -> None:
    days = _days(*some, count=90)
    assert len(days) == 90
    for day in days:
        assert 0 <= sum(day.seconds.values()) <= day.known + 1e-3
    share = uptime.share(days)
    assert share is not None and -1e-9 <= share <= 1
