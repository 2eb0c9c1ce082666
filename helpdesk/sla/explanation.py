"""Why a clock is due when it is due: every span that counted, everything that did not. Pure, no Django."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from helpdesk.sla.hours import NeverOpen, OpeningHours, Pauses, Span

LISTED = 40
"""How many entries of each list are shown; the first and the last ones, with the number left out between them."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_Entry = TypeVar("_Entry")


@dataclass(frozen=True, slots=True)
class Explanation:
    """The reckoning of one clock. `as_dict` is for programs (JSON-safe), `as_text` for people; both cap long lists.

    `due_at` is None when the hours never hold the goal. Spans and pauses are what lay between `started_at` and `until`;
    `not_open` are the local dates without any opening in between, with the holiday's name, or None for an ordinary
    closed day.
    """

    hours: OpeningHours
    started_at: datetime
    goal_seconds: float
    due_at: datetime | None
    until: datetime
    spans: tuple[Span, ...]
    pauses: tuple[Span, ...]
    not_open: tuple[tuple[date, str | None], ...]

    @property
    def worked_seconds(self) -> float:
        # Summed exactly: fractions of a second as floats would not add up to the goal.
        return sum((span.end - span.start for span in self.spans), timedelta()) / timedelta(seconds=1)

    @property
    def holidays(self) -> list[tuple[date, str]]:
        return [(day, name) for day, name in self.not_open if name is not None]

    @property
    def closed_days(self) -> list[date]:
        return [day for day, name in self.not_open if name is None]

    def as_dict(self) -> dict[str, object]:
        """JSON-safe: instants as UTC ISO 8601, dates local, minutes as numbers; `…_omitted` counts what was capped."""
        rows, rows_omitted = _capped(self._running())
        pauses, pauses_omitted = _capped(self.pauses)
        holidays, holidays_omitted = _capped(self.holidays)
        closed, closed_omitted = _capped(self.closed_days)
        return {
            "timezone": self.hours.timezone,
            "always_open": self.hours.always_open,
            "goal_minutes": _minutes(self.goal_seconds),
            "started_at": _iso(self.started_at),
            "due_at": None if self.due_at is None else _iso(self.due_at),
            "until": _iso(self.until),
            "worked_minutes": _minutes(self.worked_seconds),
            "spans": [
                {
                    "from": _iso(span.start),
                    "to": _iso(span.end),
                    "worked_minutes": _minutes(span.seconds),
                    "running_total_minutes": _minutes(total),
                }
                for span, total in rows
            ],
            "spans_omitted": rows_omitted,
            "pauses": [{"from": _iso(pause.start), "to": _iso(pause.end)} for pause in pauses],
            "pauses_omitted": pauses_omitted,
            "holidays": [{"date": day.isoformat(), "name": name} for day, name in holidays],
            "holidays_omitted": holidays_omitted,
            "closed_days": [day.isoformat() for day in closed],
            "closed_days_omitted": closed_omitted,
        }

    def as_text(self) -> str:
        """The same in plain English and local time, one fact a line."""
        lines = [self._goal_line(), f"The clock started on {self._when(self.started_at)} ({self.hours.timezone})."]
        lines += self._opening_line()
        lines += self._span_lines()
        lines += self._pause_lines()
        lines += self._closed_lines()
        lines += self._clock_change_line()
        lines += self._verdict_lines()
        return "\n".join(lines)

    def _goal_line(self) -> str:
        kind = "round the clock" if self.hours.always_open else "of opening hours"
        return f"Goal: {_duration(self.goal_seconds)} {kind}."

    def _opening_line(self) -> list[str]:
        if self.hours.is_open(self.started_at):
            return []
        if not self.spans:
            return ["It was closed then, and no opening followed in this time."]
        return [f"It was closed then, so time counts from the next opening, {self._when(self.spans[0].start)}."]

    def _span_lines(self) -> list[str]:
        if not self.spans:
            return ["No time has counted."]
        rows, omitted = _capped(self._running())
        lines = [
            f"  {self._range(span)}: {_duration(span.seconds)}, {_duration(total)} in total" for span, total in rows
        ]
        return ["Time that counted:", *_with_gap(lines, omitted, "spans")]

    def _pause_lines(self) -> list[str]:
        if not self.pauses:
            return []
        pauses, omitted = _capped(self.pauses)
        lines = [f"  {self._range(pause)}" for pause in pauses]
        return ["The clock was paused:", *_with_gap(lines, omitted, "pauses")]

    def _closed_lines(self) -> list[str]:
        lines = []
        holidays, omitted = _capped(self.holidays)
        if holidays:
            names = [f"{_day(day)} ({name})" if name else _day(day) for day, name in holidays]
            lines.append(f"Holidays, not counted: {', '.join(_with_gap(names, omitted, 'holidays'))}.")
        closed, omitted = _capped(self.closed_days)
        if closed:
            days = _with_gap([_day(day) for day in closed], omitted, "days")
            lines.append(f"Closed days, not counted: {', '.join(days)}.")
        return lines

    def _clock_change_line(self) -> list[str]:
        before = self.hours.local(self.started_at).utcoffset()
        after = self.hours.local(self.until).utcoffset()
        if before is None or after is None or before == after:
            return []
        direction = "forward" if after > before else "back"
        return [f"The clocks went {direction} by {_duration(abs(after - before) / timedelta(seconds=1))} in this time."]

    def _verdict_lines(self) -> list[str]:
        if self.due_at is None:
            return ["Never due: these opening hours do not hold that much time within ten years."]
        due = f"Due on {self._when(self.due_at)}."
        if self.until == self.due_at:
            return [due]
        left = self.goal_seconds - self.worked_seconds
        state = f"{_duration(left)} were left" if left >= 0 else f"the goal was exceeded by {_duration(-left)}"
        return [due, f"At {self._when(self.until)}, {_duration(self.worked_seconds)} had counted; {state}."]

    def _running(self) -> list[tuple[Span, float]]:
        total = timedelta()
        rows = []
        for span in self.spans:
            total += span.end - span.start
            rows.append((span, total / timedelta(seconds=1)))
        return rows

    def _when(self, at: datetime) -> str:
        local = self.hours.local(at)
        return f"{_day(local)} {_clock(local)} {_abbreviation(local)}"

    def _range(self, span: Span) -> str:
        start, end = self.hours.local(span.start), self.hours.local(span.end)
        if start.date() != end.date() or start.utcoffset() != end.utcoffset():
            return f"{self._when(span.start)} to {self._when(span.end)}"
        return f"{_day(start)} {_clock(start)} to {_clock(end)} {_abbreviation(start)}"


