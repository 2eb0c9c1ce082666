"""The times at which a chat can be booked: half hours within opening hours. Pure; every instant is an argument.

A slot begins at a full or half hour on the clocks of the hours' own zone and lies wholly within an open span. Slots are
instants in UTC, so that a change of the clocks neither skips one nor offers it twice.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from helpdesk.sla.hours import OpeningHours, Span

LASTS: Final = timedelta(minutes=30)
_HALF_HOUR: Final = 30 * 60


class Slot(NamedTuple):
    """A time that can be booked, as UTC instants; `left` is how many can still book it."""

    starts_at: datetime
    ends_at: datetime
    left: int


class Day(NamedTuple):
    """The slots of one date on the visitor's calendar, each with the time of day as it is said there."""

    on: date
    slots: list[tuple[str, Slot]]


def within(hours: OpeningHours | None, zone: tzinfo, first: datetime, last: datetime) -> Iterator[datetime]:
    """When slots begin that lie between two instants, in order; at any time of day where there are no `hours`."""
    spans = [Span(first, last)] if hours is None else hours.spans(first, last)
    for span in spans:
        start = _aligned(span.start.astimezone(UTC), zone)
        while start + LASTS <= span.end:
            yield start
            start = _aligned(start + LASTS, zone)


def _aligned(at: datetime, zone: tzinfo) -> datetime:
    """The first instant from `at` on at which the clocks of `zone` show a full or half hour."""
    local = at.astimezone(zone)
    past = (local.minute * 60 + local.second) % _HALF_HOUR
    if not past and not local.microsecond:
        return at
    return at + timedelta(seconds=_HALF_HOUR - past, microseconds=-local.microsecond)


def by_day(slots: Iterable[Slot], zone: tzinfo) -> list[Day]:
    """The slots on the visitor's calendar. Times of day that come twice, as the clocks go back, are told apart."""
    days: list[Day] = []
    for slot in slots:
        local = slot.starts_at.astimezone(zone)
        if not days or days[-1].on != local.date():
            days.append(Day(local.date(), []))
        days[-1].slots.append((time_of_day(local), slot))
    return days


def time_of_day(local: datetime) -> str:
    """14:30, with the zone's abbreviation where the clocks show that time twice on that day."""
    comes_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{local:%H:%M %Z}" if comes_twice else f"{local:%H:%M}"
