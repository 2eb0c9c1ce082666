"""Days of the office: on which a quote is valid, and when such a day has ended."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings


def office_day(at: datetime) -> date:
    return at.astimezone(_zone()).date()


def end_of(day: date) -> datetime:
    """The first instant after the day."""
    return datetime.combine(day + timedelta(days=1), time(), _zone()).astimezone(UTC)


def morning_of(day: date) -> datetime:
    """Nine o'clock: when reminders leave."""
    return datetime.combine(day, time(9), _zone()).astimezone(UTC)


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.OFFICE_TIME_ZONE)
