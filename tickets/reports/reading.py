"""The numbers of a report, in a bounded number of statements, however many conversations there are."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from django.db import connection

from helpdesk.customers.models import User
from tickets.reports import sources
from tickets.reports.keeping import GROWTH
from tickets.reports.models import Figure, Measure, Tally
from tickets.reports.selection import EARLIEST, Selection

# Up to so many conversations, medians are exact; beyond, they are read from tallies and right within 5 %.
EXACT: Final = 20_000
TIMED: Final = (Measure.DISPATCH, Measure.FIRST_RESPONSE, Measure.NEXT_RESPONSE, Measure.RESOLUTION)
PROMISED: Final = TIMED
_UNITS = {
    "day": "starts",
    "week": "starts - (extract(isodow FROM starts)::int - 1)",
    "month": "date_trunc('month', starts)::date",
}
# What a statement returns of whom, and how it groups: by each of these, or the whole alone.
_Sets = tuple[str, str]
_EACH: _Sets = (
    "GROUPING(unit, team_id, channel, priority), unit, team_id, channel, priority",
    ", GROUPING SETS ((), (unit), (team_id), (channel), (priority))",
)
_WHOLE: _Sets = ("15, NULL, NULL, NULL, NULL", "")
# GROUPING is a bit a column that a row is not about, the first one highest.
_SCOPES = {0b1111: "total", 0b0111: "unit", 0b1011: "team", 0b1101: "channel", 0b1110: "priority"}

Key = date | int | str | None


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took: how often it was timed, the middle one and the one that nine of ten are not above, in
    seconds; None where nothing was timed.
    """

    count: int = 0
    median: int | None = None
    p90: int | None = None


@dataclass
class Numbers:
    """What was counted, by scope (total, unit, team, channel, priority), what of it, and measure."""

    counts: dict[tuple[str, Key, str], int] = field(default_factory=lambda: defaultdict(int))
    kept: dict[tuple[str, Key, str], int] = field(default_factory=lambda: defaultdict(int))
    broken: dict[tuple[str, Key, str], int] = field(default_factory=lambda: defaultdict(int))
    times: dict[tuple[str, Key, str], Times] = field(default_factory=lambda: defaultdict(Times))

    def count(self, measure: str, scope: str = "total", key: Key = None) -> int:
        return self.counts.get((scope, key, measure), 0)

    def time(self, measure: str, scope: str = "total", key: Key = None) -> Times:
        return self.times.get((scope, key, measure), Times())

    def share(self, measures: Iterable[str], scope: str = "total", key: Key = None) -> float | None:
        """Promises kept of those that ended, 0 to 1; None where none ended."""
        kept = sum(self.kept.get((scope, key, measure), 0) for measure in measures)
        broken = sum(self.broken.get((scope, key, measure), 0) for measure in measures)
        return kept / (kept + broken) if kept + broken else None

    def keys(self, scope: str) -> list[Key]:
        found = {
            key for part in (self.counts, self.kept, self.broken, self.times) for (of, key, _m) in part if of == scope
        }
        return sorted(found, key=lambda key: (key is None, str(key)))


def numbers(selection: Selection, user: User, *, only_totals: bool = False) -> Numbers:
    """Counts, promises and times of the period. Two statements."""
    found = Numbers()
    sets = _WHOLE if only_totals else _EACH
    by_month = only_totals or selection.unit == "month"
    source, given = sources.counted(selection, user, ("all", "kept"), selection.start, selection.end, by_month=by_month)
    for scope, unit, team, channel, priority, measure, kind, bucket, count in _grouped(
        source, given, selection.unit, sets
    ):
        key = _key(_SCOPES[scope], unit, team, channel, priority)
        part = found.counts if kind == "all" else found.kept if bucket else found.broken
        part[_SCOPES[scope], key, measure] = int(count)
    few = found.count(Measure.OPENED) + found.count(Measure.RESOLUTION) <= EXACT
    found.times = (
        _exact_times(selection, user, sets) if few or selection.of_few else _tallied_times(selection, user, sets)
    )
    return found


def _grouped(source: str, given: dict[str, Any], unit: str, sets: _Sets) -> list[tuple[Any, ...]]:
    # Summed up by all of them first: then each of the sets goes over a third of the rows.
    sql = f"""
        SELECT {sets[0]}, measure, kind, bucket, sum(count)
        FROM (SELECT {_UNITS[unit]} AS unit, measure, kind, bucket, team_id, channel, priority, sum(count) AS count
              FROM {source} AS counted GROUP BY 1, 2, 3, 4, 5, 6, 7) AS counted
        GROUP BY measure, kind, bucket{sets[1]}"""
    return _rows(sql, given)


