"""What "tomorrow" means, also when the clocks change."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tickets.desk import snoozing

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("chosen", "typed", "now", "then"),
    [
        ("later", "", "2026-01-12T08:20", "2026-01-12T12:00"),
        ("tomorrow", "", "2026-01-12T08:20", "2026-01-13T08:00"),
        ("next_week", "", "2026-01-12T08:20", "2026-01-19T08:00"),
        ("next_week", "", "2026-01-18T12:00", "2026-01-19T08:00"),
        ("tomorrow", "", "2026-03-28T12:00", "2026-03-29T07:00"),
        ("custom", "2026-01-12T18:30", "2026-01-12T08:20", "2026-01-12T17:30"),
        ("custom", "2026-03-29T02:30", "2026-03-28T08:20", "2026-03-29T01:30"),
        ("later", "", "2026-01-12T21:20", None),
        ("custom", "2026-01-12T08:30", "2026-01-12T08:20", None),
        ("custom", "2031-01-12T08:30", "2026-01-12T08:20", None),
        ("custom", "0001-01-01T00:00", "2026-01-12T08:20", None),
        ("custom", "9999-12-31T23:59", "2026-01-12T08:20", None),
        ("custom", "2026-13-45T08:30", "2026-01-12T08:20", None),
        ("custom", "", "2026-01-12T08:20", None),
        ("nonsense", "", "2026-01-12T08:20", None),
    ],
)
def test_until(chosen: str, typed: str, now: str, then: str | None) -> None:
    found = snoozing.until(chosen, typed, datetime.fromisoformat(now).replace(tzinfo=UTC), BERLIN)

    expected = datetime.fromisoformat(then).replace(tzinfo=UTC) if then else None
    assert found == expected
