"""deliver(): claim the page messages that are due, call the providers side by side, record what came of it.

Claim, call, record: the claim's lease and the record are commits of their own, the call is outside both. Killed in
between, the lease runs out and the message is sent again: twice is better than never, and the providers fold repeats
by dedup key, message id or Message-ID.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import httpx
from asgiref.sync import async_to_sync
from django.db import connection, transaction

from helpdesk.oncall import notices
from helpdesk.oncall.channels import pagers
from helpdesk.oncall.models import Page, PageDelivery
from helpdesk.oncall.pagers import Notice, Pager
from helpdesk.events.outcomes import Ambiguous, DeliveryError, NeverRetry, RetryLater

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=45)
BATCH = 100
AT_ONCE = 25
MAX_ATTEMPTS = 30
BACKOFF_SECONDS = (5, 15, 30, 60, 60, 120, 300)
# More than this many messages for one person at once become a digest that names them all.
DIGEST_ABOVE = 3
PERSONAL = ("email",)

_TABLE = PageDelivery._meta.db_table
_CLAIM = f"""
UPDATE {_TABLE} AS delivery SET due_at = %(lease)s, attempts = delivery.attempts + 1
WHERE delivery.id IN (
    SELECT d.id FROM {_TABLE} d
    WHERE d.state = 'pending' AND d.due_at <= %(at)s
      AND NOT EXISTS (SELECT 1 FROM {_TABLE} older WHERE older.page_id = d.page_id AND older.channel = d.channel
                      AND older."to" = d."to" AND older.id < d.id AND older.state = 'pending')
    ORDER BY d.due_at, d.id LIMIT %(limit)s FOR UPDATE OF d SKIP LOCKED)
RETURNING delivery.id
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery: the provider's id, or an error."""

    delivery: PageDelivery
    provider_ref: str = ""
    error: DeliveryError | None = None


def deliver(at: datetime, limit: int = 5000) -> int:
    """Send what is due at `at`; how many messages were tried."""
    tried = 0
    while tried < limit:
        batch = _claim(at)
        if not batch:
            break
        tried += len(batch)
        outdated = [d for d in batch if _is_outdated(d)]
        PageDelivery.objects.filter(pk__in=[d.pk for d in outdated]).update(state=PageDelivery.State.CANCELLED)
        current = [d for d in batch if not _is_outdated(d)]
        if current:
            _record(async_to_sync(_send_all)(_envelopes(current, at), pagers()), at)
    return tried


def _claim(at: datetime) -> list[PageDelivery]:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"at": at, "lease": at + LEASE, "limit": BATCH})
        ids = [row[0] for row in cursor.fetchall()]
    if not ids:
        return []
    related = ("user", "page__conversation__customer", "page__conversation__organization__plan", "page__acknowledged_by")
    return list(PageDelivery.objects.select_related(*related).filter(pk__in=ids).order_by("promised_at", "pk"))


def _is_outdated(delivery: PageDelivery) -> bool:
    """A call for a page that somebody answered meanwhile."""
    return delivery.action == PageDelivery.Action.TRIGGER and delivery.page.state != Page.State.TRIGGERED


def _envelopes(batch: Sequence[PageDelivery], at: datetime) -> list[tuple[list[PageDelivery], Notice]]:
    """What to send for which deliveries: mostly one each; a burst for one person becomes a digest."""
    references = _references(batch)
    envelopes: list[tuple[list[PageDelivery], Notice]] = []
    bursts: dict[tuple[str, str], list[PageDelivery]] = defaultdict(list)
    for delivery in batch:
        if delivery.channel in PERSONAL and delivery.action == PageDelivery.Action.TRIGGER:
            bursts[delivery.channel, delivery.to].append(delivery)
        else:
            reference = references.get((delivery.page_id, delivery.channel, delivery.to), "")
            envelopes.append(([delivery], notices.notice(delivery, at, reference)))
    for burst in bursts.values():
        if len(burst) > DIGEST_ABOVE:
            envelopes.append((burst, notices.digest(burst, at)))
        else:
            envelopes += [([delivery], notices.notice(delivery, at)) for delivery in burst]
    return envelopes


