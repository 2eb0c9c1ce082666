"""How much of the last days a component worked, from the spans of its states. Pure: no Django, no clock.

A major outage counts whole, a partial one half; maintenance and slowness count as working.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final, Protocol

WEIGHTS: Final[Mapping[str, float]] = {"major_outage": 1.0, "partial_outage": 0.5}
# From worst to best: where spans lie over each other, the worst counts.
_WORST_FIRST: Final = ("major_outage", "partial_outage", "degraded_performance", "under_maintenance")


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
        return next((state for state in _WORST_FIRST if self.seconds.get(state)), "operational")


def days(spans: Iterable[Spanlike], *, zone: tzinfo, started_on: date, at: datetime, count: int) -> list[Day]:
    """The last `count` days in the zone up to `at`, oldest first. A day is as long as its zone makes it."""
    today = at.astimezone(zone).date()
    first = today - timedelta(days=count - 1)
    begins = [datetime.combine(first + timedelta(days=number), time(), zone) for number in range(count + 1)]
    troubles = [span for span in spans if span.state in _WORST_FIRST]
    found = []
    for number in range(count):
        on, begin, end = first + timedelta(days=number), begins[number], min(begins[number + 1], at)
        # Comparison and difference of instants, not of wall clocks: of the same zone Python would take the latter.
        known = max(end.timestamp() - begin.timestamp(), 0.0) if on >= started_on else 0.0
        found.append(Day(on, known, _seconds(troubles, begin.timestamp(), end.timestamp(), at) if known else {}))
    return found


def share(some: Sequence[Day]) -> float | None:
    """How much of the known time it worked, 0 to 1; None where nothing is known."""
    known = sum(day.known for day in some)
    if not known:
        return None
    lost = sum(WEIGHTS.get(state, 0.0) * seconds for day in some for state, seconds in day.seconds.items())
    return 1.0 - lost / known


def _seconds(spans: Sequence[Spanlike], begin: float, end: float, at: datetime) -> dict[str, float]:
    """Seconds of each state within a time; each moment counts once, as the worst that is said of it."""
    pieces: dict[str, list[tuple[float, float]]] = {}
    for span in spans:
        since, until = span.since.timestamp(), (span.until or at).timestamp()
        if since < end and until > begin:
            pieces.setdefault(span.state, []).append((max(since, begin), min(until, end)))
    taken: list[tuple[float, float]] = []
    found = {}
    for state in _WORST_FIRST:
        before = _length(taken)
        taken = _joined([*taken, *pieces.get(state, ())])
        if (more := _length(taken) - before) > 0:
            found[state] = more
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
