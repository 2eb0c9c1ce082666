"""Who has which conversation open, and writes in it: in Redis, for all processes, gone by itself after 45 seconds.

One hash, a field for each open page. Nothing here is a promise: with Redis dead nobody is seen, and all else goes on.
"""

import json
import logging
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

import redis

from helpdesk.events import broadcast

logger = logging.getLogger(__name__)

KEY: Final = "helpdesk:presence"
# A page says every 20 seconds that it is there; one that missed it twice is gone.
LASTS_SECONDS: Final = 45.0
# Who types says so every 3 seconds.
TYPING_SECONDS: Final = 6.0
# More pages than any installation has open; what lies beyond is not read.
MOST_PAGES: Final = 5000

VIEWING, TYPING, EDITING = "viewing", "typing", "editing"
_STRENGTH: Final = (VIEWING, EDITING, TYPING)


@dataclass(frozen=True, slots=True)
class Here:
    """One open page of an agent: which conversation it shows (0 for none), whether it can be seen, and since when
    something is typed, as Unix time.
    """

    agent: int
    name: str
    conversation: int = 0
    visible: bool = True
    until: float = 0.0
    typing_until: float = 0.0
    internal: bool = False

    def doing(self, now: float) -> str:
        if self.typing_until <= now:
            return VIEWING
        return EDITING if self.internal else TYPING


@dataclass(frozen=True, slots=True)
class Seen:
    """One agent in one conversation, over all their pages."""

    id: int
    name: str
    do: str


def put(page: str, here: Here) -> None:
    """Say that this page is there. Raises redis.RedisError."""
    broadcast.shared().hset(KEY, page, json.dumps(asdict(here)))


def drop(page: str) -> None:
    """The page is gone. Raises redis.RedisError."""
    broadcast.shared().hdel(KEY, page)


def everyone() -> list[Here]:
    """All pages that are there now; what has expired is cleared away. Raises redis.RedisError."""
    now = time.time()
    here: list[Here] = []
    gone: list[bytes | str] = []
    for page, value in broadcast.shared().hgetall(KEY).items():
        one = _read(value)
        if one is None or one.until <= now:
            gone.append(page)
        elif len(here) < MOST_PAGES:
            here.append(one)
    if gone:
        broadcast.shared().hdel(KEY, *gone)
    return here


def by_conversation(pages: Iterable[Here], now: float) -> dict[int, tuple[Seen, ...]]:
    """Who is in which conversation, each agent once with the most they do; in order of their ids."""
    found: dict[int, dict[int, Seen]] = defaultdict(dict)
    for page in pages:
        if not page.conversation or not page.visible:
            continue
        seen = Seen(page.agent, page.name, page.doing(now))
        known = found[page.conversation].get(page.agent)
        if known is None or _STRENGTH.index(seen.do) > _STRENGTH.index(known.do):
            found[page.conversation][page.agent] = seen
    return {number: tuple(agents[key] for key in sorted(agents)) for number, agents in found.items()}


def looking() -> set[int]:
    """Agents who have a page of the desk in sight now. Nobody is known to look when Redis does not answer."""
    try:
        return {page.agent for page in everyone() if page.visible}
    except (redis.RedisError, OSError) as error:
        logger.warning("who looks at the desk is not known: %s", type(error).__name__)
        return set()


def typed_at(conversation_id: int, agent: int) -> datetime | None:
    """When this agent last typed something for the customer there; None where that is not known."""
    try:
        pages = [page for page in everyone() if page.conversation == conversation_id and page.agent == agent]
    except (redis.RedisError, OSError) as error:
        logger.warning("who types is not known: %s", type(error).__name__)
        return None
    latest = max((page.typing_until for page in pages if not page.internal), default=0.0)
    return datetime.fromtimestamp(latest - TYPING_SECONDS, UTC) if latest else None


def _read(value: bytes | str) -> Here | None:
    """None for what another version wrote."""
    try:
        return Here(**json.loads(value))
    except (ValueError, TypeError):
        return None
