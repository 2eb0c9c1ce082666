"""What passes and is not kept: who types, who looks, whether the visitor is there. From any process to all sockets.

Over Redis and best effort: with Redis dead nobody is seen typing, and every message still arrives.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any, Final

import redis

from helpdesk.events import broadcast

logger = logging.getLogger(__name__)

CHANNEL: Final = "helpdesk:whispers"
VISITOR, AGENTS = "visitor", "agents"
# Every open panel looks anew whether somebody is there.
PANELS = "panels"


def whisper(conversation_id: int, to: str, frame: Mapping[str, Any]) -> None:
    """Let the visitor's pages, or the agents', of a conversation be told this now. Never raises for Redis."""
    try:
        broadcast.shared().publish(CHANNEL, json.dumps({"conv": conversation_id, "to": to, "frame": frame}))
    except (redis.RedisError, OSError) as error:
        logger.debug("a whisper was not heard: %s", type(error).__name__)


def availability_changed() -> None:
    """An agent takes chats now, or takes none any more. Best effort: panels find out with the next heartbeat else."""
    whisper(0, PANELS, {})


def read(data: bytes) -> tuple[int, str, Mapping[str, Any]] | None:
    """Conversation, whom it is for, and the frame; None for what is none of ours."""
    try:
        said = json.loads(data)
        return int(said["conv"]), str(said["to"]), dict(said["frame"])
    except (ValueError, KeyError, TypeError):
        return None
