"""Keeping the figures: after every event of a conversation they are reckoned anew, and the tallies move with them.

Nothing of it runs where a mail is filed or an agent waits: a sweep reads the log of events in the order of commits, and
finds each conversation once however much happened to it. Reading an event twice changes nothing.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.models import Max

from helpdesk.conversations.models import Conversation
from helpdesk.events.models import Event
from tickets.reports.counting import Row, rows_of
from tickets.reports.models import Figure, ReportProgress, Tally
from tickets.zones import known_zone

EVENTS = 2_000
CONVERSATIONS = 500
ROUNDS = 20
# One at a time writes figures; the number is this room's among advisory locks.
_LOCK: Final = 7_205_771
GROWTH: Final = 1.1
"""Each stretch of the logarithmic scale is so many times as long as the one before."""

_FIGURES, _TALLIES = Figure._meta.db_table, Tally._meta.db_table
_COLUMNS = ", ".join(Row._fields)
_TYPES = (
    "conversation_id bigint, measure text, place smallint, at timestamptz, day date, hour smallint, channel text, "
    "priority text, team_id bigint, plan_id bigint, organization_id bigint, agent_id bigint, amount int, seconds int, "
    "working_seconds int, is_kept boolean"
)
_BUCKET = f"floor(ln(greatest({{0}}, 0) + 1.0) / ln({GROWTH}))::bigint"
_CELL = "measure, day, channel, priority, team_id, plan_id"
# What is counted of the figures in `moved`, cell by cell. The order keeps two transactions from waiting for each other.
_SPREAD = f"""
WITH moved AS ({{moved}}),
cell AS (
    SELECT 'all' AS kind, 0::bigint AS bucket, amount, {_CELL} FROM moved
        WHERE seconds IS NOT NULL OR measure IN ('opened', 'reply', 'time')
    UNION ALL SELECT 'hour', (extract(isodow FROM day)::int - 1) * 24 + hour, 1, {_CELL} FROM moved
        WHERE measure = 'opened'
    UNION ALL SELECT 'calendar', {_BUCKET.format("seconds")}, 1, {_CELL} FROM moved WHERE seconds IS NOT NULL
    UNION ALL SELECT 'working', {_BUCKET.format("working_seconds")}, 1, {_CELL} FROM moved
        WHERE working_seconds IS NOT NULL
    UNION ALL SELECT 'agent', agent_id, amount, {_CELL} FROM moved
        WHERE agent_id IS NOT NULL AND (measure IN ('reply', 'time') OR measure = 'resolution' AND seconds IS NOT NULL)
    UNION ALL SELECT 'kept', is_kept::int, 1, {_CELL} FROM moved WHERE is_kept IS NOT NULL
)
INSERT INTO {_TALLIES} AS tally (kind, grain, measure, starts, bucket, channel, priority, team_id, plan_id, count)
SELECT cell.kind, grain.name, cell.measure, grain.starts, cell.bucket, cell.channel, cell.priority, cell.team_id,
       cell.plan_id, {{sign}} * sum(cell.amount)
