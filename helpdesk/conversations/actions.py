"""The verbs of a conversation, in one place: `from helpdesk.conversations import actions as conversations`."""

from helpdesk.conversations.answering import answer, say
from helpdesk.conversations.answers import (
    Overtaken,
    Refused,
    deliver,
    note,
    note_automatically,
    reply,
    retry,
    write_automatically,
)
from helpdesk.conversations.channel import File, Inbound
from helpdesk.conversations.handling import CannotSleep, Changes, NotFilledIn, change, wake_due
from helpdesk.conversations.incoming import receive_message
from helpdesk.conversations.linking import relate, unrelate
from helpdesk.conversations.on_call import acknowledge_page
from helpdesk.conversations.splitting import split

__all__ = [
    "CannotSleep",
    "Changes",
    "File",
    "Inbound",
    "NotFilledIn",
    "Overtaken",
    "Refused",
    "acknowledge_page",
    "answer",
    "change",
    "deliver",
    "note",
    "note_automatically",
    "receive_message",
    "relate",
    "reply",
    "retry",
    "say",
    "split",
    "unrelate",
    "wake_due",
    "write_automatically",
]
