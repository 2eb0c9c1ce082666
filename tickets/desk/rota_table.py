"""The next days of a schedule as bars: one row a local day, slots as shares of that day's length (23 to 25 hours)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from helpdesk.oncall.rota import Slot


@dataclass(frozen=True, slots=True)
class Bar:
    """`left` and `width` are percent of the day. `user` is None where nobody but the fallback is called."""

    left: float
    width: float
    user: int | None
    name: str
    stands_in: bool


@dataclass(frozen=True, slots=True)
class Day:
    date: datetime
    bars: list[Bar]


def days(slots: Sequence[Slot], names: Mapping[int, str], zone: ZoneInfo) -> list[Day]:
    """Rows from the first slot's local day to the last one's."""
    if not slots:
        return []
    joined = _joined(slots)
    found = []
    start = _midnight(slots[0].start, zone)
    while start < slots[-1].end:
        end = _midnight(start + timedelta(hours=36), zone)
        bars = [_bar(slot, start, end, names) for slot in joined if slot.start < end and slot.end > start]
        found.append(Day(start, bars))
        start = end
    return found


def _joined(slots: Sequence[Slot]) -> list[Slot]:
    """Turns of one person that follow each other, as one: who looks wants to know whom to call."""
    joined: list[Slot] = []
    for slot in slots:
        last = joined[-1] if joined else None
        if (
            last
            and last.user == slot.user
            and last.source.startswith("override:") == slot.source.startswith("override:")
        ):
            joined[-1] = Slot(last.start, slot.end, last.user, last.source)
        else:
            joined.append(slot)
    return joined


def _midnight(at: datetime, zone: ZoneInfo) -> datetime:
    return datetime.combine(at.astimezone(zone).date(), time(0), zone)


def _bar(slot: Slot, start: datetime, end: datetime, names: Mapping[int, str]) -> Bar:
    # Instants, not wall clocks: subtracting two times of one zone would ignore a changed clock in between.
    length = end.timestamp() - start.timestamp()
    left = max(slot.start.timestamp() - start.timestamp(), 0) / length
    right = min(slot.end.timestamp() - start.timestamp(), length) / length
    name = names.get(slot.user, f"#{slot.user}") if slot.user is not None else ""
    is_override = slot.source.startswith("override:")
    return Bar(round(left * 100, 3), round((right - left) * 100, 3), slot.user, name, is_override)