def _references(batch: Sequence[PageDelivery]) -> dict[tuple[int, str, str], str]:
    """The provider's id of the message each follow-up changes."""
    pages = [d.page_id for d in batch if d.action != PageDelivery.Action.TRIGGER]
    if not pages:
        return {}
    sent = PageDelivery.objects.filter(page_id__in=pages, state="sent").exclude(provider_ref="").order_by("pk")
    return {(d.page_id, d.channel, d.to): d.provider_ref for d in sent}


async def _send_all(envelopes: list[tuple[list[PageDelivery], Notice]], ways: dict[str, Pager]) -> list[Outcome]:
    gate = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(follow_redirects=False, trust_env=False) as client:

        async def send(deliveries: list[PageDelivery], notice: Notice) -> list[Outcome]:
            async with gate:
                ref, error = await _send_one(ways.get(deliveries[0].channel), client, notice)
            return [Outcome(delivery, ref, error) for delivery in deliveries]

        results = await asyncio.gather(*(send(deliveries, notice) for deliveries, notice in envelopes))
    return [outcome for outcomes in results for outcome in outcomes]


async def _send_one(pager: Pager | None, client: httpx.AsyncClient, notice: Notice) -> tuple[str, DeliveryError | None]:
    if pager is None:
        return "", NeverRetry("this channel is not configured")
    try:
        return await pager.send(client, replace(notice)), None
    except DeliveryError as error:
        return "", error
    except Exception as error:
        logger.exception("pager %s failed on page %s", pager.name, notice.page_id)
        return "", RetryLater(f"{error.__class__.__name__}: {error}")


@transaction.atomic
def _record(outcomes: Sequence[Outcome], at: datetime) -> None:
    sent = [o for o in outcomes if o.error is None]
    for outcome in sent:
        outcome.delivery.state, outcome.delivery.sent_at = PageDelivery.State.SENT, at
        outcome.delivery.provider_ref, outcome.delivery.error = outcome.provider_ref[:200], ""
    for outcome in outcomes:
        if outcome.error is not None:
            _record_error(outcome.delivery, outcome.error, at)
    PageDelivery.objects.bulk_update(
        [o.delivery for o in outcomes], ["state", "sent_at", "provider_ref", "error", "due_at"]
    )
    _hold_back(outcomes, at)


def _record_error(delivery: PageDelivery, error: DeliveryError, at: datetime) -> None:
    delivery.error = str(error)[:2000]
    permanent = isinstance(error, NeverRetry) or delivery.attempts >= MAX_ATTEMPTS
    if permanent:
        delivery.state = PageDelivery.State.FAILED
        logger.error("page %s did not reach %s: %s", delivery.page_id, delivery.channel, error)
        _fall_back(delivery, at)
        return
    wait = timedelta(seconds=BACKOFF_SECONDS[min(delivery.attempts, len(BACKOFF_SECONDS)) - 1])
    if isinstance(error, RetryLater) and error.after is not None:
        wait = error.after
    elif isinstance(error, Ambiguous):
        wait = timedelta(seconds=BACKOFF_SECONDS[0])
    delivery.due_at = at + wait


def _fall_back(delivery: PageDelivery, at: datetime) -> None:
    """The same person by mail, when a way to them is shut for good."""
    if delivery.user is None or delivery.action != PageDelivery.Action.TRIGGER or delivery.to == delivery.user.email:
        return
    PageDelivery.objects.bulk_create(
        [
            PageDelivery(
                page_id=delivery.page_id,
                user=delivery.user,
                channel="email",
                to=delivery.user.email,
                action=delivery.action,
                round=delivery.round,
                promised_at=delivery.promised_at,
                due_at=at,
            )
        ],
        ignore_conflicts=True,
    )


def _hold_back(outcomes: Sequence[Outcome], at: datetime) -> None:
    """A provider that said "too many" is left alone by all messages to that address, not by the one it refused."""
    for outcome in outcomes:
        error = outcome.error
        if isinstance(error, RetryLater) and error.after is not None:
            waiting = PageDelivery.objects.filter(
                state=PageDelivery.State.PENDING, channel=outcome.delivery.channel, to=outcome.delivery.to
            )
            waiting.filter(due_at__lt=at + error.after).update(due_at=at + error.after)
