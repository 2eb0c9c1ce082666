"""Telling others what happens: signed, again and again until they say yes, and written down (Standard Webhooks).

A delivery is a row of its own rather than an outbox entry: a receiver that hangs must never keep our customers'
replies waiting. `deliver` claims what is due, calls side by side through the guard, and records; killed in between, the
lease ends and the same bytes go out again under the same `webhook-id`, by which receivers fold repetitions.
Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from helpdesk.customers import audit
from helpdesk.events import webhook_calls
from helpdesk.events.models import Webhook, WebhookDelivery
from helpdesk.events.nudge import nudge
from helpdesk.events.secrets import SecretUnreadable, decrypt, encrypt
from helpdesk.events.webhook_calls import Answer, Call

DELIVER: Final = "helpdesk.events.tasks.deliver_webhooks"
HANDLER: Final = "helpdesk.conversations.telling.tell_webhooks"
TEST_KIND: Final = "webhook.test"
SECRET_BYTES = 32
BACKOFF_SECONDS = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
DISABLED_AFTER = timedelta(days=5)
OLD_SECRET_KEPT = timedelta(hours=24)
KEPT = timedelta(days=30)
LEASE = timedelta(seconds=60)
AT_ONCE = 16
AT_ONCE_A_WEBHOOK = 4
SECONDS = 20.0
_GONE = 410

_CLAIM = f"""
UPDATE {WebhookDelivery._meta.db_table} AS delivery SET due_at = %(lease)s, attempts = delivery.attempts + 1
WHERE delivery.id = ANY(ARRAY(
    SELECT due.id FROM {Webhook._meta.db_table} AS webhook CROSS JOIN LATERAL (
        SELECT id, due_at FROM {WebhookDelivery._meta.db_table}
        WHERE webhook_id = webhook.id AND state = 'pending' AND due_at <= %(at)s
        ORDER BY due_at, id LIMIT {AT_ONCE_A_WEBHOOK} FOR UPDATE SKIP LOCKED) AS due
    WHERE webhook.is_active ORDER BY due.due_at, due.id LIMIT {AT_ONCE}))
RETURNING delivery.id
"""


class NotActive(ValueError):
    """A webhook that is switched off is told nothing: switch it on first."""


class StillWaiting(ValueError):
    """What has not ended yet cannot be sent again."""


def kinds() -> list[str]:
    """The kinds of events a webhook may be told of."""
    return sorted(kind for kind, handlers in settings.EVENT_HANDLERS.items() if HANDLER in handlers)


def number_of(told: WebhookDelivery) -> str:
    """The `webhook-id`: the same for every attempt."""
    return f"msg_{told.message_id.hex}"


def new_secret() -> str:
    """`whsec_` and 256 random bits in base64, as the receivers' libraries take it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def give_secret(webhook: Webhook, *, at: datetime) -> str:
    """A new secret, which is returned once and kept encrypted. The one before signs too for a day. Not saved yet."""
    secret = new_secret()
    if webhook.secret:
        webhook.old_secret, webhook.old_secret_until = webhook.secret, at + OLD_SECRET_KEPT
    webhook.secret = encrypt(secret)
    return secret


def plan(rows: Sequence[WebhookDelivery]) -> int:
    """Have these delivered, each event once a webhook; how many were given. Runs in the caller's transaction."""
    WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True)
    if rows:
        transaction.on_commit(lambda: nudge(DELIVER), robust=True)
    return len(rows)


def delivery(
    webhook: Webhook, kind: str, happened_at: datetime, data: Mapping[str, Any], *, at: datetime, event_id: int | None
) -> WebhookDelivery:
    """A delivery as it will be sent, not saved yet."""
    body = json.dumps({"type": kind, "timestamp": happened_at, "data": dict(data)}, cls=DjangoJSONEncoder)
    return WebhookDelivery(webhook=webhook, event_id=event_id, kind=kind, body=body, created_at=at, due_at=at)


@transaction.atomic
def send_test(webhook: Webhook, *, at: datetime) -> WebhookDelivery:
    """Have a test delivered, to see it arrive. Raises NotActive."""
    if not webhook.is_active:
        raise NotActive("this webhook is switched off")
    test = delivery(webhook, TEST_KIND, at, {"webhook": webhook.pk, "name": webhook.name}, at=at, event_id=None)
    test.save()
    transaction.on_commit(lambda: nudge(DELIVER), robust=True)
    return test


@transaction.atomic
def replay(delivery_id: int, *, at: datetime) -> WebhookDelivery:
    """Send what ended once more, the same bytes under the same id. Raises DoesNotExist, NotActive, StillWaiting."""
    told = WebhookDelivery.objects.select_for_update(of=("self",)).select_related("webhook").get(pk=delivery_id)
    if not told.webhook.is_active:
        raise NotActive("this webhook is switched off")
    if told.state == WebhookDelivery.State.PENDING:
        raise StillWaiting("this delivery is still being tried")
    told.state, told.due_at, told.attempts, told.error = WebhookDelivery.State.PENDING, at, 0, ""
    told.save(update_fields=["state", "due_at", "attempts", "error"])
    transaction.on_commit(lambda: nudge(DELIVER), robust=True)
    return told


