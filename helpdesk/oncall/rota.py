"""Who is on call when: rotating layers, restrictions and overrides, as plain values. Pure: no Django, no clock.

Everything is computed from the plan alone, never from an earlier answer: whatever window is asked, the same turns come
out, with the same boundaries and the same people.

Days on which the clocks are changed (the rule of `helpdesk.oncall.wall_clock`, which is GoAlert's): a hand-off is a
local wall-clock time, and ONE instant ends a turn and begins the next, so the turns of a layer neither overlap nor
leave a hole. A hand-off in the skipped hour happens at the first instant after it, one in the repeated hour at its
first occurrence. A restriction begins at the first and ends at the last occurrence of its times, so day and night
restrictions that meet on the wall clock leave no hole either. Where a whole day is skipped (Apia, 2011-12-30) the turn
of that day shrinks, to nothing with a hand-off at midnight, and the order of the members goes on counting it.
A rotation by "hours" counts elapsed hours: its hand-offs move on the wall clock when the clocks are changed.
"""

import heapq
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from helpdesk.oncall.wall_clock import YEARS, first_instant, span, utc, zone

Rotation = Literal["daily", "weekly", "hours"]

LENGTHS: Final[Mapping[Rotation, timedelta]] = {
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "hours": timedelta(hours=1),
}

# Limits that keep time and memory bounded whatever a form sends.
LONGEST_TURN: Final = timedelta(days=366)
LONGEST_WINDOW: Final = timedelta(days=732)
MOST_RESTRICTIONS: Final = 50

DAY: Final = timedelta(days=1)
GAP: Final = "gap"


@dataclass(frozen=True, slots=True)
class Restriction:
    """The layer covers only `start` to `end` local time, for spans that begin on `days` (0 is Monday).

    An `end` not after `start` is on the next day: overnight, `END_OF_DAY` (00:00) until midnight, equal times 24 hours.
    Raises ValueError for no day or a day outside 0 to 6.
    """

    days: frozenset[int]
    start: time
    end: time

    def __post_init__(self) -> None:
        if not self.days or not self.days <= frozenset(range(7)):
            raise ValueError("a restriction needs days from 0 (Monday) to 6 (Sunday)")


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """One rotation: each member in order is on call for `turn` days, weeks or hours, beginning on `starts_on`.

    `handoff` is local time in the schedule's zone; a weekly layer hands off on the weekday of `starts_on`. No member
    means nobody is ever on call; no restriction means round the clock. A higher `position` beats a lower one.
    Raises ValueError for a turn below 1 or above 366 days, a year outside 1900 to 2200, more than 50 restrictions.
    """

    id: int
    position: int
    rotation: Rotation
    turn: int
    starts_on: date
    handoff: time
    members: tuple[int, ...]
    restrictions: tuple[Restriction, ...] = ()

    def __post_init__(self) -> None:
        if self.rotation not in LENGTHS:
            raise ValueError(f"a rotation is one of {', '.join(LENGTHS)}")
        if not 1 <= self.turn <= LONGEST_TURN // LENGTHS[self.rotation]:
            raise ValueError(f"a turn lasts at least 1 and at most {LONGEST_TURN.days} days")
        if self.starts_on.year not in YEARS:
            raise ValueError(f"a layer starts between {YEARS[0]} and {YEARS[-1]}")
        if len(self.restrictions) > MOST_RESTRICTIONS:
            raise ValueError(f"a layer has at most {MOST_RESTRICTIONS} restrictions")


@dataclass(frozen=True, slots=True)
class OverridePlan:
    """`user` takes over from `start` to `end` (aware instants), whatever the layers say. One ending first is void."""

    start: datetime
    end: datetime
    user: int
    id: int = 0


@dataclass(frozen=True, slots=True)
class ShiftPlan:
    """`user` is on call in `layer` (its id) during [start, end), in UTC."""

    layer: int
    start: datetime
    end: datetime
    user: int


