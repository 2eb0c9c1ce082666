"""The yearly recurrence rules that holidays have (RFC 5545 §3.3.10), expanded year by year. Pure.

Understood: FREQ=YEARLY with INTERVAL, COUNT, UNTIL, BYMONTH, BYMONTHDAY, BYDAY (also ``4TH`` and ``-1MO``) and
BYSETPOS, which is what calendar programs write for holidays.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BYDAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNDERSTOOD = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS", "WKST"}
_FIRST_YEAR = 1900


class UnsupportedRule(ValueError):
    """A recurrence rule that is not yearly or has parts that holidays do not need."""


@dataclass(frozen=True, slots=True)
class YearlyRule:
    """A yearly rule with the first date of its event. Lists are empty where the rule does not name the part."""

    first: date
    interval: int
    count: int | None
    until: date | None
    months: tuple[int, ...]
    month_days: tuple[int, ...]
    weekdays: tuple[tuple[int, int], ...]
    """(ordinal, weekday): the ordinal counts within the month, or the year without months; 0 means each."""
    positions: tuple[int, ...]

    @classmethod
    def read(cls, parts: Mapping[str, Sequence[object]], first: date) -> Self:
        """A rule of its parts by upper-case name; raises UnsupportedRule with the reason."""
        unknown = sorted(set(parts) - _UNDERSTOOD)
        if unknown:
            raise UnsupportedRule(f"the recurrence has {unknown[0]}, which is not supported")
        if [str(value).upper() for value in parts.get("FREQ", ())] != ["YEARLY"]:
            raise UnsupportedRule("only yearly recurrence is supported")
        if first.year < _FIRST_YEAR:
            raise UnsupportedRule(f"the recurrence begins before {_FIRST_YEAR}")
        until = parts.get("UNTIL", ())
        interval = _numbers(parts, "INTERVAL", 1, 1000)
        count = _numbers(parts, "COUNT", 1, 100_000)
        return cls(
            first=first,
            interval=interval[0] if interval else 1,
            count=count[0] if count else None,
            until=_day(until[0]) if until else None,
            months=_numbers(parts, "BYMONTH", 1, 12),
            month_days=_numbers(parts, "BYMONTHDAY", -31, 31),
            weekdays=tuple(dict.fromkeys(_weekday(value) for value in parts.get("BYDAY", ()))),
            positions=_numbers(parts, "BYSETPOS", -366, 366),
        )

    def effort(self, years: Collection[int]) -> int:
        """About how many dates `dates` would look at: what a reader of hostile rules bounds beforehand."""
        spanned = max(0, max(years, default=0) + 1 - self.first.year) if self.count else len(years)
        months = len(self.months) or (12 if self.month_days else 1)
        return spanned * months * (1 + len(self.weekdays) + len(self.month_days))

    def dates(self, years: Collection[int]) -> set[date]:
        """Its dates within those years."""
        found: set[date] = set()
        left = self.count
        for year in range(self.first.year, max(years, default=0) + 1, self.interval):
            if left is None and year not in years:
                continue  # only a COUNT makes the years before matter
            for day in self._of_year(year):
                if day < self.first or (self.until is not None and day > self.until):
                    continue
                if left is not None:
                    if not left:
                        return found
                    left -= 1
                if year in years:
                    found.add(day)
        return found

    def _of_year(self, year: int) -> list[date]:
        days = sorted(set(self._candidates(year)))
        if not self.positions:
            return days
        indexes = {place - 1 if place > 0 else len(days) + place for place in self.positions}
        return [day for index, day in enumerate(days) if index in indexes]

    def _candidates(self, year: int) -> list[date]:
        months = self.months
        if not months and self.weekdays and not self.month_days:
            return [day for spec in self.weekdays for day in _nth(date(year, 1, 1), date(year, 12, 31), *spec)]
        if not months:
            months = tuple(range(1, 13)) if self.month_days else (self.first.month,)
        return [day for month in set(months) for day in self._of_month(year, month)]

    def _of_month(self, year: int, month: int) -> list[date]:
        length = calendar.monthrange(year, month)[1]
        first, last = date(year, month, 1), date(year, month, length)
        numbers = self.month_days or (() if self.weekdays else (self.first.day,))
        by_number = {number if number > 0 else length + 1 + number for number in numbers}
        by_weekday = {day for spec in self.weekdays for day in _nth(first, last, *spec)}
        if not self.weekdays:
            return [date(year, month, number) for number in by_number if 1 <= number <= length]
        return [day for day in by_weekday if not numbers or day.day in by_number]


def _nth(first: date, last: date, ordinal: int, weekday: int) -> list[date]:
    """The ordinal-th such weekday of the period, from its end when negative, each of them when 0."""
    start = first + timedelta(days=(weekday - first.weekday()) % 7)
    every = [start + timedelta(days=7 * week) for week in range((last - start).days // 7 + 1)]
    if not ordinal:
        return every
    index = ordinal - 1 if ordinal > 0 else len(every) + ordinal
    return [every[index]] if 0 <= index < len(every) else []


def _numbers(parts: Mapping[str, Sequence[object]], name: str, lowest: int, highest: int) -> tuple[int, ...]:
    try:
        numbers = tuple(int(str(value)) for value in parts.get(name, ()))
    except ValueError as error:
        raise UnsupportedRule(f"{name} is not a number") from error
    if any(not lowest <= number <= highest or number == 0 for number in numbers):
        raise UnsupportedRule(f"{name} is out of range")
    return tuple(dict.fromkeys(numbers))


def _weekday(value: object) -> tuple[int, int]:
    match = _BYDAY.fullmatch(str(value).upper())
    if match is None:
        raise UnsupportedRule("BYDAY is not a weekday")
    return int(match[1] or 0), _WEEKDAYS.index(match[2])


def _day(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    raise UnsupportedRule("UNTIL is not a date")
