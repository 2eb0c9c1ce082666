"""Notices that leave as calls: to webhooks, signed as Standard Webhooks say, and to channels of Slack and Telegram.

A receiver may be told twice, where a worker died in between: a webhook folds repetitions by `webhook-id`, which is the
same for every attempt.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

import httpx
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import override

from helpdesk.events import webhook_calls, webhooks
from helpdesk.events.outcomes import Ambiguous, DeliveryError, NeverRetry, RetryLater
from helpdesk.events.provider_calls import post_json, provider_client
from helpdesk.events.secrets import SecretUnreadable, decrypt
from helpdesk.events.webhook_calls import Answer, Call
from helpdesk.oncall.pagers.slack_calls import SlackCalls, escaped
from status import addresses, bounces, concerned, notices, subscriber_links, times, wording
from status.models import IncidentUpdate, Subscriber
from status.notice_letters import Told
from status.notices import Due

AT_ONCE: Final = 16
SUSPENDED_AFTER: Final = timedelta(days=5)
GONE: Final = 410
PUBLISHED: Final = "incident.published"
LONGEST_SLACK: Final = 3_000
LONGEST_TELEGRAM: Final = 4_000  # 4,096 after entities are read: core.telegram.org/bots/api#sendmessage


def call_due(at: datetime, seconds: float) -> int:
    """Call whom it is due to call at `at`; how many were tried."""
    began, tried = time.monotonic(), 0
    for kind in (Subscriber.Kind.WEBHOOK, Subscriber.Kind.SLACK, Subscriber.Kind.TELEGRAM):
        while time.monotonic() - began < seconds:
            now = at + timedelta(seconds=time.monotonic() - began)
            claimed = notices.claim(kind, AT_ONCE, at=at, now=now)
            if not claimed:
                break
            _call_all(kind, claimed, now)
            tried += len(claimed)
    return tried


def _call_all(kind: str, claimed: Sequence[Due], at: datetime) -> None:
    told = notices.told(claimed)
    wanted = []
    for due in claimed:
        if due.status != Subscriber.Status.ACTIVE or (due.update_ids, due.organization_id) not in told:
            notices.drop(due)
        else:
            wanted.append((due, told[due.update_ids, due.organization_id]))
    if kind == Subscriber.Kind.WEBHOOK:
        answers = webhook_calls.call_all([_signed(due, what, at) for due, what in wanted])
        for (due, _what), answer in zip(wanted, answers, strict=True):
            _record_answer(due, answer, at)
    else:
        outcomes = asyncio.run(_post_all(kind, wanted))
        for (due, _what), outcome in zip(wanted, outcomes, strict=True):
            _record_outcome(due, outcome, at)


def _signed(due: Due, told: Told, at: datetime) -> Call | Answer:
    body = json.dumps(payload(due, told), cls=DjangoJSONEncoder).encode()
    return signed(due.address, due.secret, message_id(due.key, told.newest.public_id), body, at=at)


def signed(url: str, secret: str, number: str, body: bytes, *, at: datetime) -> Call | Answer:
    """The call with its three headers; an answer where the secret is lost, and nothing can be signed."""
    seconds = int(at.timestamp())
    try:
        signature = webhooks.signature(decrypt(secret), number, seconds, body)
    except SecretUnreadable as error:
        return Answer(error=str(error), is_final=True)
    headers = {"webhook-id": number, "webhook-timestamp": str(seconds), "webhook-signature": signature}
    return Call(url, body, headers)


def message_id(key: UUID, what: str) -> str:
    """The `webhook-id`: of one subscriber and one thing told, whatever is tried how often."""
    return f"msg_{uuid5(key, what).hex}"


def payload(due: Due, told: Told) -> dict[str, Any]:
    """What a webhook is sent; the incident as in Statuspage's API v2, with what is told of newest first."""
    incident, newest = told.incident, told.newest
    return {
        "type": PUBLISHED,
        "timestamp": newest.published_at,
        "data": {
            "page": {"url": addresses.page_url()},
            "incident": {
                "id": incident.public_id,
                "name": incident.name,
                "status": newest.status,
                "created_at": incident.created_at,
                "updated_at": incident.updated_at,
                "impact": incident.shown_impact,
                "shortlink": concerned.incident_url(incident.pk, incident.public_id),
                "started_at": incident.started_at,
                "monitoring_at": incident.monitoring_at,
                "resolved_at": incident.resolved_at,
                "scheduled_for": incident.scheduled_for,
                "scheduled_until": incident.scheduled_until,
                "incident_updates": [_update(one, incident.public_id) for one in reversed(told.updates)],
                "components": [{"id": one.id, "name": one.name, "status": one.state} for one in told.components],
            },
            "meta": {"unsubscribe": subscriber_links.unsubscribe_url(due.key)},
        },
    }


