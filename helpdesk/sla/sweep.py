"""sweep(): find the clocks whose time has come, and say so, each once."""

from datetime import datetime

from django.db import connection, transaction

from helpdesk.events.actions import Fact, record_all
from helpdesk.sla.clocks import OPEN, arm, used
from helpdesk.sla.models import Calendar, Clock

BATCH = 500

# Conversations are locked before their clocks, as every action does; SKIP LOCKED never waits, so sweepers never block.
_CLAIM = f"""
SELECT clock.id FROM {Clock._meta.db_table} clock
JOIN {{conversation}} conversation ON conversation.id = clock.conversation_id
WHERE clock.wake_at < %s ORDER BY clock.wake_at LIMIT %s FOR NO KEY UPDATE OF conversation SKIP LOCKED
"""
_FIRE = f"""
UPDATE {Clock._meta.db_table} SET
    warned_at = coalesce(warned_at, %(at)s),
    breached_at = CASE WHEN due_at < %(at)s THEN due_at END,
    wake_at = CASE WHEN due_at < %(at)s THEN NULL ELSE due_at END
WHERE id = ANY(%(ids)s) AND wake_at < %(at)s
RETURNING id, conversation_id, target, due_at, breached_at
"""


def sweep(at: datetime, limit: int = 20_000) -> int:
    """Warn and breach every clock whose time is before `at`, in due order; how many. Bounded by `limit`."""
    seen = 0
    while seen < limit:
        fired = _sweep_batch(at)
        if not fired:
            break
        seen += fired
    return seen


@transaction.atomic
def _sweep_batch(at: datetime) -> int:
    conversations = Clock._meta.get_field("conversation").related_model
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM.format(conversation=conversations._meta.db_table), [at, BATCH])
        ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            return 0
        cursor.execute(_FIRE, {"at": at, "ids": ids})
        rows = sorted(cursor.fetchall(), key=lambda row: row[3])
    record_all(
        [
            Fact(
                "clock.breached" if breached_at else "clock.warned",
                conversation_id=conversation_id,
                data={"clock": clock_id, "target": target, "due_at": due_at},
            )
            for clock_id, conversation_id, target, due_at, breached_at in rows
        ],
        at=at,
    )
    return len(ids)


def recalculate(calendar_id: int, after_id: int, *, at: datetime, batch: int = BATCH) -> int | None:
    """Move the next `batch` open clocks of a changed calendar; the last id, or None when all are done.

    Time used stays used, time left counts on the new hours, and what was breached stays breached.
    """
    calendar = Calendar.objects.get(pk=calendar_id)
    conversation_ids: dict[int, int] = dict(
        Clock.objects.filter(OPEN, calendar=calendar, pk__gt=after_id)
        .order_by("pk")
        .values_list("pk", "conversation_id")[:batch]
    )
    if not conversation_ids:
        return None
    with transaction.atomic():
        _lock_conversations(set(conversation_ids.values()))
        clocks = Clock.objects.filter(OPEN, pk__in=conversation_ids, calendar_version__lt=calendar.version)
        for clock in clocks.order_by("pk"):
            if clock.paused_at is None:
                clock.used_seconds, clock.running_since = used(clock, at), at
            clock.calendar_version = calendar.version
            if clock.paused_at is None:
                arm(clock)
            clock.save()
    return max(conversation_ids)


def _lock_conversations(ids: set[int]) -> None:
    conversations = Clock._meta.get_field("conversation").related_model
    list(conversations._default_manager.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))
