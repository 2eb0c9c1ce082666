"""What pages with an open conversation are told of it: what came is drawn once for all who read it alike, and sent.

What only some of them may be shown, or where only the whole will do, they ask for. How a thread is drawn is the desk's
affair (`LIVE_DESK`).
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from django.conf import settings
from django.utils.module_loading import import_string

from chat import frames

logger = logging.getLogger(__name__)

# A cursor of `tickets.desk.thread` takes about 80 characters.
LONGEST: Final = 200

# The conversation, up to where it is shown, whether its reader works or only reads, and their language and time zone.
Wanted = tuple[int, str, bool, str, str]
# HTML, and up to where the conversation is shown with it.
Drawn = tuple[str, str]


@dataclass(frozen=True, slots=True)
class OpenThread:
    """A conversation as a page shows it: up to `after`, the cursor that the page was given; `conversation` is 0 for
    none.
    """

    conversation: int
    after: str
    works: bool
    language: str
    zone: str

    def shown_until(self, after: str) -> "OpenThread":
        return replace(self, after=after)


@dataclass(frozen=True, slots=True)
class News:
    """What goes to a page: the frame, and what the page shows then."""

    frame: str
    then: OpenThread


def news(threads: Collection[OpenThread]) -> Mapping[OpenThread, News]:
    """What came to each of them; that they shall ask, where that cannot be said here.

    It is the caller who knows that their readers may see these conversations.
    """
    wanted = {one: (one.conversation, one.after, one.works, one.language, one.zone) for one in threads}
    try:
        drawn: Mapping[Wanted, Drawn] = import_string(settings.LIVE_DESK["thread"])(set(wanted.values()))
    except Exception:
        logger.exception("news of conversations could not be drawn; the pages ask for them")
        drawn = {}
    return {one: _told(one, drawn.get(key)) for one, key in wanted.items()}


def ask(conversation: int) -> str:
    """The frame that says: there is something, ask for it."""
    return frames.frame("news", conv=conversation)


def _told(one: OpenThread, drawn: Drawn | None) -> News:
    if drawn is None:
        return News(ask(one.conversation), one)
    html, after = drawn
    told = frames.frame("news", conv=one.conversation, after=one.after, html=html, next=after)
    return News(told, one.shown_until(after))
