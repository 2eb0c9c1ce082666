"""Where the numbers of a report are read: tallies, of whole months where there are any, or the figures of a few.

Both give rows of the same shape: starts, measure, kind, bucket, team_id, channel, priority, count.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from helpdesk.customers import visibility
from helpdesk.customers.models import User
from tickets.reports.models import Figure, Measure, Tally
from tickets.reports.selection import Selection

_SHAPE = "measure, kind, bucket, team_id, channel, priority"
# What a figure counts for, as in `keeping`, for figures that are not summed up.
_SPREAD = """
    SELECT day AS starts, measure, 'all' AS kind, 0::bigint AS bucket, team_id, channel, priority,
        sum(amount)::bigint AS count
    FROM chosen WHERE seconds IS NOT NULL OR measure IN ('opened', 'reply', 'time') GROUP BY 1, 2, 5, 6, 7
    UNION ALL SELECT day, measure, 'hour', (extract(isodow FROM day)::int - 1) * 24 + hour, team_id, channel, priority,
        1 FROM chosen WHERE measure = 'opened'
    UNION ALL SELECT day, measure, 'kept', is_kept::int, team_id, channel, priority, 1
    FROM chosen WHERE is_kept IS NOT NULL
    UNION ALL SELECT day, measure, 'agent', agent_id, team_id, channel, priority, amount
    FROM chosen WHERE agent_id IS NOT NULL AND (measure IN ('reply', 'time') OR measure = 'resolution' AND seconds >= 0)
"""


def conditions(selection: Selection, user: User) -> tuple[str, dict[str, Any]]:
    """SQL for whose conversations are meant, among those the agent may see, with its parameters."""
    found = [visibility.condition(user)]
    given: dict[str, Any] = {"user": user.pk or 0}
    if selection.team == 0:
        found.append("team_id IS NULL")
    for name in ("team", "plan", "organization", "agent", "channel", "priority"):
        value = getattr(selection, name)
        if value is None or (name == "team" and value == 0):
            continue
        column = name if name in ("channel", "priority") else f"{name}_id"
        found.append(f"{column} = %({name})s")
        given[name] = value
    return " AND ".join(found), given


def counted(
    selection: Selection, user: User, kinds: Iterable[str], start: date, end: date, *, by_month: bool
) -> tuple[str, dict[str, Any]]:
    """A subquery with what was counted from `start` to `end`, both days within, and its parameters.

    `by_month` where days and weeks need not be told apart: then whole months are read from their sums.
    """
    where, given = conditions(selection, user)
    given["kinds"] = list(kinds)
    if selection.of_few:
        given |= {"start": start, "end": end}
        chosen = f"SELECT * FROM {Figure._meta.db_table} WHERE day BETWEEN %(start)s AND %(end)s AND {where}"
        return f"(WITH chosen AS ({chosen}) SELECT * FROM ({_SPREAD}) AS spread WHERE kind = ANY(%(kinds)s))", given
    parts = []
    if by_month and selection.is_open and end == selection.end:
        # Nothing lies behind today: the whole month is no more than the part of it.
        end = _next_month(end) - timedelta(days=1)
    for number, (grain, first, last) in enumerate(stretches(start, end) if by_month else [("day", start, end)]):
        given |= {f"first{number}": first, f"last{number}": last, "measures": Measure.values}
        # All columns of the key are named, so that each part is one stretch of its index.
        parts.append(
            f"SELECT starts, {_SHAPE}, count FROM {Tally._meta.db_table} WHERE kind = ANY(%(kinds)s) "
            f"AND grain = '{grain}' AND measure = ANY(%(measures)s) "
            f"AND starts BETWEEN %(first{number})s AND %(last{number})s AND count <> 0 AND {where}"
        )
    return f"({' UNION ALL '.join(parts)})", given


def stretches(start: date, end: date) -> list[tuple[str, date, date]]:
    """The period as days at its edges around whole months: (grain, first, last)."""
    first = start if start.day == 1 else _next_month(start)
    beyond = _next_month(end) if end + timedelta(days=1) == _next_month(end) else end.replace(day=1)
    if first >= beyond:
        return [("day", start, end)]
    found = [
        ("day", start, first - timedelta(days=1)),
        ("month", first, beyond - timedelta(days=1)),
        ("day", beyond, end),
    ]
    return [part for part in found if part[1] <= part[2]]


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