@dataclass(frozen=True, slots=True)
class Slot:
    """A piece of the merged timeline, [start, end) in UTC. `user` is None where nobody is on call.

    `source` is "layer:<id>", "override:<id>" or "gap".
    """

    start: datetime
    end: datetime
    user: int | None
    source: str


@dataclass(frozen=True, slots=True)
class Handoff:
    """The person changes at `at`; None stands for nobody."""

    at: datetime
    leaving: int | None
    arriving: int | None


class _Claim(NamedTuple):
    """Somebody wants [start, end); where claims overlap the one with the greatest `rank` has it."""

    start: datetime
    end: datetime
    rank: tuple[int, int, int]
    user: int
    source: str


def plan_shifts(layer: LayerPlan, timezone: str, start: datetime, end: datetime) -> list[ShiftPlan]:
    """The shifts of one layer that touch [start, end), sorted, not overlapping, cut by the layer's restrictions.

    Shifts are whole: the window chooses them but never cuts them, so that a shift is the same in every window.
    Raises ValueError for an unknown zone, an instant without zone, or a window above 732 days or ending before it
    starts.
    """
    return _shifts(layer, zone(timezone), *_window(start, end))


def final_schedule(
    layers: Sequence[LayerPlan], overrides: Sequence[OverridePlan], timezone: str, start: datetime, end: datetime
) -> list[Slot]:
    """The merged timeline: slots that cover [start, end) exactly, gaps included, the first and last cut to fit.

    Overrides beat layers (the later in order wins), then the higher position, then the higher layer id. Slots of the
    same person stay apart where they come from different shifts. Raises ValueError as `plan_shifts` does.
    """
    where, (left, right) = zone(timezone), _window(start, end)
    return _resolve(_claims(layers, overrides, where, left, right), left, right)


def whole_slots(
    layers: Sequence[LayerPlan], overrides: Sequence[OverridePlan], timezone: str, start: datetime, end: datetime
) -> list[Slot]:
    """The slots touching [start, end) in which somebody is on call, not cut by the window (by more than 366 days).

    For calendars: an entry keeps its start, and by that its identity, while the window moves on.
    Raises ValueError as `plan_shifts` does.
    """
    where, (left, right) = zone(timezone), _window(start, end)
    near = _claims(layers, overrides, where, left, right)
    first = min([left, *(claim.start for claim in near)])
    last = max([right, *(claim.end for claim in near)])
    slots = _resolve(_claims(layers, overrides, where, first, last), first, last)
    return [slot for slot in slots if slot.user is not None and slot.start < right and slot.end > left]


def gaps(slots: Iterable[Slot]) -> list[Slot]:
    """The slots in which nobody is on call."""
    return [slot for slot in slots if slot.user is None]


def handoffs(slots: Sequence[Slot]) -> list[Handoff]:
    """The instants inside a timeline at which the person changes; neither its start nor its end is one."""
    return [
        Handoff(after.start, before.user, after.user)
        for before, after in itertools.pairwise(slots)
        if before.user != after.user
    ]


