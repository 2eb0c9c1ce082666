"""Opening hours and the arithmetic of business time. Pure, no Django, no clock: every instant is an argument.

Rules
* Hours are local times of one IANA zone. Each date's spans are turned into UTC instants first; all arithmetic is done
  on instants, in whole microseconds, so a change of the clocks can neither add nor lose time.
* A local time that the clocks skip becomes the first instant after the gap; of a local time that comes twice, an
  opening takes the first and a closing the last occurrence (as GoAlert documents for its rotations). A date that does
  not exist (Apia, 2011-12-30) is therefore empty.
* A holiday closes its local date from midnight to midnight, also for a span that began the evening before. An
  exceptional day replaces the spans of its date, holiday or not; what of them runs past midnight is open on the next
  date too.
* An instant is open from the opening (included) to the closing (excluded). Time that fits exactly ends *at* the
  closing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from helpdesk.sla.week import (
    OPEN_ALL_DAY,
    DaySpans,
    InvalidHours,
    merged,
    read_spans,
    read_week,
    read_zone,
)

HORIZON_DAYS = 3660
"""How far a search looks ahead, about ten years: hours that do not hold the time by then never will in practice."""

_CACHED_DAYS = 4096
_SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()
_HORIZON = HORIZON_DAYS * 86_400 * _SECOND

Micros = tuple[int, int]
"""From and to, in microseconds since 1970 in UTC."""

Pauses = Sequence[tuple[datetime, datetime]]
"""Times that do not count, as aware (from, to); they may overlap, in any order. A reversed one is a ValueError."""


class NeverOpen(ValueError):
    """The hours do not hold the time asked for within about ten years."""


class Span(NamedTuple):
    """An open span as UTC instants, the end excluded."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        return (self.end - self.start) / timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """When a team works. Build it with `from_week`; equal timetables are equal and hash alike.

    `week` holds the day spans of Monday to Sunday, `special_days` those of dates (proleptic ordinals) that differ.
    Instants must be aware and between the years 2 and 9980; naive ones raise ValueError.
    """

    timezone: str
    week: tuple[DaySpans, ...]
    special_days: tuple[tuple[int, DaySpans], ...] = ()
    holidays: frozenset[date] = frozenset()
    always_open: bool = field(init=False, compare=False)
    _zone: ZoneInfo = field(init=False, compare=False, repr=False)
    _special: dict[int, DaySpans] = field(init=False, compare=False, repr=False)
    _days: dict[int, tuple[Micros, ...]] = field(init=False, compare=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        every_day = [*self.week, *(spans for _, spans in self.special_days)]
        object.__setattr__(self, "always_open", all(spans == OPEN_ALL_DAY for spans in every_day))
        object.__setattr__(self, "_zone", read_zone(self.timezone))
        object.__setattr__(self, "_special", dict(self.special_days))

    @classmethod
    def from_week(
        cls,
        timezone: str,
        week: Mapping[str, Sequence[Sequence[str]]],
        holidays: Iterable[date] = (),
        exceptional_days: Mapping[date, Sequence[Sequence[str]]] | None = None,
    ) -> OpeningHours:
        """Hours of ``{"mon": [["08:00", "20:00"]], …}``; raises InvalidHours with the reason.

        Times are ``HH:MM`` or ``HH:MM:SS``; ``24:00`` ends a day; an end at or before its start lies on the next day.
        A week without a span is allowed: nothing is ever open then and `add` raises NeverOpen.
        """
        read_zone(timezone)
        days = read_week(week)
        closed = frozenset(_plain_date(day) for day in holidays)
        special: dict[int, DaySpans] = {day.toordinal(): () for day in closed}
        spilled: dict[int, DaySpans] = {}
        for day, spans in (exceptional_days or {}).items():
            ordinal = _plain_date(day).toordinal()
            special[ordinal], spilled[ordinal + 1] = read_spans(spans, day.isoformat())
        for ordinal, rest in spilled.items():
            if rest:
                special[ordinal] = merged(special.get(ordinal, days[(ordinal - 1) % 7]) + rest)
        return cls(timezone, days, tuple(sorted(special.items())), closed)

    def add(self, start: datetime, seconds: float, pauses: Pauses = ()) -> datetime:
        """The UTC instant by which that many open seconds have passed since `start`.

        It lies at a closing when the time fits exactly; zero seconds give `start` itself. Raises NeverOpen when the
        next ten years do not hold the time, ValueError for a negative or non-finite number.
        """
        if not math.isfinite(seconds) or seconds < 0:
            raise ValueError("the time to add must be a finite number of seconds, zero or more")
        left = round(seconds * _SECOND)
        cursor = _micros(start)
        if not left:
            return _instant(cursor)
        for opened, closed in self._counted(cursor, cursor + _HORIZON, pauses):
            if left <= closed - opened:
                return _instant(opened + left)
            left -= closed - opened
        raise NeverOpen("these opening hours do not hold that much time within ten years")

    def worked(self, start: datetime, end: datetime, pauses: Pauses = ()) -> float:
        """Open seconds between two instants, pauses left out; 0.0 when `end` is not after `start`."""
        counted = self._counted(_micros(start), _micros(end), pauses)
        return sum(closed - opened for opened, closed in counted) / _SECOND

    def spans(self, start: datetime, end: datetime, pauses: Pauses = ()) -> list[Span]:
        """What `worked` counts, in order, as UTC instants; spans that touch (at midnight) are one."""
        found: list[Span] = []
        for opened, closed in _joined(self._counted(_micros(start), _micros(end), pauses)):
            found.append(Span(_instant(opened), _instant(closed)))
        return found

    def is_open(self, at: datetime) -> bool:
        """Whether that instant lies in an open span."""
        if self.always_open:
            return True
        cursor = _micros(at)
        return next(self._windows(cursor, cursor + 1), None) is not None

    def next_opening(self, at: datetime) -> datetime | None:
        """The earliest open instant from `at` on: `at` itself while open; None when there is none in ten years."""
        cursor = _micros(at)
        first = next(self._windows(cursor, cursor + _HORIZON), None)
        return None if first is None else _instant(first[0])

    def closing(self, at: datetime) -> datetime | None:
        """When the span that is open at `at` ends; None when closed at `at`, or open for the next ten years."""
        cursor = _micros(at)
        limit = cursor + _HORIZON
        first = next(_joined(self._windows(cursor, limit)), None)
        return None if first is None or first[0] > cursor or first[1] >= limit else _instant(first[1])

    def local(self, at: datetime) -> datetime:
        """The same instant on the clocks of these hours."""
        return at.astimezone(self._zone)

    def opens_on(self, day: date) -> bool:
        """Whether any time of that local date is open."""
        return bool(self._day(day.toordinal()))

    def _counted(self, start: int, end: int, pauses: Pauses) -> Iterator[Micros]:
        windows = self._windows(start, end)
        return _without(windows, _merged_pauses(pauses)) if pauses else windows

    def _windows(self, start: int, end: int) -> Iterator[Micros]:
        """Open spans cut to [start, end), in order and without overlap."""
        if start >= end:
            return
        if self.always_open:
            yield start, end
            return
        # The day before counts as well: where clocks go back over midnight its last span can end after this one began.
        first = self.local(_instant(start)).toordinal() - 1
        last = min((end // _SECOND) // 86_400 + _EPOCH_ORDINAL + 1, date.max.toordinal() - 1)
        for ordinal in range(first, last + 1):
            for opened, closed in self._days.get(ordinal) or self._day(ordinal):
                if closed <= start:
                    continue
                if opened >= end:
                    return
                yield max(opened, start), min(closed, end)
                start = closed

    def _day(self, ordinal: int) -> tuple[Micros, ...]:
        """The open spans of a local date as instants; overlaps after a change of the clocks are merged."""
        known = self._days.get(ordinal)
        if known is not None:
            return known
        spans = self._special.get(ordinal, self.week[(ordinal - 1) % 7])
        midnight = (ordinal - _EPOCH_ORDINAL) * 86_400
        instants = merged((self._utc(midnight + start, 0), self._utc(midnight + end, 1)) for start, end in spans)
        day = tuple((start * _SECOND, end * _SECOND) for start, end in instants)
        if len(self._days) >= _CACHED_DAYS:
            self._days.clear()
        self._days[ordinal] = day
        return day

    def _utc(self, local: int, fold: int) -> int:
        """Seconds since 1970 in UTC of a local time given as seconds since 1970 on the local clocks."""
        wall = (_EPOCH + timedelta(seconds=local)).replace(tzinfo=self._zone)
        before, after = self._offset(wall), self._offset(wall.replace(fold=1))
        if before >= after:  # PEP 495: equal on ordinary days, larger first where the time comes twice
            return local - (after if fold else before)
        skipped, exists = local - after, local - before
        while exists - skipped > 1:
            middle = (skipped + exists) // 2
            offset = self._offset((_EPOCH + timedelta(seconds=middle)).astimezone(self._zone))
            skipped, exists = (skipped, middle) if offset == after else (middle, exists)
        return exists

    @staticmethod
    def _offset(at: datetime) -> int:
        offset = at.utcoffset()
        if offset is None:
            raise AssertionError("a ZoneInfo always knows its offset")
        return offset.days * 86_400 + offset.seconds


def _plain_date(day: object) -> date:
    # A datetime is a date to Python, but its date is that of its own zone, which need not be the local one.
    if not isinstance(day, date) or isinstance(day, datetime):
        raise InvalidHours(f"a holiday must be a plain date, not {type(day).__name__}")
    if not 2 <= day.year <= 9980:
        raise InvalidHours(f"{day.isoformat()} is out of range")
    return day


def _micros(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone or an offset")
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * _SECOND + since.microseconds


def _instant(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _merged_pauses(pauses: Pauses) -> DaySpans:
    found = [(_micros(start), _micros(end)) for start, end in pauses]
    if any(start > end for start, end in found):
        raise ValueError("a pause ends before it starts")
    return merged(found)


def _without(windows: Iterable[Micros], pauses: Sequence[Micros]) -> Iterator[Micros]:
    """The windows with the pauses cut out; both are sorted and free of overlaps."""
    position = 0
    for opened, closed in windows:
        while position < len(pauses) and pauses[position][1] <= opened:
            position += 1
        index = position
        while index < len(pauses) and pauses[index][0] < closed:
            if pauses[index][0] > opened:
                yield opened, pauses[index][0]
            opened = max(opened, pauses[index][1])
            index += 1
        if opened < closed:
            yield opened, closed


def _joined(windows: Iterable[Micros]) -> Iterator[Micros]:
    """Neighbours that touch become one."""
    start: int | None = None
    end = 0
    for opened, closed in windows:
        if start is not None and opened == end:
            end = closed
            continue
        if start is not None:
            yield start, end
        start, end = opened, closed
    if start is not None:
        yield start, end
