"""Who waits before whom: asked often, so counted over the few rows that wait and nothing else."""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from chat import whispers
from chat.models import Chat
from helpdesk.conversations.models import Conversation
from helpdesk.prepared import Prepared

# Behind so many the number says nothing any more.
COUNTED_TO: Final = 100

_WAITING = Prepared(
    "chat_queue",
    f"""
SELECT chat.conversation_id, chat.offered_to_id IS NOT NULL,
       row_number() OVER (PARTITION BY conversation.team_id ORDER BY chat.started_at, chat.conversation_id)
FROM {Chat._meta.db_table} AS chat
JOIN {Conversation._meta.db_table} AS conversation ON conversation.id = chat.conversation_id
WHERE chat.state = 'waiting' AND chat.mode = 'chat'
ORDER BY chat.started_at, chat.conversation_id LIMIT 500
""",
)


class Place(NamedTuple):
    """`position` counts from 1 among those who wait for the same team; `is_offered` while an agent is asked."""

    position: int
    is_offered: bool

    @property
    def shown(self) -> int:
        """What the visitor is told: 0 while an agent is asked, or where the number says nothing."""
        return 0 if self.is_offered or self.position > COUNTED_TO else self.position


def places() -> dict[int, Place]:
    """Of every chat that waits, oldest first; one statement."""
    return {number: Place(position, offered) for number, offered, position in _WAITING.rows()}


def place_of(conversation_id: int) -> Place | None:
    """None where it does not wait."""
    return places().get(conversation_id)


def frame(place: Place | None) -> dict[str, Any]:
    """What the visitor's page is told: `You are number 2`; 0 means that there is nothing to say."""
    return {"t": "queue", "position": place.shown if place else 0}


def tell(but: Collection[int] = ()) -> None:
    """Tell all who wait where they stand; those named in `but` that they wait no more. Best effort."""
    for number, place in places().items():
        whispers.whisper(number, whispers.VISITOR, frame(place))
    for number in but:
        whispers.whisper(number, whispers.VISITOR, frame(None))
