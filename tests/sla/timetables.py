"""Weeks, days and instants that the tests of business time share."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from helpdesk.sla.hours import OpeningHours
from helpdesk.sla.week import WEEKDAYS

Week = dict[str, list[list[str]]]

WORKDAYS = WEEKDAYS[:5]
TWELVE_BY_FIVE: Week = {day: [["08:00", "20:00"]] for day in WORKDAYS}
ALL_WEEK: Week = {day: [["00:00", "24:00"]] for day in WEEKDAYS}
HOLIDAYS = [date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1)]
OFFICE = OpeningHours.from_week("Europe/Berlin", TWELVE_BY_FIVE, HOLIDAYS)
ROUND_THE_CLOCK = OpeningHours.from_week("Europe/Berlin", ALL_WEEK)
HOUR = 3600


def local(text: str, zone: str = "Europe/Berlin", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def every_day(*spans: tuple[str, str]) -> Week:
    return {day: [list(span) for span in spans] for day in WEEKDAYS}
