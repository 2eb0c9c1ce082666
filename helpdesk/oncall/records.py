"""Writing down what became of deliveries. Rows are locked in the order of their ids, so that nothing can deadlock."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from helpdesk.events.outcomes import DeliveryError, NeverRetry, RetryLater
from helpdesk.events.safe_text import storable
from helpdesk.oncall.models import PageDelivery

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 30
BACKOFF_SECONDS = (5, 15, 30, 60, 60, 120, 300)
UNTRIED_WAITS = timedelta(seconds=BACKOFF_SECONDS[0])

_TABLE = PageDelivery._meta.db_table
# A message that left is sent, whoever else holds or dropped the row meanwhile; a failure only counts for who still
# holds the lease: another one may have taken the row after ours ran out.
_RECORD = f"""
WITH result AS (
    SELECT * FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::timestamptz[],
                         %s::int[], %s::int[])
        AS r(id, state, sent_at, provider_ref, error, due_at, claimed, attempts)
), locked AS (
    SELECT id FROM {_TABLE} WHERE id IN (SELECT id FROM result) ORDER BY id FOR NO KEY UPDATE
)
UPDATE {_TABLE} AS d SET state = r.state, sent_at = r.sent_at, provider_ref = r.provider_ref, error = r.error,
    due_at = coalesce(r.due_at, d.due_at), attempts = r.attempts
FROM result r JOIN locked ON locked.id = r.id
WHERE d.id = r.id AND d.state <> 'sent' AND (r.state = 'sent' OR (d.state = 'pending' AND d.attempts = r.claimed))
"""
_HOLD_BACK = f"""
UPDATE {_TABLE} SET due_at = %(until)s WHERE id IN (
    SELECT id FROM {_TABLE} WHERE state = 'pending' AND channel = %(channel)s AND "to" = %(to)s AND due_at < %(until)s
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
"""
_MINE = f"SELECT id FROM {_TABLE} WHERE id = ANY(%(ids)s) AND state = 'pending' ORDER BY id FOR NO KEY UPDATE"
_CANCEL = f"UPDATE {_TABLE} SET state = 'cancelled' WHERE id IN ({_MINE})"
_RELEASE = f"UPDATE {_TABLE} SET due_at = %(until)s, attempts = attempts - 1 WHERE id IN ({_MINE})"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery: the provider's id, or an error. Untried ones give their attempt back.

    `remark` is kept with a delivery that was sent, where its error would be.
    """

    delivery: PageDelivery
    provider_ref: str = ""
    error: DeliveryError | None = None
    tried: bool = True
    remark: str = ""

    @property
    def is_final_failure(self) -> bool:
        return (
            self.error is not None
            and self.tried
            and (isinstance(self.error, NeverRetry) or self.delivery.attempts >= MAX_ATTEMPTS)
        )


def record(outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write the outcomes of one channel's batch; the failed ones get another time, or another way."""
    if not outcomes:
        return
    with transaction.atomic():
        _write(outcomes, now)
        fall_back([o for o in outcomes if o.is_final_failure], now)
    _hold_back(outcomes, now)


def _write(outcomes: Sequence[Outcome], now: datetime) -> None:
    rows = [_row(outcome, now) for outcome in outcomes]
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, [list(column) for column in zip(*rows, strict=True)])


def _row(outcome: Outcome, now: datetime) -> tuple[object, ...]:
    delivery, error = outcome.delivery, outcome.error
    claimed = delivery.attempts
    if error is None:
        reference, remark = storable(outcome.provider_ref, 200), storable(outcome.remark, 2000)
        return delivery.pk, PageDelivery.State.SENT.value, now, reference, remark, None, claimed, claimed
    state = PageDelivery.State.FAILED if outcome.is_final_failure else PageDelivery.State.PENDING
    due_at = None if outcome.is_final_failure else now + _wait(outcome)
    attempts = claimed if outcome.tried else claimed - 1
    text = storable(str(error), 2000)
    return delivery.pk, state.value, None, delivery.provider_ref, text, due_at, claimed, attempts


def _wait(outcome: Outcome) -> timedelta:
    if isinstance(outcome.error, RetryLater) and outcome.error.after is not None:
        return outcome.error.after
    if not outcome.tried:
        return UNTRIED_WAITS
    return timedelta(seconds=BACKOFF_SECONDS[min(outcome.delivery.attempts, len(BACKOFF_SECONDS)) - 1])


def fall_back(failed: Sequence[Outcome], now: datetime) -> None:
    """The same people by mail, when a way to them is shut for good: of a shared channel, those the page called."""
    instead: list[PageDelivery] = []
    for outcome in failed:
        delivery = outcome.delivery
        logger.error("page %s did not reach %s: %s", delivery.page_id, delivery.channel, outcome.error)
        if delivery.action != PageDelivery.Action.TRIGGER:
            continue
        for user_id, email in _people(delivery):
            if (delivery.channel, delivery.to) != ("email", email):
                instead.append(
                    PageDelivery(
                        page_id=delivery.page_id,
                        user_id=user_id,
                        channel="email",
                        to=email,
                        action=delivery.action,
                        round=delivery.round,
                        promised_at=delivery.promised_at,
                        due_at=now,
                    )
                )
    PageDelivery.objects.bulk_create(instead, ignore_conflicts=True)


def _people(delivery: PageDelivery) -> set[tuple[int, str]]:
    if delivery.user is not None:
        return {(delivery.user.pk, delivery.user.email)}
    called = PageDelivery.objects.filter(page_id=delivery.page_id, round=delivery.round, user__is_active=True)
    return set(called.values_list("user_id", "user__email"))


def _hold_back(outcomes: Sequence[Outcome], now: datetime) -> None:
    """A provider that said "too many" is left alone by all messages to that address, not by the one it refused."""
    until: dict[tuple[str, str], datetime] = {}
    for outcome in outcomes:
        if isinstance(outcome.error, RetryLater) and outcome.error.after is not None:
            until[outcome.delivery.channel, outcome.delivery.to] = now + outcome.error.after
    with connection.cursor() as cursor:
        for (channel, to), moment in until.items():
            cursor.execute(_HOLD_BACK, {"until": moment, "channel": channel, "to": to})


def cancel(deliveries: Sequence[PageDelivery]) -> None:
    """They say nothing any more."""
    if deliveries:
        with connection.cursor() as cursor:
            cursor.execute(_CANCEL, {"ids": [delivery.pk for delivery in deliveries]})


def release(deliveries: Sequence[PageDelivery], not_before: Mapping[str, datetime]) -> None:
    """Give claimed deliveries back untried, each until its address may be written to again."""
    with connection.cursor() as cursor:
        for to, moment in not_before.items():
            ids = [delivery.pk for delivery in deliveries if delivery.to == to]
            cursor.execute(_RELEASE, {"until": moment, "ids": ids})
