"""Somebody has come to chat, or writes again: who is told of it outside the desk."""

from collections.abc import Sequence
from datetime import datetime

from chat import slack_threads, waiting
from chat.chats import CHANNEL
from chat.models import Chat
from helpdesk.events.handlers import together
from helpdesk.events.models import Event


@together
def tell(events: Sequence[Event], at: datetime) -> None:
    """One handler for both, since it sees every mail as well: what belongs to no chat costs one question a batch."""
    # What opens a conversation says on which channel.
    maybe = [event for event in events if event.data.get("channel", CHANNEL) == CHANNEL]
    numbers = {event.conversation_id for event in maybe}
    chats = set(Chat.objects.filter(pk__in=numbers).values_list("pk", flat=True)) if numbers else set()
    mine = [event for event in maybe if event.conversation_id in chats]
    if mine:
        waiting.page(mine, at)
        slack_threads.follow_all(mine, at)
