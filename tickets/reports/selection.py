"""Which part of the past a report is about: a period of the office's days, and whose conversations."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext as _

from helpdesk.conversations.models import Priority
from helpdesk.numbers import is_number
from tickets.zones import known_zone

LONGEST: Final = timedelta(days=366 * 5)
EARLIEST: Final = date(2000, 1, 1)
DEFAULT: Final = "28d"
_DAYS = {"7d": 7, "28d": 28, "90d": 90}
# Up to so many days a chart has a point a day, then one a week, then one a month.
BY_DAY, BY_WEEK = 45, 120
_IDS = ("team", "plan", "organization", "agent")


class BadSelection(ValueError):
    """A filter that makes no sense; `field` says which."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


@dataclass(frozen=True)
class Selection:
    """`start` and `end` are days of the office, both within; filters are None where everything is meant. `team` is 0
    for what no team has. `unit` is what a chart's point stands for: day, week or month. An
    open one lasts until today, so that nothing lies behind its end yet.
    """

    period: str
    start: date
    end: date
    team: int | None = None
    channel: str | None = None
    priority: str | None = None
    plan: int | None = None
    organization: int | None = None
    agent: int | None = None
    by_wall: bool = False
    is_open: bool = False

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    @property
    def unit(self) -> str:
        if self.days <= BY_DAY:
            return "day"
        return "week" if self.days <= BY_WEEK else "month"

    @property
    def of_few(self) -> bool:
        """Whether it is about one customer or one agent: that is read from the figures, not from the tallies."""
        return self.organization is not None or self.agent is not None

    @property
    def is_narrowed(self) -> bool:
        return any(value is not None for value in self._filters.values())

    @cached_property
    def units(self) -> list[date]:
        """The first day of each point of a chart, oldest first; a week or month may have begun before the period."""
        found = [unit_of(self.start, self.unit)]
        while True:
            following = _next_unit(found[-1], self.unit)
            if following > self.end:
                return found
            found.append(following)

    def before(self) -> "Selection":
        """The same number of days just before."""
        end = self.start - timedelta(days=1)
        values: dict[str, Any] = {**self._filters, "by_wall": self.by_wall}
        return Selection("custom", end - timedelta(days=self.days - 1), end, **values)

    @property
    def _filters(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in (*_IDS, "channel", "priority")}

    @property
    def query(self) -> str:
        """Its address."""
        given: dict[str, Any] = {"period": self.period}
        if self.period == "custom":
            given |= {"from": self.start.isoformat(), "to": self.end.isoformat()}
        given |= {name: value for name, value in self._filters.items() if value is not None}
        return urlencode(given | ({"time": "wall"} if self.by_wall else {}))


def today(at: datetime) -> date:
    """The office's day."""
    return at.astimezone(known_zone(settings.OFFICE_TIME_ZONE)).date()


def periods() -> dict[str, str]:
    """What can be chosen without a calendar, by code."""
    return {
        "today": _("Today"),
        "yesterday": _("Yesterday"),
        "7d": _("Last 7 days"),
        "28d": _("Last 28 days"),
        "month": _("This month"),
        "last-month": _("Last month"),
        "90d": _("Last 90 days"),
        "12m": _("Last 12 months"),
        "year": _("This year"),
        "custom": _("From … to …"),
    }


def parse(given: Mapping[str, str], at: datetime) -> Selection:
    """A selection from an address; what is empty or missing selects everything. Raises BadSelection."""
    period = given.get("period") or ("custom" if given.get("from") or given.get("to") else DEFAULT)
    start, end = _span(period, given, today(at))
    values: dict[str, Any] = {name: _number(name, given.get(name, "")) for name in _IDS}
    priority = given.get("priority") or None
    if priority is not None and priority not in Priority.values:
        raise BadSelection("priority", _("There is no such priority."))
    channel = given.get("channel") or None
    if channel is not None and (len(channel) > 20 or "\x00" in channel):
        raise BadSelection("channel", _("There is no such channel."))
    if given.get("time", "") not in ("", "working", "wall"):
        raise BadSelection("time", _("Times are counted as working or wall."))
    wall = given.get("time") == "wall"
    is_open = end >= today(at)
    return Selection(period, start, end, **values, priority=priority, channel=channel, by_wall=wall, is_open=is_open)


def _span(period: str, given: Mapping[str, str], now: date) -> tuple[date, date]:
    if period in _DAYS:
        return now - timedelta(days=_DAYS[period] - 1), now
    if period == "today":
        return now, now
    if period == "yesterday":
        return now - timedelta(days=1), now - timedelta(days=1)
    if period == "month":
        return now.replace(day=1), now
    if period == "last-month":
        last = now.replace(day=1) - timedelta(days=1)
        return last.replace(day=1), last
    if period == "year":
        return now.replace(month=1, day=1), now
    if period == "12m":
        # Whole months: they are summed up already.
        ahead = (now.replace(day=28) + timedelta(days=4)).replace(day=1)
        return ahead.replace(year=ahead.year - 1), now
    if period != "custom":
        raise BadSelection("period", _("There is no such period."))
    end = _date("to", given.get("to", ""), now)
    start = _date("from", given.get("from", ""), end - timedelta(days=27))
    if not EARLIEST <= start <= end <= now + timedelta(days=366):
        raise BadSelection("from", _("A period ends after it begins."))
    if end - start > LONGEST:
        raise BadSelection("from", _("A period is five years at most."))
    return start, end


def _date(field: str, text: str, otherwise: date) -> date:
    if not text:
        return otherwise
    try:
        found = date.fromisoformat(text[:10]) if len(text) == 10 else None
    except ValueError:
        found = None
    if found is None or not EARLIEST <= found <= date(2200, 1, 1):
        raise BadSelection(field, _("Write a day as 2026-01-31."))
    return found


def _number(field: str, text: str) -> int | None:
    if not text:
        return None
    if not is_number(text):
        raise BadSelection(field, _("This is no number of one."))
    return int(text)


def unit_of(day: date, unit: str) -> date:
    """The first day of the unit that this day is in."""
    if unit == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if unit == "week" else day


def _next_unit(first: date, unit: str) -> date:
    if unit == "month":
        return (first + timedelta(days=32)).replace(day=1)
    return first + timedelta(days=7 if unit == "week" else 1)