def _rows(sql: str, given: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _key(scope: str, unit: date, team: int | None, channel: str, priority: str) -> Key:
    keys: dict[str, Key] = {"unit": unit, "team": team, "channel": channel, "priority": priority}
    return keys.get(scope)


def _exact_times(selection: Selection, user: User, sets: _Sets) -> dict[tuple[str, Key, str], Times]:
    where, given = sources.conditions(selection, user)
    given |= {"start": selection.start, "end": selection.end, "measures": [str(measure) for measure in TIMED]}
    column = "seconds" if selection.by_wall else "working_seconds"
    sql = f"""
        SELECT {sets[0]}, measure, count(*),
               percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY {column})
        FROM (SELECT {_UNITS[selection.unit]} AS unit, * FROM (SELECT day AS starts, * FROM {Figure._meta.db_table}
              WHERE measure = ANY(%(measures)s) AND day BETWEEN %(start)s AND %(end)s AND {where}
              AND {column} IS NOT NULL) AS figure) AS figure
        GROUP BY measure{sets[1]}"""
    found: dict[tuple[str, Key, str], Times] = {}
    for scope, unit, team, channel, priority, measure, count, (median, p90) in _rows(sql, given):
        found[_SCOPES[scope], _key(_SCOPES[scope], unit, team, channel, priority), measure] = Times(count, median, p90)
    return found


def _tallied_times(selection: Selection, user: User, sets: _Sets) -> dict[tuple[str, Key, str], Times]:
    kind = Tally.Kind.CALENDAR if selection.by_wall else Tally.Kind.WORKING
    by_month = sets is _WHOLE or selection.unit == "month"
    source, given = sources.counted(selection, user, [str(kind)], selection.start, selection.end, by_month=by_month)
    buckets: dict[tuple[str, Key, str], list[tuple[int, int]]] = defaultdict(list)
    for scope, unit, team, channel, priority, measure, _kind, bucket, count in _grouped(
        source, given, selection.unit, sets
    ):
        key = _key(_SCOPES[scope], unit, team, channel, priority)
        buckets[_SCOPES[scope], key, measure].append((bucket, int(count)))
    return {key: _of_buckets(sorted(found)) for key, found in buckets.items()}


def _of_buckets(buckets: list[tuple[int, int]]) -> Times:
    total = sum(count for _, count in buckets)
    return Times(total, _quantile(buckets, total, 0.5), _quantile(buckets, total, 0.9))


def _quantile(buckets: list[tuple[int, int]], total: int, share: float) -> int:
    """The middle of the stretch that the wanted one lies in."""
    wanted, passed = math.ceil(total * share), 0
    for bucket, count in buckets:
        passed += count
        if passed >= wanted:
            middle: float = GROWTH ** (bucket + 0.5)
            return round(middle) - 1
    raise AssertionError("the last one is at most the whole")


def backlog_before(selection: Selection, user: User) -> int:
    """How many conversations opened before the period were not resolved before it."""
    end = selection.start - timedelta(days=1)
    source, given = sources.counted(selection, user, ["all"], EARLIEST, end, by_month=True)
    sql = f"""
        SELECT coalesce(sum(CASE measure WHEN 'opened' THEN count WHEN 'resolution' THEN -count END), 0)
        FROM {source} AS counted"""
    return int(_rows(sql, given)[0][0])


@dataclass(frozen=True, slots=True)
class AgentNumbers:
    """What an agent did in the period: conversations resolved that are theirs, replies written, minutes spent."""

    handled: int = 0
    replies: int = 0
    minutes: int = 0


def hours_and_agents(selection: Selection, user: User) -> tuple[list[list[int]], dict[int, AgentNumbers]]:
    """When conversations were opened, by weekday (Monday first) and hour of the office; and what agents did."""
    source, given = sources.counted(selection, user, ["hour", "agent"], selection.start, selection.end, by_month=True)
    sql = f"SELECT kind, measure, bucket, sum(count) FROM {source} AS counted GROUP BY 1, 2, 3"
    week = [[0] * 24 for _ in range(7)]
    done: dict[int, dict[str, int]] = defaultdict(dict)
    for kind, measure, bucket, count in _rows(sql, given):
        if kind == "hour":
            week[bucket // 24][bucket % 24] = int(count)
        else:
            done[bucket][measure] = int(count)
    agents = {
        pk: AgentNumbers(by.get(Measure.RESOLUTION, 0), by.get(Measure.REPLY, 0), by.get(Measure.TIME, 0))
        for pk, by in done.items()
    }
    return week, agents
