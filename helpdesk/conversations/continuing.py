"""A conversation held elsewhere that goes on by mail: what its own room says of it to the room that writes the mail.

Rooms do not know each other: `CONTINUED_BY_MAIL` names, for a channel, the function that is asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Final

from django.conf import settings
from django.utils.module_loading import import_string

from helpdesk.conversations.models import Conversation

# What is asked of the mail room and what came of it; both name `messages`, the ids that are mailed.
ASKED: Final = "mail.asked"
SENT: Final = "mail.sent"
FAILED: Final = "mail.failed"
ANSWERS: Final = "answers"
TRANSCRIPT: Final = "transcript"


@dataclass(frozen=True, slots=True)
class Particulars:
    """Language and time zone to write in ("" where unknown), where the customer goes on (a URL, "" for nowhere), and
    what agents are called there, by their ids. `is_live`: both sides are there now; `was_left`: the customer left a
    message to be answered later.
    """

    language: str = ""
    timezone: str = ""
    link: str = ""
    names: Mapping[int, str] = field(default_factory=dict)
    is_live: bool = False
    was_left: bool = False


def is_continued(channel: str) -> bool:
    """Whether conversations of this channel are held elsewhere and go on by mail."""
    return channel in settings.CONTINUED_BY_MAIL


def particulars(conversation: Conversation, *, at: datetime) -> Particulars:
    """What the conversation's own room says of it; nothing of one that is mail from the beginning."""
    if not is_continued(conversation.channel):
        return Particulars()
    return _asked(conversation.channel)(conversation, at)


@cache
def _asked(channel: str) -> Callable[[Conversation, datetime], Particulars]:
    found: Callable[[Conversation, datetime], Particulars] = import_string(settings.CONTINUED_BY_MAIL[channel])
    return found
