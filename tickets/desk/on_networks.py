"""What the desk knows of conversations on social networks: asked of whoever is there, which no room of ours imports
(settings.NETWORK_DESK).
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from helpdesk.conversations.models import Message
from helpdesk.customers.models import User

Marks = Mapping[str, Any]


def is_one(channel: str) -> bool:
    """Whether a channel is a network."""
    return channel in settings.SOCIAL_NETWORKS


def pane(conversation_id: int, channel: str, user: User, at: datetime) -> object | None:
    """How a conversation stands there, as `NETWORK_DESK["pane"]` says it; None where it is on no network."""
    if not is_one(channel):
        return None
    found: object | None = import_string(settings.NETWORK_DESK["pane"])(conversation_id, user, at)
    return found


def marks(ids: Collection[int]) -> Mapping[int, Marks]:
    """What belongs to messages there: edited, deleted, covered. Without those that are on no network."""
    found: Mapping[int, Marks] = import_string(settings.NETWORK_DESK["messages"])(ids) if ids else {}
    return found


def answer(conversation_id: int, user: User, text: str, **given: Any) -> Message | None:
    """Answer there; None where it waits for a second person. Raises conversations.Refused, and what
    `conversations.reply` raises.
    """
    said: Message | None = import_string(settings.NETWORK_DESK["answer"])(conversation_id, user, text, **given)
    return said
