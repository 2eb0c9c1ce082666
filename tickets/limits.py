"""Counting how often somebody does something, in PostgreSQL, so that no restart and no second process forgets."""

from datetime import datetime, timedelta

from django.db import connection

from tickets.models import RateCount

_COUNT = f"""
INSERT INTO {RateCount._meta.db_table} (key, "window", count) VALUES (%s, %s, 1)
ON CONFLICT (key, "window") DO UPDATE SET count = {RateCount._meta.db_table}.count + 1 RETURNING count
"""


def count(key: str, window: timedelta, at: datetime) -> int:
    """Count one more of `key` in the window that `at` lies in; how many there are now, this one included."""
    seconds = int(window.total_seconds())
    start = datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, tz=at.tzinfo)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [key[:400], start])
        total: int = cursor.fetchone()[0]
    return total


def forget(before: datetime) -> int:
    """Drop the counts of windows long past."""
    deleted, _ = RateCount.objects.filter(window__lt=before).delete()
    return deleted
