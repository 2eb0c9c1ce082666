"""Counting how often somebody does something, in PostgreSQL, so that no restart and no second process forgets."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection

from tickets.models import RateCount

_COUNT = f"""
INSERT INTO {RateCount._meta.db_table} (key, "window", count) SELECT unnest(%s::varchar[]), %s, 1 ORDER BY 1
ON CONFLICT (key, "window") DO UPDATE SET count = {RateCount._meta.db_table}.count + 1 RETURNING key, count
"""


def count(key: str, window: timedelta, at: datetime) -> int:
    """Count one more of `key` in the window that `at` lies in; how many there are now, this one included."""
    return count_each([key], window, at)[0]


def count_each(keys: Sequence[str], window: timedelta, at: datetime) -> list[int]:
    """`count` for several different keys, in their order."""
    seconds = int(window.total_seconds())
    start = datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, tz=at.tzinfo)
    cut = [key[:400] for key in keys]
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [cut, start])
        counts = dict(cursor.fetchall())
    return [counts[key] for key in cut]


def forget(before: datetime) -> int:
    """Drop the counts of windows long past."""
    deleted, _ = RateCount.objects.filter(window__lt=before).delete()
    return deleted
