"""Quiet hours defer until they are over, in the person's own zone."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from helpdesk.oncall.quiet import QuietHours

NIGHT = QuietHours("Europe/Berlin", time(22), time(7))
NOON = QuietHours("Europe/Berlin", time(12), time(13, 30))


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("quiet", "moment", "until"),
    [
        (NIGHT, at(2026, 1, 5, 20, 59, 59), None),
        (NIGHT, at(2026, 1, 5, 21), at(2026, 1, 6, 6)),
        (NIGHT, at(2026, 1, 6, 5, 59, 59), at(2026, 1, 6, 6)),
        (NIGHT, at(2026, 1, 6, 6), None),
        (NOON, at(2026, 1, 6, 10, 59), None),
        (NOON, at(2026, 1, 6, 11), at(2026, 1, 6, 12, 30)),
        (NOON, at(2026, 1, 6, 12, 30), None),
        (QuietHours("UTC", time(18), time(0)), at(2026, 1, 6, 23, 59), at(2026, 1, 7)),
        (QuietHours("UTC", time(18), time(0)), at(2026, 1, 7), None),
        # The nights on which the clocks are changed last an hour less and an hour more.
        (NIGHT, at(2026, 3, 28, 21), at(2026, 3, 29, 5)),
        (NIGHT, at(2026, 10, 24, 20), at(2026, 10, 25, 6)),
        # Ending in the skipped hour: when it is over. Ending in the repeated hour: its second pass.
        (QuietHours("America/Chicago", time(22), time(2, 30)), at(2026, 3, 8, 7), at(2026, 3, 8, 8)),
        (QuietHours("America/Chicago", time(22), time(1, 30)), at(2026, 11, 1, 6), at(2026, 11, 1, 7, 30)),
        (QuietHours("Australia/Lord_Howe", time(22), time(2, 15)), at(2026, 10, 3, 13), at(2026, 10, 3, 15, 30)),
        # Apia went from Thursday to Saturday: Thursday's night ends with the skipped Friday, and Friday's begins there.
        (QuietHours("Pacific/Apia", time(20), time(8)), at(2011, 12, 30, 7), at(2011, 12, 30, 18)),
    ],
)
def test_until(quiet: QuietHours, moment: datetime, until: datetime | None) -> None:
    assert quiet.until(moment) == until


def test_a_whole_day_or_an_abbreviated_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="whole day"):
        QuietHours("Europe/Berlin", time(8), time(8))
    with pytest.raises(ValueError, match="Europe/Berlin"):
        QuietHours("CET", time(22), time(7))
    with pytest.raises(ValueError, match="zone"):
        NIGHT.until(datetime(2026, 1, 5))


@given(
    st.sampled_from(["Europe/Berlin", "America/Chicago", "Australia/Lord_Howe", "Pacific/Apia", "America/Havana"]),
    st.times(),
    st.times(),
    st.datetimes(datetime(2011, 12, 20), datetime(2027, 1, 1)),
)
def test_it_is_always_over_at_last(where: str, start: time, end: time, moment: datetime) -> None:
    assume(start != end)
    quiet, moment = QuietHours(where, start, end), moment.replace(tzinfo=UTC)
    until = quiet.until(moment)
    if until is not None:
        assert moment < until <= moment + timedelta(days=3)
        assert quiet.until(until) is None
        assert quiet.until(until - timedelta(microseconds=1)) == until
