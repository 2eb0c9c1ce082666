"""What agents' pages say besides what they show: that somebody is at work, types to a visitor, has read; and what they
are told besides what happens: how a visitor is, and what to be reminded of.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from chat import agents, chats, frames, visitor_log, whispers
from chat.log import Happened
from chat.models import Chat, ChatAgent
from helpdesk.customers.models import User
from helpdesk.prepared import Prepared

TYPING_MS: Final = 6000
STATES: Final = frozenset(ChatAgent.State.values)
# What reminders are called on the socket.
NAMES: Final = {"half": "first50", "most": "first80", "late": "breached", "waits": "wait", "back": "rightback"}

_NAME = Prepared(
    "chat_agents_name",
    f"""
SELECT coalesce(nullif(there.public_name, ''), split_part(agent.name, ' ', 1))
FROM {Chat._meta.db_table} AS chat CROSS JOIN {User._meta.db_table} AS agent
LEFT JOIN {ChatAgent._meta.db_table} AS there ON there.user_id = agent.id
WHERE chat.conversation_id = %s::bigint AND agent.id = %s::bigint AND chat.state <> 'ended'
""",
)


def typing(conversation_id: int, user_id: int, *, is_off: bool) -> None:
    """Let the visitor see it, where it is a chat that goes on."""
    row = _NAME.row([conversation_id, user_id])
    if row is not None:
        frame = {"t": "typing", "off": True} if is_off else {"t": "typing", "by": row[0], "ttl": TYPING_MS}
        whispers.whisper(conversation_id, whispers.VISITOR, frame)


def read(conversation_id: int, upto: int) -> None:
    """An agent has seen everything up to this public number, or to the last there is."""
    upto = min(upto, visitor_log.heads([conversation_id]).get(conversation_id, 0))
    if chats.read_by_agent(conversation_id, upto):
        whispers.whisper(conversation_id, whispers.VISITOR, {"t": "read", "by": "agent", "upto": upto})


def arrive(user: User, *, at: datetime) -> Mapping[str, Any] | None:
    """A page of theirs has opened: what it is told of them. None for viewers."""
    agents.connected(user.pk, at=at)
    return agents.profile(user)


def there(user: User, *, at: datetime) -> str:
    """A page of theirs is open; how they are."""
    agents.connected(user.pk, at=at)
    state = ChatAgent.objects.filter(pk=user.pk).values_list("state", flat=True).first()
    return state or ""


def at_work(user: User, *, at: datetime) -> str:
    """They pressed a key, or looked at the page; how they are now."""
    agents.active(user.pk, at=at)
    state = ChatAgent.objects.filter(pk=user.pk).values_list("state", flat=True).first()
    return state or ""


def choose(user: User, state: object, *, at: datetime) -> str:
    """They say whether they take chats; viewers do not."""
    if user.role == User.Role.VIEWER or state not in STATES:
        return ""
    agents.choose(user, str(state), at=at)
    return str(state)


def reminders(events: Iterable[Happened], users: Collection[int]) -> list[tuple[int, int, str]]:
    """`nudge` frames of these events: agent, conversation, frame."""
    found = []
    for event in events:
        if event.kind == "chat.nudged" and event.conversation_id is not None:
            kind = str(event.data.get("nudge", ""))
            told: Mapping[str, Any] = {"conv": event.conversation_id, "kind": NAMES.get(kind, kind)}
            frame = frames.frame("nudge", **told, at=frames.milliseconds(event.at))
            wanted = set(event.data.get("agents", ())) & set(users)
            found += [(user, event.conversation_id, frame) for user in sorted(wanted)]
    return found
