"""Who waits in a chat during office hours pages the engineer on call, until somebody is there.

While the office is closed `helpdesk.conversations.receivers.page_outside_hours` decides, and never both: the hour of
the event is asked, and a conversation has one open page.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from chat import slack_threads
from chat.models import Chat
from helpdesk.conversations import promises
from helpdesk.events.models import Event
from helpdesk.oncall import paging
from helpdesk.oncall.models import Page, Urgency

REASON: Final = "chat_waits"


def page(events: Sequence[Event], at: datetime) -> None:
    """Somebody has come to chat, or writes again while nobody is there yet."""
    asked = [
        event for event in events if not event.data.get("automatic") and not promises.is_outside_office_hours(event.at)
    ]
    related = ("conversation__customer", "conversation__organization", "conversation__team__escalation_policy")
    waiting = (
        Chat.objects.select_related(*related)
        .filter(state=Chat.State.WAITING, mode=Chat.Mode.CHAT)
        .in_bulk({event.conversation_id for event in asked if event.conversation_id is not None})
    )
    alarms = {
        event.conversation_id: _alarm(waiting[event.conversation_id])
        for event in asked
        if event.conversation_id in waiting
    }
    paging.trigger_all(list(alarms.values()), at=at)


def stop(event: Event, at: datetime) -> None:
    """Nobody waits there any more. What else the page is for goes on; but who has left cannot be answered in time by
    anybody who is woken now.
    """
    if event.conversation_id is None:
        return
    key = paging.conversation_key(event.conversation_id)
    open_page = Page.objects.filter(dedup_key=key).exclude(state=Page.State.RESOLVED).first()
    over = {REASON, *promises.ANSWERS} if event.kind == "chat.left" else {REASON}
    if open_page is not None and {reason["kind"] for reason in open_page.reasons} <= over:
        paging.resolve(open_page.pk, at=at, user=event.actor, why=event.kind)


def _alarm(chat: Chat) -> paging.Alarm:
    conversation = chat.conversation
    organization = f" ({conversation.organization.name})" if conversation.organization else ""
    who = f"{conversation.customer}{organization}"
    return paging.Alarm(
        dedup_key=paging.conversation_key(chat.pk),
        reason=paging.Reason(REASON, f"{who} waits in a chat", _waits_since(chat), told_in=_told_in(chat)),
        urgency=Urgency.HIGH,
        summary=f"#{conversation.number} {conversation.subject or conversation.preview[:80]} — {who}",
        conversation_id=chat.pk,
        policy=conversation.team.escalation_policy if conversation.team else None,
    )


def _told_in(chat: Chat) -> tuple[str, ...]:
    """Slack, where a thread begins for this chat: one message is enough."""
    return ("slack",) if slack_threads.is_configured() and slack_threads.may_follow(chat) else ()


def _waits_since(chat: Chat) -> datetime:
    """When the visitor wrote first since the last time it was over: the same reason however often they write."""
    over = chat.conversation.events.filter(kind="chat.ended").order_by("-seq").values_list("seq", flat=True).first()
    said = chat.conversation.events.filter(kind__in=("conversation.opened", "message.received"), seq__gt=over or 0)
    return said.order_by("seq").values_list("at", flat=True).first() or chat.started_at
