"""Webhooks are told what happens in conversations, each with the conversation as the API shows it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q

from helpdesk.conversations.models import Message
from helpdesk.conversations.rows import conversation_rows, shown
from helpdesk.conversations.serializers import EventSerializer, MessageSerializer
from helpdesk.customers.models import Team
from helpdesk.events import webhooks
from helpdesk.events.handlers import together
from helpdesk.events.models import Event, Webhook, WebhookDelivery

# Whoever needs all of a longer text asks the API for it.
LONGEST_TEXT = 20_000
_LEFT_OUT = ("html", "full_text")


@together
def tell_webhooks(events: Sequence[Event], at: datetime) -> None:
    """Plan a delivery for every webhook that asked for such events. Private teams' conversations go to those alone that
    an admin lets see them.
    """
    asked = Q()
    for kind in {event.kind for event in events}:
        asked |= Q(kinds__contains=[kind])
    hooks = list(Webhook.objects.filter(asked, is_active=True).order_by("pk"))
    if not hooks:
        return
    data = _data(events)
    private = set(Team.objects.filter(is_private=True).values_list("pk", flat=True))
    planned: list[WebhookDelivery] = []
    for event in events:
        told = data.get(event.pk)
        if told is None:
            continue
        is_private = told["conversation"]["team"] in private
        for hook in hooks:
            if event.kind in hook.kinds and (hook.includes_private or not is_private):
                planned.append(webhooks.delivery(hook, event.kind, event.at, told, at=at, event_id=event.pk))
    webhooks.plan(planned)


def _data(events: Sequence[Event]) -> Mapping[int, dict[str, Any]]:
    """What is told of each event, by its id; nothing of one without a conversation."""
    rows = conversation_rows().filter(pk__in={event.conversation_id for event in events})
    conversations = {row["id"]: shown(row) for row in rows}
    said = Message.objects.select_related("agent", "customer").prefetch_related("attachments")
    messages = said.in_bulk({event.data["message"] for event in events if "message" in event.data})
    return {
        event.pk: _told(event, conversations[event.conversation_id], messages.get(event.data.get("message")))
        for event in events
        if event.conversation_id in conversations
    }


def _told(event: Event, conversation: dict[str, Any], message: Message | None) -> dict[str, Any]:
    told = {"event": {"id": event.pk, **EventSerializer(event).data}, "conversation": conversation}
    if message is not None:
        words = {name: value for name, value in MessageSerializer(message).data.items() if name not in _LEFT_OUT}
        is_cut = len(message.text) > LONGEST_TEXT
        told["message"] = {**words, "text": message.text[:LONGEST_TEXT], "is_cut": is_cut}
    return told
