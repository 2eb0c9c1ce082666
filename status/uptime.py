"""How much of the last days a component worked, from the spans of its states. Pure: no Django, no clock.

A major outage counts whole, a partial one half; maintenance and slowness count as working.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final, Protocol

WEIGHTS: Final[Mapping[str, float]] = {"major_outage": 1.0, "partial_outage": 0.5}
# From worst to best: where spans lie over each other, the worst counts.
_WORST_FIRST: Final = ("major_outage", "partial_outage", "degraded_performance", "under_maintenance")
_NOTHING: Final[Mapping[str, float]] = {}


class Spanlike(Protocol):
    @property
    def state(self) -> str: ...
    @property
    def since(self) -> datetime: ...
    @property
    def until(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Day:
    """One calendar day. `seconds` by state, without those it worked; `known` seconds of it are over and counted."""

    on: date
    known: float
    seconds: Mapping[str, float]

    @property
    def worst(self) -> str:
        """The worst state of the day; "" where nothing is known of it."""
        if not self.known:
            return ""
        return next((state for state in _WORST_FIRST if state in self.seconds), "operational")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A span of trouble as seconds since 1970: instants, where wall clocks of one zone would be compared as such."""

    state: str
    since: float
    until: float


def days(
    spans: Iterable[Spanlike], *, zone: tzinfo, started_on: date, first: date, count: int, until: datetime
) -> list[Day]:
    """So many days in the zone from `first`, as they were up to `until`. A day is as long as its zone makes it.

    Spans without an end go on.
    """
    end_of_all = until.timestamp()
    pieces = [
        _Piece(span.state, span.since.timestamp(), end_of_all if span.until is None else span.until.timestamp())
        for span in spans
        if span.state in _WORST_FIRST
    ]
    begins = _midnights(zone, first, count)
    found = []
    for number, on in enumerate(_dates(first, count)):
        begin, end = begins[number], min(begins[number + 1], end_of_all)
        known = end - begin if on >= started_on and end > begin else 0.0
        within = [one for one in pieces if one.since < end and one.until > begin] if known else []
        found.append(Day(on, known, _seconds(within, begin, end) if within else _NOTHING))
    return found


def share(some: Sequence[Day]) -> float | None:
    """How much of the known time it worked, 0 to 1; None where nothing is known."""
    known = sum(day.known for day in some)
    return 1.0 - lost(some) / known if known else None


def lost(some: Iterable[Day]) -> float:
    """The seconds that count as not working."""
    return sum(WEIGHTS.get(state, 0.0) * seconds for day in some for state, seconds in day.seconds.items())


@lru_cache(64)
def _dates(first: date, count: int) -> tuple[date, ...]:
    return tuple(first + timedelta(days=number) for number in range(count))


@lru_cache(64)
def _midnights(zone: tzinfo, first: date, count: int) -> tuple[float, ...]:
    return tuple(datetime.combine(on, time(), zone).timestamp() for on in _dates(first, count + 1))


def _seconds(pieces: Sequence[_Piece], begin: float, end: float) -> dict[str, float]:
    """Seconds of each state within a time; each moment counts once, as the worst that is said of it."""
    taken: list[tuple[float, float]] = []
    found = {}
    for state in _WORST_FIRST:
        more = [(max(one.since, begin), min(one.until, end)) for one in pieces if one.state == state]
        if not more:
            continue
        before = _length(taken)
        taken = _joined([*taken, *more])
        if (length := _length(taken) - before) > 0:
            found[state] = length
    return found


def _joined(pieces: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same time without overlaps, in order."""
    joined: list[tuple[float, float]] = []
    for begin, end in sorted(pieces):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def _length(pieces: Iterable[tuple[float, float]]) -> float:
    return sum(end - begin for begin, end in pieces)