def deliver(at: datetime, limit: int = 500) -> int:
    """Send what is due at `at`; how many were tried. Stops when nothing is left, at `limit` or after SECONDS."""
    began, tried = time.monotonic(), 0
    while tried < limit and time.monotonic() - began < SECONDS:
        passed = timedelta(seconds=time.monotonic() - began)
        claimed = _claim(at, at + passed)
        if not claimed:
            break
        calls = [_call(told, at + passed) for told in claimed]
        for told, answer in zip(claimed, webhook_calls.call_all(calls), strict=True):
            _record(told, answer, at)
        tried += len(claimed)
    return tried


def _claim(at: datetime, now: datetime) -> list[WebhookDelivery]:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"at": at, "lease": now + LEASE})
        ids = [row[0] for row in cursor.fetchall()]
    return list(WebhookDelivery.objects.select_related("webhook").filter(pk__in=ids).order_by("pk")) if ids else []


def _call(told: WebhookDelivery, now: datetime) -> Call | Answer:
    """What to send, signed; or, where the secret is lost, why nothing can be."""
    body, number, seconds = told.body.encode(), number_of(told), int(now.timestamp())
    webhook = told.webhook
    kept = [webhook.secret]
    if webhook.old_secret_until is not None and webhook.old_secret_until > now:
        kept.append(webhook.old_secret)
    try:
        signatures = " ".join(signature(decrypt(secret), number, seconds, body) for secret in kept)
    except SecretUnreadable as error:
        return Answer(error=str(error), is_final=True)
    return Call(
        webhook.url,
        body,
        {"webhook-id": number, "webhook-timestamp": str(seconds), "webhook-signature": signatures},
    )


@transaction.atomic
def _record(told: WebhookDelivery, answer: Answer, at: datetime) -> None:
    webhook = Webhook.objects.select_for_update().filter(pk=told.webhook_id).first()
    if webhook is None:
        return  # it was removed meanwhile, and its deliveries with it
    values: dict[str, Any] = {
        "tried_at": at,
        "milliseconds": answer.milliseconds,
        "status": answer.status,
        "response": answer.text,
        "error": answer.error,
        "due_at": None,
    }
    if answer.is_good:
        values["state"] = WebhookDelivery.State.DELIVERED
    elif answer.is_final or told.attempts > len(BACKOFF_SECONDS):
        values["state"] = WebhookDelivery.State.FAILED
    else:
        wait = timedelta(seconds=BACKOFF_SECONDS[told.attempts - 1])
        values["due_at"] = at + max(wait, answer.after or wait)
    WebhookDelivery.objects.filter(pk=told.pk, state=WebhookDelivery.State.PENDING).update(**values)
    _judge(webhook, answer, at)


def _judge(webhook: Webhook, answer: Answer, at: datetime) -> None:
    """What the answer says about the webhook itself."""
    if answer.is_good:
        if webhook.failing_since is not None:
            Webhook.objects.filter(pk=webhook.pk).update(failing_since=None, trouble="")
        return
    if not webhook.is_active:
        return  # it was switched off a moment ago, and says why
    since = webhook.failing_since or at
    Webhook.objects.filter(pk=webhook.pk).update(failing_since=since, trouble=answer.error[:300])
    if answer.status == _GONE:
        switch_off(webhook, "The receiver answered 410: it is gone.", at=at)
    elif at - since >= DISABLED_AFTER:
        switch_off(webhook, f"Every delivery failed for {DISABLED_AFTER.days} days: {answer.error}", at=at)


@transaction.atomic
def switch_off(webhook: Webhook, why: str, *, at: datetime) -> None:
    """Tell it nothing any more, and say why. What waits has failed and can be replayed."""
    if not Webhook.objects.filter(pk=webhook.pk, is_active=True).update(is_active=False, trouble=why[:300]):
        return
    abandon(webhook)
    before, after = {"is_active": True, "trouble": ""}, {"is_active": False, "trouble": why[:300]}
    audit.record(None, "switched_off", webhook, before, after, at=at)


def abandon(webhook: Webhook) -> None:
    """What waits for a webhook that is switched off has failed: days later nobody expects it any more."""
    waiting = WebhookDelivery.objects.filter(webhook=webhook, state=WebhookDelivery.State.PENDING)
    waiting.update(state=WebhookDelivery.State.FAILED, due_at=None, error="the webhook was switched off")


def forget(before: datetime, limit: int = 50_000) -> int:
    """Drop what ended and is older than that, at most `limit` rows at once."""
    old = WebhookDelivery.objects.filter(created_at__lt=before).exclude(state=WebhookDelivery.State.PENDING)
    deleted, _ = WebhookDelivery.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:limit])).delete()
    return deleted
