"""What other rooms offer in the desk: things that the palette finds, and texts for the `/` menu of a reply.

Rooms never know each other: settings.PALETTE_SOURCES and settings.COMPOSER_SOURCES name their functions.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from helpdesk.customers.models import User


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the palette below the headline `group`. `is_layer`: it opens above the page, which stays."""

    group: str
    key: str
    icon: str
    title: str
    about: str
    address: str
    is_layer: bool = False


@dataclass(frozen=True, slots=True)
class Insertable:
    """A line of the `/` menu, `hint` beside it. A POST to `address` with the conversation's number as `conversation`
    and `as` (`link`, `text`, or nothing for what suits) answers {"text": …}: what is put into the reply.
    """

    name: str
    hint: str
    address: str

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "hint": self.hint, "use": self.address}


def places(typed: str, user: User, conversation_id: int) -> list[Place]:
    """What rooms find for the palette; `conversation_id` is the open one, or 0."""
    return [one for name in settings.PALETTE_SOURCES for one in import_string(name)(typed, user, conversation_id)]


def insertables(typed: str, user: User, conversation_id: int) -> list[Insertable]:
    """What rooms have for a reply in this conversation."""
    return [one for name in settings.COMPOSER_SOURCES for one in import_string(name)(typed, user, conversation_id)]


def into_draft(conversation_id: int, user: User, text: str, *, at: datetime) -> None:
    """Append the text to what the agent has begun to write there, for pages without a script."""
    import_string(settings.DESK["into_draft"])(conversation_id, user, text, at=at)
