"""Each live chat is a thread in Slack: begun when it comes in, followed by what is said there.

A row a chat says what is due; a sweep of its own claims it, calls, records. So a Slack that hangs or is away delays no
chat, no mail and no page. What was told is remembered by the number of the event (`told_upto`); a call whose end is not
known is looked for in Slack before it is repeated.
"""

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from chat import slack_posts
from chat.models import Chat, SlackThread, Widget
from chat.slack_words import Card, Happened, first, fitting, following
from helpdesk.conversations.answers import FORWARD
from helpdesk.conversations.models import Attachment, Message
from helpdesk.customers.models import Customer, User
from helpdesk.events.handlers import together
from helpdesk.events.models import Event
from helpdesk.events.nudge import nudge
from helpdesk.events.outcomes import Ambiguous, DeliveryError, NeverRetry, RetryLater

logger = logging.getLogger(__name__)

TELL: Final = "chat.tasks.tell_slack"
FROM_SLACK: Final = "From Slack"
# What follows the first message waits so long for more: Slack takes one message a second and channel.
GATHER: Final = timedelta(seconds=3)
LEASE: Final = timedelta(seconds=60)
SECONDS: Final = 20.0
BACKOFF_SECONDS: Final = (5, 15, 30, 60, 300, 900)
MOST_ATTEMPTS: Final = 30
MOST_TOLD: Final = 50
KINDS: Final = (
    *("conversation.opened", "message.received", "message.written"),
    *("chat.joined", "chat.ended", "chat.converted", "chat.left", "chat.returned"),
)

_DUE = f"""
INSERT INTO {SlackThread._meta.db_table} AS thread (chat_id, channel, ts, told_upto, due_at, attempts, error)
VALUES (%s, '', '', 0, %s, 0, '')
ON CONFLICT (chat_id) DO UPDATE SET due_at = coalesce(thread.due_at, excluded.due_at + make_interval(secs => %s))
"""
_CLAIM = f"""
UPDATE {SlackThread._meta.db_table} SET due_at = %(lease)s, attempts = attempts + 1
WHERE chat_id = (SELECT chat_id FROM {SlackThread._meta.db_table} WHERE due_at <= %(at)s ORDER BY due_at
                 LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING chat_id
"""
_TO_TELL = f"""
SELECT event.seq, event.kind, event.actor_kind, coalesce(agent.name, ''),
       coalesce(nullif(customer.name, ''), customer.email, ''), message.text, message.kind,
       coalesce(message.remark, ''),
       array(SELECT name FROM {Attachment._meta.db_table} AS file WHERE file.message_id = message.id ORDER BY file.id)
FROM {Event._meta.db_table} AS event
LEFT JOIN {Message._meta.db_table} AS message ON message.conversation_id = event.conversation_id
    AND message.kind <> 'note' AND message.via <> '{FORWARD}' AND message.id = CASE
        WHEN jsonb_typeof(event.data -> 'message') = 'number' THEN (event.data ->> 'message')::bigint END
LEFT JOIN {User._meta.db_table} AS agent ON agent.id = coalesce(message.agent_id, event.actor_id)
LEFT JOIN {Customer._meta.db_table} AS customer ON customer.id = message.customer_id
WHERE event.conversation_id = %s AND event.seq > %s AND event.kind = ANY(%s)
    AND (event.kind LIKE 'chat.%%' OR message.id IS NOT NULL)
ORDER BY event.seq LIMIT {MOST_TOLD}
"""


def is_configured() -> bool:
    return bool(settings.SLACK_BOT_TOKEN and settings.SLACK_CHANNEL)


@together
def follow(events: Sequence[Event], at: datetime) -> None:
    """The handler of what agents do in a chat."""
    follow_all(events, at)


def follow_all(events: Sequence[Event], at: datetime) -> None:
    """Something happened that Slack is told of: begin the live chat's thread, or let it follow. Chats of private teams
    are not for a channel that everybody reads.
    """
    if not is_configured():
        return
    chats = Chat.objects.select_related("conversation__team", "slack_thread").in_bulk(
        {event.conversation_id for event in events if event.conversation_id is not None}
    )
    for event in events:
        chat = chats.get(event.conversation_id)
        if chat is None or not may_follow(chat):
            continue
        if chat.mode == Chat.Mode.CHAT or hasattr(chat, "slack_thread"):
            with connection.cursor() as cursor:
                cursor.execute(_DUE, [chat.pk, event.at, GATHER.total_seconds()])
            transaction.on_commit(partial(nudge, TELL), robust=True)


def may_follow(chat: Chat) -> bool:
    """Everybody in the channel reads it: chats of private teams are not for them."""
    return chat.conversation.team is None or not chat.conversation.team.is_private


