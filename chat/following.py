"""What follows in a chat from what happens to its conversation on the desk."""

from datetime import datetime

from chat import chats, handling, silence
from chat.models import Chat
from helpdesk.conversations.models import DONE, Conversation
from helpdesk.customers.models import User
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event


def join(event: Event, at: datetime) -> None:
    """Who takes a live chat, is given it or answers it, is there."""
    if event.conversation_id is None or event.data.get("automatic") or not _is_live(event.conversation_id):
        return
    agent = _agent(event)
    if agent is None:
        return
    if event.kind == "message.written":
        if event.data.get("message") == _last_said(event.conversation_id):
            handling.answered(event.conversation_id, agent, at=event.at)
    else:
        handling.given(event.conversation_id, agent, at=at)


def end(event: Event, at: datetime) -> None:
    """What is resolved is no live chat any more."""
    if event.conversation_id is None or not _is_live(event.conversation_id):
        return
    # Who has written again since is in a live chat again.
    if Conversation.objects.filter(pk=event.conversation_id, status__in=DONE).exists():
        chats.end(event.conversation_id, actor=Actor(event.actor_kind, event.actor_id), at=at)


def _last_said(conversation_id: int) -> int | None:
    last = silence.last_said(conversation_id)
    return None if last is None else last.pk


def _is_live(conversation_id: int) -> bool:
    chats_live = Chat.objects.filter(conversation=conversation_id, mode=Chat.Mode.CHAT)
    return chats_live.exclude(state=Chat.State.ENDED).exists()


def _agent(event: Event) -> User | None:
    number = event.data.get("assignee") if event.kind == "conversation.assigned" else event.actor_id
    return User.objects.filter(pk=number, is_active=True).first() if number else None