def _window(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    left, right = utc(start), utc(end)
    if not timedelta(0) <= right - left <= LONGEST_WINDOW:
        raise ValueError(f"a window ends after it starts, and at most {LONGEST_WINDOW.days} days later")
    return left, right


def _shifts(layer: LayerPlan, where: ZoneInfo, start: datetime, end: datetime) -> list[ShiftPlan]:
    if not layer.members:
        return []
    turns = list(_turns(layer, where, start, end))
    if not turns:
        return []
    spans = _covered(layer.restrictions, where, turns[0][1], turns[-1][2])
    shifts = []
    turn = covered = 0
    while turn < len(turns) and covered < len(spans):
        number, begins, ends = turns[turn]
        opens, closes = spans[covered]
        left, right = max(begins, opens), min(ends, closes)
        if left < right and left < end and right > start:
            shifts.append(ShiftPlan(layer.id, left, right, layer.members[number % len(layer.members)]))
        if ends <= closes:
            turn += 1
        else:
            covered += 1
    return shifts


def _turns(
    layer: LayerPlan, where: ZoneInfo, start: datetime, end: datetime
) -> Iterator[tuple[int, datetime, datetime]]:
    """Number, begin and end of every turn that touches [start, end)."""
    length = LENGTHS[layer.rotation] * layer.turn
    anchor = first_instant(where, layer.starts_on, layer.handoff)

    def begin(number: int) -> datetime:
        if layer.rotation == "hours":
            return anchor + length * number
        return first_instant(where, layer.starts_on + length * number, layer.handoff)

    # Two turns early is never too late: hand-off times and changed clocks move a boundary by less than two days.
    number = max(0, (start - anchor) // length - 2)
    begins = begin(number)
    while begins < end:
        ends = begin(number + 1)
        if begins < ends and ends > start:
            yield number, begins, ends
        number, begins = number + 1, ends


def _covered(
    restrictions: Iterable[Restriction], where: ZoneInfo, start: datetime, end: datetime
) -> list[tuple[datetime, datetime]]:
    """What restrictions leave of [start, end): spans sorted and merged, the outer ones reaching beyond it."""
    restrictions = tuple(restrictions)
    if not restrictions:
        return [(start, end)]
    first = start.astimezone(where).date() - 2 * DAY
    days = [first + DAY * count for count in range((end - start).days + 6)]
    found = sorted(
        span(where, day, restriction.start, restriction.end)
        for restriction in restrictions
        for day in days
        if day.weekday() in restriction.days
    )
    merged: list[tuple[datetime, datetime]] = []
    for opens, closes in found:
        if opens >= closes:
            continue
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], closes))
        else:
            merged.append((opens, closes))
    return merged


def _claims(
    layers: Iterable[LayerPlan], overrides: Iterable[OverridePlan], where: ZoneInfo, start: datetime, end: datetime
) -> list[_Claim]:
    claims = [
        _Claim(shift.start, shift.end, (0, layer.position, layer.id), shift.user, f"layer:{layer.id}")
        for layer in layers
        for shift in _shifts(layer, where, start, end)
    ]
    for order, override in enumerate(overrides):
        # An override "for ever" may end in the year 9999: cut it before converting, which could overflow.
        begins = max(override.start, start - LONGEST_TURN).astimezone(UTC)
        ends = min(override.end, end + LONGEST_TURN).astimezone(UTC)
        if begins < min(ends, end) and ends > start:
            claims.append(_Claim(begins, ends, (1, order, 0), override.user, f"override:{override.id}"))
    return claims


def _resolve(claims: list[_Claim], start: datetime, end: datetime) -> list[Slot]:
    """Sweep over all boundaries in [start, end), the greatest rank on top of a heap: O(n log n) for n claims."""
    waiting = sorted(claims, key=lambda claim: claim.start, reverse=True)
    edges = {edge for claim in claims for edge in (claim.start, claim.end) if start < edge < end}
    edges |= {start, end}
    points = sorted(edges)
    active: list[tuple[tuple[int, int, int], int, _Claim]] = []
    slots: list[Slot] = []
    holder: _Claim | None = None
    for left, right in itertools.pairwise(points):
        while waiting and waiting[-1].start <= left:
            claim = waiting.pop()
            # The count of those still waiting keeps equal ranks apart, so that claims themselves are never compared.
            first, second, third = claim.rank
            heapq.heappush(active, ((-first, -second, -third), len(waiting), claim))
        while active and active[0][-1].end <= left:
            heapq.heappop(active)
        top = active[0][-1] if active else None
        if slots and top is holder:
            slots[-1] = Slot(slots[-1].start, right, slots[-1].user, slots[-1].source)
        else:
            slots.append(Slot(left, right, top.user if top else None, top.source if top else GAP))
        holder = top
    return slots
