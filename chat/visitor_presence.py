"""Whether a visitor is there and looks: in Redis, one key a conversation, gone by itself."""

import json
import logging
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, Final

import redis

from chat import whispers
from helpdesk.events import broadcast

logger = logging.getLogger(__name__)

PREFIX: Final = "helpdesk:visitor:"
# A page says every 20 seconds that it is there; changing from page to page takes a moment.
LASTS_SECONDS: Final = 45
# Who has not said a word for longer does not look any more.
WATCHING_SECONDS: Final = 30.0

ONLINE, AWAY, LEFT = "online", "away", "left"


@dataclass(frozen=True, slots=True)
class Presence:
    """`watching`: the panel is open and in sight; `at` is when they last gave a sign of life, as Unix time."""

    watching: bool = False
    at: float = 0.0
    url: str = ""
    title: str = ""

    @property
    def state(self) -> str:
        if time.time() - self.at > LASTS_SECONDS:
            return LEFT
        return ONLINE if self.watching else AWAY


def put(conversation_id: int, presence: Presence) -> None:
    """They are there. Best effort."""
    try:
        broadcast.shared().set(f"{PREFIX}{conversation_id}", json.dumps(asdict(presence)), ex=LASTS_SECONDS)
    except (redis.RedisError, OSError) as error:
        logger.debug("presence is not known: %s", type(error).__name__)


def move(conversation_id: int, url: str, title: str) -> None:
    """They are on another page; agents are told."""
    before = of([conversation_id]).get(conversation_id, Presence())
    presence = Presence(before.watching, time.time(), url, title)
    put(conversation_id, presence)
    tell_agents(conversation_id, presence)


def drop(conversation_id: int) -> None:
    """Their last page is gone. Best effort."""
    try:
        broadcast.shared().delete(f"{PREFIX}{conversation_id}")
    except (redis.RedisError, OSError) as error:
        logger.debug("presence is not known: %s", type(error).__name__)


def of(conversation_ids: Collection[int]) -> dict[int, Presence]:
    """Who of them is there. With Redis dead nobody is."""
    return sought(conversation_ids) or {}


def sought(conversation_ids: Collection[int]) -> dict[int, Presence] | None:
    """Who of them is there; None where Redis is dead."""
    numbers = list(conversation_ids)
    if not numbers:
        return {}
    try:
        found = broadcast.shared().mget([f"{PREFIX}{number}" for number in numbers])
    except (redis.RedisError, OSError) as error:
        logger.debug("presence is not known: %s", type(error).__name__)
        return None
    return {number: _read(value) for number, value in zip(numbers, found, strict=True) if value is not None}


def is_watching(conversation_id: int) -> bool:
    """Whether the visitor has the panel before their eyes."""
    presence = of([conversation_id]).get(conversation_id)
    return presence is not None and presence.watching and time.time() - presence.at <= WATCHING_SECONDS


def tell_agents(conversation_id: int, presence: Presence) -> None:
    """Let open pages of the desk know."""
    frame: dict[str, Any] = {"t": "vis", "conv": conversation_id, "state": presence.state}
    if presence.url:
        frame["page"] = {"url": presence.url, "title": presence.title}
    whispers.whisper(conversation_id, whispers.AGENTS, frame)


def _read(value: bytes | str) -> Presence:
    try:
        return Presence(**json.loads(value))
    except (ValueError, TypeError):
        return Presence()  # another version's; the next word replaces it
