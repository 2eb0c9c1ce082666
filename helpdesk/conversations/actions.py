"""The verbs of a conversation, in one place: `from helpdesk.conversations import actions as conversations`."""

from helpdesk.conversations.answers import deliver, note, reply, retry, write_automatically
from helpdesk.conversations.channel import File, Inbound
from helpdesk.conversations.handling import Changes, change
from helpdesk.conversations.incoming import receive_message
from helpdesk.conversations.on_call import acknowledge_page

__all__ = [
    "Changes",
    "File",
    "Inbound",
    "acknowledge_page",
    "change",
    "deliver",
    "note",
    "receive_message",
    "reply",
    "retry",
    "write_automatically",
]
