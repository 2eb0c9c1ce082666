"""Counting how often somebody does something, in PostgreSQL, so that no restart and no second process forgets."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from helpdesk.prepared import Prepared
from tickets.models import RateCount

LONGEST_KEY = 400

_COUNT = Prepared(
    "count_each",
    f"""
INSERT INTO {RateCount._meta.db_table} (key, "window", count)
SELECT key, start, 1 FROM unnest(%s::varchar[], %s::timestamptz[]) AS given(key, start) ORDER BY key
ON CONFLICT (key, "window") DO UPDATE SET count = {RateCount._meta.db_table}.count + 1 RETURNING key, count
""",
)


def count(key: str, window: timedelta, at: datetime) -> int:
    """Count one more of `key` in the window that `at` lies in; how many there are now, this one included."""
    cut = key[:LONGEST_KEY]
    return count_each({cut: window}, at)[cut]


def count_each(windows: Mapping[str, timedelta], at: datetime) -> dict[str, int]:
    """`count` for several keys at once, by key. Keys longer than 400 characters raise ValueError."""
    if any(len(key) > LONGEST_KEY for key in windows):
        raise ValueError(f"a key has {LONGEST_KEY} characters at most")
    return dict(_COUNT.rows([list(windows), [_start(window, at) for window in windows.values()]]))


def _start(window: timedelta, at: datetime) -> datetime:
    seconds = int(window.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, tz=at.tzinfo)


def forget(before: datetime) -> int:
    """Drop the counts of windows long past."""
    deleted, _ = RateCount.objects.filter(window__lt=before).delete()
    return deleted