def _update(update: IncidentUpdate, incident_id: str) -> Mapping[str, Any]:
    return {
        "id": update.public_id,
        "status": update.status,
        "body": update.body,
        "incident_id": incident_id,
        "created_at": update.created_at,
        "updated_at": update.updated_at,
        "display_at": update.display_at,
        "is_reminder": update.is_reminder,
    }


def _record_answer(due: Due, answer: Answer, at: datetime) -> None:
    if answer.is_good:
        notices.hand_over(due, at=at, has_left=True)
        _counted(due, has_left=True)
        Subscriber.objects.filter(pk=due.subscriber_id, failing_since__isnull=False).update(
            failing_since=None, trouble=""
        )
        return
    if answer.is_final or not notices.retry(due, answer.error, after=answer.after, at=at):
        notices.fail(due, answer.error)
        _counted(due, has_left=False)
    _judge(due, answer, at)


def _judge(due: Due, answer: Answer, at: datetime) -> None:
    """What the answer says about the receiver itself."""
    subscriber = Subscriber.objects.get(pk=due.subscriber_id)
    since = subscriber.failing_since or at
    Subscriber.objects.filter(pk=subscriber.pk).update(failing_since=since, trouble=answer.error[:300])
    if answer.status == GONE or at - since >= SUSPENDED_AFTER:
        bounces.suspend(subscriber, answer.error, at=at)


async def _post_all(kind: str, wanted: Sequence[tuple[Due, Told]]) -> list[DeliveryError | None]:
    async with provider_client() as client:
        # One after the other: both take about one message a second.
        return [await _post(client, kind, due, told) for due, told in wanted]


async def _post(client: httpx.AsyncClient, kind: str, due: Due, told: Told) -> DeliveryError | None:
    try:
        if kind == Subscriber.Kind.SLACK:
            slack = SlackCalls(settings.SLACK_BOT_TOKEN, settings.SLACK_BASE_URL)
            said = escaped(text(told, due.language, LONGEST_SLACK))
            await slack.post(client, "chat.postMessage", {"channel": due.address, "text": said, "unfurl_links": False})
        else:
            await _telegram(client, due.address, text(told, due.language, LONGEST_TELEGRAM))
    except DeliveryError as error:
        return error
    return None


async def _telegram(client: httpx.AsyncClient, chat: str, said: str) -> None:
    """https://core.telegram.org/bots/api#sendmessage; without a parse mode nothing in the text is markup."""
    token = settings.TELEGRAM_BOT_TOKEN
    url = f"{settings.TELEGRAM_BASE_URL.rstrip('/')}/bot{token}/sendMessage"
    answer = await post_json(client, url, {"chat_id": chat, "text": said, "disable_web_page_preview": True})
    if answer.status == 200 and answer.json().get("ok") is True:
        return
    reason = f"Telegram answered {answer.status}: {answer.excerpt()}".replace(token, "***")
    if answer.status == 429:
        parameters = answer.json().get("parameters")
        asked = parameters.get("retry_after") if isinstance(parameters, dict) else None
        raise RetryLater(reason, timedelta(seconds=min(asked, 900)) if isinstance(asked, int) else None)
    raise Ambiguous(reason) if answer.status >= 500 else NeverRetry(reason)


def text(told: Told, language: str, most: int) -> str:
    """The update in plain words, its link at the end, in at most so many characters."""
    with override(language):
        head = f"{wording.status(told.newest.status)}: {told.incident.name}"
        when = times.window(told.incident, told.zone)
        parts = "\n".join(f"{part.name}: {wording.state(part.state)}" for part in told.components[:20])
    url = concerned.incident_url(told.incident.pk, told.incident.public_id)
    said = "\n\n".join(one.body for one in reversed(told.updates))
    room = max(most - len(head) - len(when) - len(parts) - len(url) - 10, 0)
    said = said if len(said) <= room else said[: max(room - 1, 0)].rstrip() + "…"
    return "\n\n".join(filter(None, (head, when, said, parts, url)))[:most]


def _record_outcome(due: Due, outcome: DeliveryError | None, at: datetime) -> None:
    if outcome is None:
        notices.hand_over(due, at=at, has_left=True)
        _counted(due, has_left=True)
        return
    may_again = isinstance(outcome, RetryLater)
    if may_again and notices.retry(due, outcome.reason, after=getattr(outcome, "after", None), at=at):
        return
    notices.fail(due, outcome.reason)
    _counted(due, has_left=False)
    Subscriber.objects.filter(pk=due.subscriber_id).update(trouble=outcome.reason[:300])


def _counted(due: Due, *, has_left: bool) -> None:
    notices.count(dict.fromkeys(due.update_ids, (1, 0) if has_left else (0, 1)))