def explain(
    hours: OpeningHours,
    started_at: datetime,
    goal_seconds: float,
    pauses: Pauses = (),
    until: datetime | None = None,
    holiday_names: Mapping[date, str] | None = None,
) -> Explanation:
    """The reckoning of a clock from `started_at` to `until` (default: when it is due).

    `until` is the instant the clock was met, or the present; before the start it counts as the start. Raises ValueError
    as `OpeningHours.add` does, except that hours which never hold the goal are explained, with `due_at` None.
    """
    started = started_at.astimezone(UTC)
    try:
        due = hours.add(started, goal_seconds, pauses)
    except NeverOpen:
        due = None
    end = max(until.astimezone(UTC) if until is not None else due or started, started)
    return Explanation(
        hours=hours,
        started_at=started,
        goal_seconds=goal_seconds,
        due_at=due,
        until=end,
        spans=tuple(hours.spans(started, end, pauses)),
        pauses=_clipped(pauses, started, end),
        not_open=_not_open(hours, started, end, holiday_names or {}),
    )


def _clipped(pauses: Pauses, start: datetime, end: datetime) -> tuple[Span, ...]:
    """The pauses within [start, end], merged and in order."""
    found: list[Span] = []
    for begun, ended in sorted((max(a.astimezone(UTC), start), min(b.astimezone(UTC), end)) for a, b in pauses):
        if begun >= ended:
            continue
        if found and begun <= found[-1].end:
            found[-1] = Span(found[-1].start, max(ended, found[-1].end))
        else:
            found.append(Span(begun, ended))
    return tuple(found)


def _not_open(
    hours: OpeningHours, start: datetime, end: datetime, names: Mapping[date, str]
) -> tuple[tuple[date, str | None], ...]:
    """Local dates from start to end on which nothing opens; an unnamed holiday has an empty name."""
    first, last = hours.local(start).date(), hours.local(end).date()
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return tuple(
        (day, names.get(day, "") if day in hours.holidays else None) for day in days if not hours.opens_on(day)
    )


def _capped(entries: Sequence[_Entry]) -> tuple[list[_Entry], int]:
    """The first and last entries, `LISTED` at most, and how many were left out between the two halves."""
    if len(entries) <= LISTED:
        return list(entries), 0
    half = LISTED // 2
    return [*entries[:half], *entries[-half:]], len(entries) - 2 * half


def _with_gap(lines: list[str], omitted: int, what: str) -> list[str]:
    if not omitted:
        return lines
    half = LISTED // 2
    indent = "  " if lines[0].startswith("  ") else ""
    return [*lines[:half], f"{indent}… {omitted} more {what} …", *lines[half:]]


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _minutes(seconds: float) -> float | int:
    whole, rest = divmod(seconds, 60)
    return int(whole) if not rest else seconds / 60


def _duration(seconds: float) -> str:
    """Such as ``1 h 30 min``; seconds only where there are any."""
    total = round(seconds)
    hours, minutes, rest = total // 3600, total % 3600 // 60, total % 60
    parts = [f"{hours} h" if hours else "", f"{minutes} min" if minutes else "", f"{rest} s" if rest else ""]
    return " ".join(part for part in parts if part) or "0 min"


def _day(day: date) -> str:
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def _clock(local: datetime) -> str:
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def _abbreviation(local: datetime) -> str:
    """``CET`` and the like; zones without letters say ``UTC+05:45``."""
    name = local.tzname() or ""
    return name if name.isalpha() else f"UTC{local.isoformat(timespec='seconds')[19:]}"
