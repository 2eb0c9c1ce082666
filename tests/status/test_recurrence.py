"""When maintenance comes again, clock changes included."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from status import recurrence
from status.recurrence import WrongRule

BERLIN = ZoneInfo("Europe/Berlin")
TUESDAY = datetime(2026, 3, 3, 2, 30, tzinfo=BERLIN)


def _local(rule: str, begins: datetime, after: datetime, days: int) -> list[str]:
    found = recurrence.occurrences(rule, begins, BERLIN, after, after + timedelta(days=days))
    return [f"{one.astimezone(BERLIN):%d.%m. %H:%M}" for one in found]


def test_the_clock_on_the_wall_stays_when_the_clocks_change() -> None:
    after = datetime(2026, 3, 20, tzinfo=UTC)
    found = recurrence.occurrences("FREQ=WEEKLY;BYDAY=TU", TUESDAY, BERLIN, after, after + timedelta(days=14))
    assert [f"{one:%d.%m. %H:%MZ}" for one in found] == ["24.03. 01:30Z", "31.03. 00:30Z"]


def test_a_time_that_is_skipped_moves_after_the_gap_and_one_that_comes_twice_is_the_first() -> None:
    assert _local("FREQ=DAILY", TUESDAY, datetime(2026, 3, 28, 12, tzinfo=UTC), 2) == ["29.03. 03:00", "30.03. 02:30"]
    after = datetime(2026, 10, 24, 12, tzinfo=UTC)
    (first, _second) = recurrence.occurrences("FREQ=DAILY", TUESDAY, BERLIN, after, after + timedelta(days=2))
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_window_takes_as_long_as_it_takes_while_the_clocks_change() -> None:
    begin = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert f"{recurrence.ends(begin, 120).astimezone(BERLIN):%H:%M}" == "04:30"


def test_rules_by_month_end_and_never() -> None:
    begins = datetime(2026, 1, 1, 3, 0, tzinfo=BERLIN)
    assert _local("FREQ=MONTHLY;BYDAY=2TU", begins, begins, 60) == ["13.01. 03:00", "10.02. 03:00"]
    assert _local("FREQ=WEEKLY;COUNT=2", begins, begins - timedelta(seconds=1), 60) == ["01.01. 03:00", "08.01. 03:00"]
    for never in ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYMONTH=99"):
        assert recurrence.first(never, begins, BERLIN) is None
    assert recurrence.check(" rrule:freq=daily;interval=2 ") == "FREQ=DAILY;INTERVAL=2"


@pytest.mark.parametrize(
    "rule",
    [
        "", "FREQ=SECONDLY", "FREQ=HOURLY", "INTERVAL=2", "FREQ=DAILY;FREQ=DAILY", "FREQ=DAILY;BYHOUR=3",
        "FREQ=DAILY\nEXDATE:20260101", "FREQ=DAILY;BYMONTHDAY=30;BYMONTH=2", "FREQ=DAILY;UNTIL=20269999",
        "FREQ=YEARLY;BYDAY=" + "MO," * 100 + "MO", "FREQ=DAILY;INTERVAL=0",
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(WrongRule):
        recurrence.first(rule, TUESDAY, BERLIN)


@given(st.text(max_size=400))
def test_any_text_is_a_rule_or_refused(text: str) -> None:
    with suppress(WrongRule):
        recurrence.first(text, TUESDAY, BERLIN)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
    st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,SU", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=MONTHLY;BYDAY=-1SU"]),
    st.sampled_from(["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]),
)
def test_occurrences_grow_and_lie_within(begins: datetime, rule: str, name: str) -> None:
    zone = ZoneInfo(name)
    start = begins.replace(tzinfo=UTC)
    found = recurrence.occurrences(rule, start, zone, start, start + timedelta(days=60))
    assert found == sorted(set(found))
    assert all(start < one <= start + timedelta(days=60) for one in found)
