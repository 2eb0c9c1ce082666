"""What the desk knows of chats that are held live: asked of whoever holds them, which no room of ours imports
(settings.LIVE_DESK).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import User
from tickets.desk.notices import LIVE_CHANNELS

Chat = Mapping[str, Any]


def of(conversation_id: int, channel: str, user: User, at: datetime) -> Chat | None:
    """How a conversation's chat stands for this agent, as `LIVE_DESK["chat"]` says it; None where it is no chat."""
    if channel not in LIVE_CHANNELS:
        return None
    found: Chat | None = import_string(settings.LIVE_DESK["chat"])(conversation_id, user, at)
    return found


def is_live(conversation: Conversation, user: User, at: datetime) -> bool:
    """Whether it is held live now: what is written arrives at once."""
    found = of(conversation.pk, conversation.channel, user, at)
    return found is not None and bool(found["is_live"])


def answered(conversation_id: int, user: User, *, at: datetime) -> None:
    """Whoever answers in a live chat is there. Call it in the transaction of the answer."""
    import_string(settings.LIVE_DESK["answered"])(conversation_id, user, at=at)
