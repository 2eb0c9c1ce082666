"""The times at which a chat can be booked, on changing clocks and for visitors elsewhere."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat import slots
from chat.slots import LASTS, Slot
from helpdesk.sla.hours import OpeningHours

BERLIN = ZoneInfo("Europe/Berlin")
ALL_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONES = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))


def _hours(zone: str, opens: str, closes: str) -> OpeningHours:
    return OpeningHours.from_week(zone, {day: [[opens, closes]] for day in ALL_WEEK})


def _slots(starts: list[datetime]) -> list[Slot]:
    return [Slot(start, start + LASTS, 1) for start in starts]


def test_slots_are_half_hours_within_the_hours() -> None:
    hours = _hours("Europe/Berlin", "08:15", "10:10")
    day = datetime(2026, 1, 12, tzinfo=UTC)

    found = list(slots.within(hours, BERLIN, day, day + timedelta(days=1)))

    assert [f"{at.astimezone(BERLIN):%H:%M}" for at in found] == ["08:30", "09:00", "09:30"]


def test_a_slot_that_has_begun_is_left_out() -> None:
    hours = _hours("Europe/Berlin", "08:00", "20:00")
    first = datetime(2026, 1, 12, 9, 0, 0, 1, tzinfo=UTC)

    found = list(slots.within(hours, BERLIN, first, first + timedelta(hours=1)))

    assert found == [datetime(2026, 1, 12, 9, 30, tzinfo=UTC)]


def test_without_hours_any_half_hour_will_do() -> None:
    first = datetime(2026, 1, 12, 23, 10, tzinfo=UTC)

    found = list(slots.within(None, BERLIN, first, first + timedelta(hours=2)))

    assert [f"{at:%H:%M}" for at in found] == ["23:30", "00:00", "00:30"]


@pytest.mark.parametrize(
    ("day", "count"),
    [(datetime(2026, 3, 29), 6), (datetime(2026, 10, 25), 10), (datetime(2026, 10, 26), 8)],
)
def test_changing_clocks_neither_skip_nor_repeat_a_slot(day: datetime, count: int) -> None:
    """Open from 00:00 to 04:00: three hours in spring, five in autumn."""
    hours = _hours("Europe/Berlin", "00:00", "04:00")
    midnight = day.replace(tzinfo=BERLIN).astimezone(UTC)

    found = list(slots.within(hours, BERLIN, midnight, midnight + timedelta(hours=12)))

    assert len(found) == len(set(found)) == count
    assert all(later - sooner == LASTS for sooner, later in pairwise(found))


def test_times_that_come_twice_are_told_apart() -> None:
    first = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)

    (day,) = slots.by_day(_slots(list(slots.within(None, BERLIN, first, first + timedelta(hours=2)))), BERLIN)

    assert [says for says, _slot in day.slots] == ["02:00 CEST", "02:30 CEST", "02:00 CET", "02:30 CET"]


def test_days_are_the_visitors() -> None:
    hours = _hours("Europe/Berlin", "08:00", "09:00")
    first = datetime(2026, 1, 12, tzinfo=UTC)
    found = _slots(list(slots.within(hours, BERLIN, first, first + timedelta(days=1))))

    (day,) = slots.by_day(found, ZoneInfo("Pacific/Honolulu"))

    assert day.on.isoformat() == "2026-01-11"
    assert [says for says, _slot in day.slots] == ["21:00", "21:30"]


@settings(deadline=None, max_examples=60)
@given(
    zone=st.sampled_from(ZONES),
    day=st.datetimes(datetime(2015, 1, 1), datetime(2037, 1, 1)),
    opens=st.integers(0, 22 * 60),
    lasts=st.integers(1, 119),
)
def test_slots_lie_within_open_time_and_begin_on_the_half_hour(
    zone: str, day: datetime, opens: int, lasts: int
) -> None:
    closes = opens + lasts
    hours = _hours(zone, f"{opens // 60:02}:{opens % 60:02}", f"{closes // 60:02}:{closes % 60:02}")
    first, tz = day.replace(tzinfo=UTC), ZoneInfo(zone)

    found = list(slots.within(hours, tz, first, first + timedelta(days=3)))

    for start in found:
        assert start.astimezone(tz).minute % 30 == 0
        assert start >= first
        assert hours.worked(start, start + LASTS) == LASTS.total_seconds()
    assert found == sorted(set(found))
    shown = [slot for one in slots.by_day(_slots(found), tz) for _says, slot in one.slots]
    assert [slot.starts_at for slot in shown] == found
