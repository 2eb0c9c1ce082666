"""Who spoke last in a live chat, and what is planned because of it: reminders for the agent, or a kind end."""

from datetime import datetime, timedelta
from typing import Final

from chat import dues
from chat.models import Chat, ChatDue
from helpdesk.conversations.models import Message
from helpdesk.prepared import Prepared

# A customer who wrote waits so long before their agent is reminded, unless the agent typed just now.
WAITS_AFTER: Final = timedelta(seconds=90)
TYPED_WITHIN: Final = timedelta(seconds=30)
HOLD_LASTS: Final = timedelta(minutes=3)
ANYTHING_AFTER: Final = timedelta(minutes=3)
ENDS_AFTER: Final = timedelta(minutes=10)
PROMISED: Final = (ChatDue.Kind.HALF, ChatDue.Kind.MOST, ChatDue.Kind.LATE)
OF_SILENCE: Final = (ChatDue.Kind.WAITS, ChatDue.Kind.BACK, ChatDue.Kind.ANYTHING, ChatDue.Kind.END)

_DUE, _CHAT = ChatDue._meta.db_table, Chat._meta.db_table
# Who goes on writing does not begin to wait anew.
_CUSTOMER_WROTE = Prepared(
    "chat_customer_wrote",
    f"""
WITH not_over AS (
    DELETE FROM {_DUE} WHERE chat_id = %(chat)s::bigint AND kind IN ('anything', 'end')
), calm AS (
    UPDATE {_CHAT} SET nudge = '' WHERE conversation_id = %(chat)s::bigint AND nudge = 'anything'
)
INSERT INTO {_DUE} (chat_id, kind, due_at)
SELECT conversation_id, 'waits', %(due)s::timestamptz FROM {_CHAT}
WHERE conversation_id = %(chat)s::bigint AND state = 'active' AND mode = 'chat'
    AND NOT EXISTS (SELECT FROM {_DUE} WHERE chat_id = %(chat)s::bigint AND kind IN ('waits', 'back'))
ON CONFLICT (chat_id, kind) DO NOTHING
""",
)


def customer_wrote(conversation_id: int, at: datetime) -> None:
    """It is the agent's turn. One statement: every message of a visitor comes by here. The caller holds the lock."""
    _CUSTOMER_WROTE.run({"chat": conversation_id, "due": at + WAITS_AFTER})


def agent_wrote(conversation_id: int, at: datetime) -> None:
    """It was written then: it is the customer's turn, and nothing is pressing any more. The caller holds the lock."""
    dues.drop(conversation_id, *PROMISED)
    # An event may be late: what the agent has chosen to say since then decides.
    phrases = Message.objects.filter(conversation=conversation_id, is_automatic=True, agent__isnull=False)
    if phrases.filter(at__gt=at).exists():
        return
    dues.drop(conversation_id, *OF_SILENCE)
    chat = Chat.objects.filter(pk=conversation_id)
    chat.update(nudge="", hold_until=None)
    if chat.filter(state=Chat.State.ACTIVE, mode=Chat.Mode.CHAT).exists():
        dues.plan(conversation_id, ChatDue.Kind.ANYTHING, at + ANYTHING_AFTER)


def joined(conversation_id: int, at: datetime) -> None:
    """An agent has it: they are reminded of what the customer has said before. The caller holds the lock."""
    Chat.objects.filter(pk=conversation_id).update(nudge="")
    last = last_said(conversation_id)
    if last is not None and last.kind == Message.Kind.INBOUND:
        due = max(at + TYPED_WITHIN, last.at + WAITS_AFTER)
        dues.plan(conversation_id, ChatDue.Kind.WAITS, due)


def last_said(conversation_id: int) -> Message | None:
    """The last thing a person said to the other side; set phrases and notes are none."""
    said = Message.objects.filter(conversation=conversation_id, is_automatic=False).exclude(kind=Message.Kind.NOTE)
    return said.order_by("-pk").first()
