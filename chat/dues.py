"""What is to happen to a chat at a time; CHAT_DUES names what does each kind, a function of (chat, at)."""

from chat.models import Chat, ChatDue
from helpdesk.conversations.incoming import lock
from helpdesk.events.dues import Dues


def _locked(conversation_id: int) -> Chat:
    """The chat, its conversation's row locked."""
    conversation = lock(conversation_id)
    chat = Chat.objects.select_related("widget", "visit").get(pk=conversation_id)
    chat.conversation = conversation
    return chat


_dues = Dues(ChatDue, "chat", "CHAT_DUES", _locked)
plan, sweep = _dues.plan, _dues.sweep


def drop(conversation_id: int, *kinds: str) -> None:
    """They have become needless."""
    _dues.drop(conversation_id, kinds)
