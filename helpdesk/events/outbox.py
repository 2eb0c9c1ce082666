"""drain(): see every recorded event through its handlers, at least once, whoever is killed on the way."""

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet

from helpdesk.events.handlers import calls_outside, find, takes_many
from helpdesk.events.models import OutboxEntry
from helpdesk.events.nudge import gathered
from helpdesk.events.outcomes import NeverRetry, RetryLater
from helpdesk.events.safe_text import storable
from helpdesk.events.sending_mail import one_connection
from helpdesk.prepared import Prepared

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=120)
BATCH = 100
BATCH_SECONDS = 30.0
SECONDS = 20.0
MAX_ATTEMPTS = 12
LONGEST_ERROR = 2000
TOGETHER_ATTEMPTS = 3
BACKOFF_SECONDS = (5, 15, 30, 60, 120, 300, 600, 1800)

# Older entries are looked for by the index of the lanes: it holds no empty lane, and `+ 0` keeps the planner from
# reading the table in the order of its ids, which looks cheap to it where its statistics are from before a flood.
_CLAIM = f"""
UPDATE {OutboxEntry._meta.db_table} AS entry SET due_at = %(lease)s, attempts = entry.attempts + 1
WHERE entry.id = ANY(ARRAY(
    SELECT o.id FROM {OutboxEntry._meta.db_table} o
    WHERE o.done_at IS NULL AND o.gave_up_at IS NULL AND o.due_at <= %(at)s
      AND (o.lane = '' OR NOT EXISTS (
            SELECT 1 FROM {OutboxEntry._meta.db_table} older
            WHERE older.lane = o.lane AND older.lane <> '' AND older.id + 0 < o.id
              AND older.done_at IS NULL AND older.gave_up_at IS NULL))
    ORDER BY o.due_at, o.id LIMIT %(limit)s FOR UPDATE OF o SKIP LOCKED))
RETURNING entry.id
"""
_FINISH = Prepared(
    "finish_entry",
    f"UPDATE {OutboxEntry._meta.db_table} SET done_at = %s, error = '' "
    "WHERE id = %s AND done_at IS NULL AND gave_up_at IS NULL",
)


def drain(at: datetime, limit: int = 1000) -> int:
    """Run what is due at `at`; how many entries were seen. Stops when nothing is left, at `limit` or after SECONDS."""
    began = time.monotonic()
    seen = 0
    with one_connection():
        while seen < limit and time.monotonic() - began < SECONDS:
            # A lease counts from now, not from when this round began.
            claimed = _claim(at, at + timedelta(seconds=time.monotonic() - began), min(BATCH, limit - seen))
            if not claimed:
                break
            with gathered():
                seen += _run_batch(claimed, at)
    return seen


def _run_batch(claimed: Sequence[OutboxEntry], at: datetime) -> int:
    seen = 0
    single: list[OutboxEntry] = []
    floods: dict[str, list[OutboxEntry]] = defaultdict(list)
    for entry in claimed:
        # What failed before, or was there each time a worker died, goes alone: it must not take others with it.
        sound = not entry.error and entry.attempts <= TOGETHER_ATTEMPTS
        if sound and takes_many(entry.handler) is not None:
            floods[entry.handler].append(entry)
        else:
            single.append(entry)
    for entries in floods.values():
        seen += len(entries)
        if not _run_together(entries, at):
            single += entries
            seen -= len(entries)
    began = time.monotonic()
    for place, entry in enumerate(single):
        if time.monotonic() - began > BATCH_SECONDS:
            # Give the rest back before its lease runs out under another worker's hands.
            _release([late.pk for late in single[place:]], at)
            break
        _run(entry, at)
        seen += 1
    return seen


def _run_together(entries: Sequence[OutboxEntry], at: datetime) -> bool:
    """Whether all went well; otherwise nothing was done, and each is to be tried alone."""
    handler = takes_many(entries[0].handler)
    assert handler is not None, "the caller asked"
    try:
        with transaction.atomic():
            handler([entry.event for entry in entries], at)
            OutboxEntry.objects.filter(pk__in=[e.pk for e in entries], done_at=None, gave_up_at=None).update(
                done_at=at, error=""
            )
    except Exception:
        logger.exception("%s failed on %s events at once; trying each alone", entries[0].handler, len(entries))
        return False
    return True


def _claim(at: datetime, now: datetime, limit: int) -> list[OutboxEntry]:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"at": at, "lease": now + LEASE, "limit": limit})
        ids = [row[0] for row in cursor.fetchall()]
    if not ids:
        return []
    return list(OutboxEntry.objects.select_related("event").filter(pk__in=ids).order_by("pk"))


def _release(ids: list[int], at: datetime) -> None:
    OutboxEntry.objects.filter(pk__in=ids).update(due_at=at)


def _run(entry: OutboxEntry, at: datetime) -> None:
    try:
        if calls_outside(entry.handler):
            find(entry.handler)(entry.event, at)
            _finish(entry, at)
        else:
            with transaction.atomic():
                find(entry.handler)(entry.event, at)
                _finish(entry, at)
    except NeverRetry as error:
        _give_up(entry, at, str(error))
    except RetryLater as error:
        _retry(entry, at, str(error), error.after)
    except Exception as error:
        logger.exception("%s failed on event %s", entry.handler, entry.event_id)
        _retry(entry, at, f"{error.__class__.__name__}: {error}", None)


def _finish(entry: OutboxEntry, at: datetime) -> None:
    _FINISH.run((at, entry.pk))


def _retry(entry: OutboxEntry, at: datetime, error: str, after: timedelta | None) -> None:
    if entry.attempts >= MAX_ATTEMPTS and after is None:
        _give_up(entry, at, error)
        return
    wait = after or timedelta(seconds=BACKOFF_SECONDS[min(entry.attempts, len(BACKOFF_SECONDS)) - 1])
    _undone(entry).update(due_at=at + wait, error=storable(error, LONGEST_ERROR))


def _give_up(entry: OutboxEntry, at: datetime, error: str) -> None:
    """An entry we cannot serve stays visible (healthz, metrics) and no longer holds its lane."""
    logger.error("gave up %s on event %s: %s", entry.handler, entry.event_id, error)
    _undone(entry).update(gave_up_at=at, error=storable(error, LONGEST_ERROR))


def _undone(entry: OutboxEntry) -> QuerySet[OutboxEntry]:
    """The entry, unless another worker has ended it after our lease."""
    return OutboxEntry.objects.filter(pk=entry.pk, done_at=None, gave_up_at=None)


def oldest_due(at: datetime) -> datetime | None:
    """The due time of the oldest entry that should have been served by `at`."""
    entry = (
        OutboxEntry.objects.filter(done_at=None, gave_up_at=None, due_at__lte=at)
        .order_by("due_at")
        .values("due_at")
        .first()
    )
    return entry["due_at"] if entry else None