FROM cell
CROSS JOIN LATERAL (VALUES ('day', cell.day), ('month', date_trunc('month', cell.day)::date)) AS grain(name, starts)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9
ON CONFLICT (kind, grain, measure, starts, bucket, channel, priority, team_id, plan_id)
DO UPDATE SET count = tally.count + excluded.count
"""
_MOVED = "measure, day, hour, channel, priority, team_id, plan_id, agent_id, amount, seconds, working_seconds, is_kept"
_TAKE = f"DELETE FROM {_FIGURES} WHERE conversation_id = ANY(%s) RETURNING {_MOVED}"
_ADD = f"""
INSERT INTO {_FIGURES} ({_COLUMNS}) SELECT {_COLUMNS} FROM jsonb_to_recordset(%s::jsonb) AS given({_TYPES})
RETURNING {_MOVED}
"""
_NEWS = f"""
SELECT transaction_id, id, conversation_id FROM {Event._meta.db_table}
WHERE (transaction_id, id) > (%s, %s) AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
ORDER BY transaction_id, id LIMIT {EVENTS}
"""
_FIRST_RUNNING = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"


def keep_figures() -> int:
    """Count what has happened since the last time, and a part of what was there before the first; how many
    conversations were looked at.
    """
    seen = 0
    for _ in range(ROUNDS):
        found = _read_on()
        if not found:
            break
        seen += found
    return seen


@transaction.atomic
def _read_on() -> int:
    _alone()
    progress = _progress()
    with connection.cursor() as cursor:
        cursor.execute(_NEWS, [progress.transaction_id, progress.event_id])
        news = cursor.fetchall()
    changed = {conversation_id for _, _, conversation_id in news if conversation_id is not None}
    before: list[int] = []
    if progress.filled_to < progress.fill_until:
        older = Conversation.objects.filter(pk__gt=progress.filled_to, pk__lte=progress.fill_until)
        before = list(older.order_by("pk").values_list("pk", flat=True)[:CONVERSATIONS])
        progress.filled_to = before[-1] if before else progress.fill_until
    for part in _parts(sorted({*changed, *before})):
        _count(part)
    if news:
        progress.transaction_id, progress.event_id, _last = news[-1]
    progress.save()
    return len(news) + len(before)


def rebuild() -> int:
    """Reckon every figure anew, and sum all tallies from them at the end in one commit; how many conversations.

    Reports stay readable meanwhile. The plan with which a conversation was first counted stays.
    """
    seen, last = 0, 0
    while True:
        with transaction.atomic():
            _alone()
            _progress()
            found = Conversation.objects.filter(pk__gt=last).order_by("pk")
            part = list(found.values_list("pk", flat=True)[:CONVERSATIONS])
            if not part:
                break
            _count(part)
        seen, last = seen + len(part), part[-1]
    with transaction.atomic():
        _alone()
        sum_up()
        ReportProgress.objects.filter(filled_to__lt=last).update(filled_to=last)
    return seen


def sum_up() -> None:
    """Make all tallies from the figures. The caller sees to it that nobody writes figures meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {_TALLIES}")
        cursor.execute(_SPREAD.format(moved=f"SELECT {_MOVED} FROM {_FIGURES}", sign="1"))
        cursor.execute(f"ANALYZE {_TALLIES}, {_FIGURES}")


def _alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _progress() -> ReportProgress:
    """How far we are. The first time: what is there already is counted bit by bit, what happens from now on at once."""
    known = ReportProgress.objects.first()
    if known is not None:
        return known
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_RUNNING)
        (first_running,) = cursor.fetchone()
    newest = Conversation.objects.aggregate(newest=Max("pk"))["newest"] or 0
    return ReportProgress.objects.create(transaction_id=first_running - 1, event_id=2**63 - 1, fill_until=newest)


def _count(ids: Sequence[int]) -> None:
    """Reckon the figures of these conversations and, where they have changed, replace them with their tallies."""
    known = _known(ids)
    # The plan is that of the day on which it was first counted: an upgrade does not rewrite the past.
    plans = {pk: next(iter(rows)).plan_id for pk, rows in known.items() if rows}
    reckoned: dict[int, set[Row]] = defaultdict(set)
    for row in rows_of(ids, known_zone(settings.OFFICE_TIME_ZONE), settings.OFFICE_TIME_ZONE, plans):
        reckoned[row.conversation_id].add(row)
    changed = [pk for pk in ids if known.get(pk, set()) != reckoned[pk]]
    gone = [pk for pk in changed if pk in known]
    with connection.cursor() as cursor:
        if gone:
            cursor.execute(_SPREAD.format(moved=_TAKE, sign="-1"), [gone])
        rows = [row for pk in changed for row in sorted(reckoned[pk], key=lambda row: row[1:3])]
        if rows:
            cursor.execute(_SPREAD.format(moved=_ADD, sign="1"), [_json(rows)])


def _known(ids: Collection[int]) -> dict[int, set[Row]]:
    found: dict[int, set[Row]] = defaultdict(set)
    for values in Figure.objects.filter(conversation__in=ids).values_list(*Row._fields):
        row = Row(*values)
        found[row.conversation_id].add(row)
    return found


def _json(rows: Iterable[Row]) -> str:
    # The encoder of Django would cut microseconds.
    shown: list[dict[str, Any]] = [{**row._asdict(), "at": row.at.isoformat()} for row in rows]
    return json.dumps(shown, cls=DjangoJSONEncoder)


def _parts(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + CONVERSATIONS] for start in range(0, len(ids), CONVERSATIONS))