def trouble(widget: Widget) -> str:
    """Why Slack was not told of the widget's latest chat that it should have been told of; empty where it was."""
    latest = SlackThread.objects.filter(chat__widget=widget).order_by("-chat_id").values_list("error", flat=True)
    return latest.first() or ""


def sweep(at: datetime) -> int:
    """Tell Slack what is due; how many threads were looked at. Stops when Slack does not answer or says to wait."""
    if not is_configured():
        return 0
    began, told = time.monotonic(), 0
    while time.monotonic() - began < SECONDS:
        now = at + timedelta(seconds=time.monotonic() - began)
        thread = _claim(at, now + LEASE)
        if thread is None:
            break
        told += 1
        if not _tell(thread, now):
            break
    return told


def _claim(at: datetime, lease: datetime) -> SlackThread | None:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"at": at, "lease": lease})
        row = cursor.fetchone()
    related = ("chat__conversation__customer__organization__plan", "chat__visit", "chat__widget")
    return SlackThread.objects.select_related(*related).get(pk=row[0]) if row else None


def _tell(thread: SlackThread, now: datetime) -> bool:
    """One message; whether Slack can be called on."""
    happened = fitting(_to_tell(thread))
    if not happened:
        _record(thread, now, told_upto=thread.told_upto)
        return True
    since = thread.trying_since
    if since is None:
        SlackThread.objects.filter(pk=thread.pk).update(trying_since=now)
    try:
        posted = async_to_sync(slack_posts.post)(thread, _content(thread, happened), happened[-1].seq, since)
    except DeliveryError as error:
        return _failed(thread, error, now)
    _record(thread, now, told_upto=posted.upto, channel=posted.channel, ts=posted.ts)
    return True


def _content(thread: SlackThread, happened: Sequence[Happened]) -> dict[str, Any]:
    return following(happened) if thread.ts else first(_card(thread.chat), happened)


def _to_tell(thread: SlackThread) -> list[Happened]:
    with connection.cursor() as cursor:
        cursor.execute(_TO_TELL, [thread.pk, thread.told_upto, list(KINDS)])
        rows = cursor.fetchall()
    return [_happened(*row) for row in rows]


def _happened(
    seq: int, kind: str, actor: str, agent: str, customer: str, text: str, said: str, remark: str, files: list[str]
) -> Happened:
    is_inbound = said == Message.Kind.INBOUND
    by_house = {"customer": "the customer", "system": "the helpdesk"}.get(actor, "")
    who = customer if is_inbound else agent or by_house
    return Happened(seq, kind, who, text or "", files, is_inbound, from_slack=remark.startswith(FROM_SLACK))


def _card(chat: Chat) -> Card:
    conversation = chat.conversation
    customer, organization = conversation.customer, conversation.customer.organization
    return Card(
        number=conversation.number,
        customer=customer.name or customer.email or "A visitor",
        organization=organization.name if organization else "",
        plan=organization.plan.name if organization else "",
        is_verified=chat.is_verified,
        page=chat.visit.page_url if chat.visit and chat.widget.sees_pages else "",
        url=f"{settings.PUBLIC_URL}{reverse('tickets:conversation', args=[conversation.pk])}",
    )


@transaction.atomic
def _record(thread: SlackThread, now: datetime, *, told_upto: int, channel: str = "", ts: str = "") -> None:
    """It stands there. What came meanwhile is due a little later: `follow` left the row alone while it was ours."""
    held = SlackThread.objects.select_for_update().get(pk=thread.pk)
    held.told_upto, held.attempts, held.error, held.trying_since = told_upto, 0, "", None
    if ts and not held.ts:
        held.channel, held.ts = channel[:40], ts[:40]
    held.due_at = now + timedelta(seconds=1) if _to_tell(held) else None
    held.save()


def _failed(thread: SlackThread, error: DeliveryError, now: datetime) -> bool:
    logger.warning("Slack was not told of chat %s: %s", thread.pk, error)
    told: dict[str, Any] = {"error": str(error)[:300]}
    if not isinstance(error, Ambiguous):
        told["trying_since"] = None
    if isinstance(error, NeverRetry) or thread.attempts >= MOST_ATTEMPTS:
        # The next thing that happens in the chat tries anew.
        SlackThread.objects.filter(pk=thread.pk).update(due_at=None, attempts=0, **told)
        return True
    wait = timedelta(seconds=BACKOFF_SECONDS[min(thread.attempts, len(BACKOFF_SECONDS)) - 1])
    after = error.after if isinstance(error, RetryLater) else None
    SlackThread.objects.filter(pk=thread.pk).update(due_at=now + (after or wait), **told)
    if after is not None:
        # Slack counts by channel and by app: the others wait as well.
        SlackThread.objects.filter(due_at__lt=now + after).update(due_at=now + after)
    return False
