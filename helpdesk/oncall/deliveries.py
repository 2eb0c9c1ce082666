"""deliver(): claim the page messages that are due, call the providers side by side, record what came of it.

Claim, call, record: the claim's lease and the record are commits of their own, the call is outside both. Killed in
between, the lease runs out and the message is sent again: twice is better than never, and the providers fold repeats
by dedup key, message id or Message-ID. Each channel goes its own way, so that one that hangs holds up no other.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection

from helpdesk.events.provider_calls import ProviderClients
from helpdesk.oncall import records, sending
from helpdesk.oncall.channels import pagers
from helpdesk.oncall.envelopes import Envelope, envelopes
from helpdesk.oncall.models import Page, PageDelivery
from helpdesk.oncall.pagers import Pager
from helpdesk.oncall.records import Outcome

LEASE = timedelta(seconds=60)
"""Longer than a batch can take: SEND_SECONDS and one call that was begun in the last of them."""
BATCH = 100
# A person's messages are looked at together, so that a burst becomes one digest.
PERSONAL_BATCH = 1000
PERSONAL = ("email", "sms", "voice", "telegram")
CLAIM_SECONDS = 20.0
SEND_SECONDS = 20.0

_TABLE = PageDelivery._meta.db_table
# A follow-up waits for what it follows. So does a call of PagerDuty for an older page of the same key: the resolution
# of the old page, sent after the new page's trigger, would close the new incident. How this is written keeps every
# step an index look-up of one page, even where a burst has made the planner's statistics worthless: scalar subqueries
# cannot be turned into joins, `state || ''` keeps it off the partial index, which then looks small and holds the whole
# burst (a claim of 100 among 1,500 took 340 ms with that, and takes 2), and the array is filled before the update.
_CLAIM = f"""
UPDATE {_TABLE} AS delivery SET due_at = %(lease)s, attempts = delivery.attempts + 1
WHERE delivery.id = ANY (ARRAY(
    SELECT d.id FROM {_TABLE} d
    WHERE d.state = 'pending' AND d.due_at <= %(at)s AND d.channel = %(channel)s
      AND d.id = (SELECT min(older.id) FROM {_TABLE} older
                  WHERE older.page_id = d.page_id AND older.channel = d.channel AND older."to" = d."to"
                    AND older.state || '' = 'pending')
      AND (d.channel <> 'pagerduty' OR d.action <> 'trigger' OR 0 = (
            SELECT count(*) FROM {Page._meta.db_table} earlier
            WHERE earlier.dedup_key = (SELECT mine.dedup_key FROM {Page._meta.db_table} mine WHERE mine.id = d.page_id)
              AND earlier.id + 0 < d.page_id
              AND 0 < (SELECT count(*) FROM {_TABLE} older
                       WHERE older.page_id = earlier.id AND older.channel = d.channel
                         AND older.state || '' = 'pending')))
    ORDER BY d.due_at, d.id LIMIT %(limit)s FOR UPDATE OF d SKIP LOCKED))
RETURNING delivery.id
"""
_DUE_CHANNELS = f"SELECT DISTINCT channel FROM {_TABLE} WHERE state = 'pending' AND due_at <= %s"


@dataclass(frozen=True, slots=True)
class _Clock:
    """`at`, and what has passed since: a lease counts from when it was taken, not from when we began."""

    at: datetime
    began: float

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began

    @property
    def now(self) -> datetime:
        return self.at + timedelta(seconds=self.elapsed)


def deliver(at: datetime, limit: int = 5000) -> int:
    """Send what is due at `at`; how many messages were tried. Takes no new ones after CLAIM_SECONDS."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE_CHANNELS, [at])
        channels = [row[0] for row in cursor.fetchall()]
    if not channels:
        return 0
    # Here, where the database may be asked: an account may be in it.
    ways = pagers()
    tried: int = async_to_sync(_serve_all)(channels, ways, _Clock(at, time.monotonic()), limit)
    return tried


async def _serve_all(channels: Sequence[str], ways: Mapping[str, Pager], clock: _Clock, limit: int) -> int:
    ends = await asyncio.gather(
        *(_serve(channel, ways.get(channel), clock, limit) for channel in channels), return_exceptions=True
    )
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return sum(end for end in ends if isinstance(end, int))


async def _serve(channel: str, pager: Pager | None, clock: _Clock, limit: int) -> int:
    """One channel's messages, batch after batch. The database is asked in the caller's own thread."""
    claimed = 0
    async with ProviderClients(sending.AT_ONCE) as clients:
        while claimed < limit and clock.elapsed < CLAIM_SECONDS:
            batch = await sync_to_async(_claim)(channel, clock.now)
            if not batch:
                break
            claimed += len(batch)
            await _serve_batch(batch, pager, clients, clock)
    return claimed


async def _serve_batch(batch: list[PageDelivery], pager: Pager | None, clients: ProviderClients, clock: _Clock) -> None:
    to_send = await sync_to_async(_sort_out)(batch, clock.now)
    until = time.monotonic() + SEND_SECONDS
    outcomes: list[Outcome] = await sending.send_all(to_send, pager, clients, lambda: time.monotonic() < until)
    await sync_to_async(records.record)(outcomes, clock.now)


def _claim(channel: str, now: datetime) -> list[PageDelivery]:
    limit = PERSONAL_BATCH if channel in PERSONAL else BATCH
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"at": now, "lease": now + LEASE, "channel": channel, "limit": limit})
        ids = [row[0] for row in cursor.fetchall()]
    if not ids:
        return []
    related = (
        "user",
        "page__conversation__customer",
        "page__conversation__organization__plan",
        "page__acknowledged_by",
    )
    found = PageDelivery.objects.select_related(*related).prefetch_related("page__conversation__services")
    return list(found.filter(pk__in=ids).order_by("promised_at", "pk"))


def _sort_out(batch: Sequence[PageDelivery], now: datetime) -> list[Envelope]:
    """Drop what is over, put off what would be too much for one person, wrap up the rest."""
    sorted_out = envelopes(batch, now, personal=batch[0].channel in PERSONAL)
    records.cancel(sorted_out.outdated)
    records.release(sorted_out.too_much, sorted_out.not_before)
    return sorted_out.to_send
