"""How chats stand now: who waits and how long, who has how many, who is there, what ended today."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from chat import queueing, visitor_presence
from chat.models import Chat, ChatAgent
from helpdesk.conversations import visibility
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Customer, User
from helpdesk.prepared import Prepared
from helpdesk.ratings.models import Rating

MOST: Final = 200
MOST_ENDED: Final = 50
_ROW = f"""
SELECT chat.conversation_id AS id, chat.state, chat.mode, chat.is_verified, chat.started_at, chat.joined_at,
    chat.ended_at, chat.unseen_since, chat.offered_to_id, offered.name AS offered_name, chat.nudge, chat.hold_until,
    c.assignee_id, agent.name AS assignee, c.subject, c.preview, c.last_message_at, c.team_id,
    coalesce(nullif(customer.name, ''), nullif(customer.email, ''), '#' || customer.id) AS customer,
    customer.id AS customer_id, rating.score
FROM {Chat._meta.db_table} AS chat
JOIN {Conversation._meta.db_table} AS c ON c.id = chat.conversation_id
JOIN {Customer._meta.db_table} AS customer ON customer.id = c.customer_id
LEFT JOIN {User._meta.db_table} AS agent ON agent.id = c.assignee_id
LEFT JOIN {User._meta.db_table} AS offered ON offered.id = chat.offered_to_id
LEFT JOIN {Rating._meta.db_table} AS rating ON rating.conversation_id = chat.conversation_id
WHERE {{seen}} AND
"""
_LIVE = f"""{_ROW} chat.state <> 'ended' AND chat.mode = 'chat'
ORDER BY chat.started_at, chat.conversation_id LIMIT {MOST}"""
_ENDED = f"""{_ROW} chat.ended_at >= %(since)s::timestamptz AND chat.mode = 'chat' AND chat.state = 'ended'
ORDER BY chat.ended_at DESC LIMIT {MOST_ENDED}"""
_AGENTS = Prepared(
    "chat_agents_now",
    f"""
SELECT agent.id, agent.name, there.state, there.is_auto_away, there.capacity, there.skills, there.active_at,
    (SELECT count(*) FROM {Chat._meta.db_table} AS chat
     JOIN {Conversation._meta.db_table} AS held ON held.id = chat.conversation_id
     WHERE chat.state = 'active' AND held.assignee_id = agent.id) AS chats
FROM {ChatAgent._meta.db_table} AS there JOIN {User._meta.db_table} AS agent ON agent.id = there.user_id
WHERE agent.is_active AND agent.role <> 'viewer'
ORDER BY there.state DESC, agent.name, agent.id LIMIT {MOST}
""",
)


@dataclass(frozen=True, slots=True)
class Now:
    """Rows as dictionaries; `left`: who waited and has gone; `active` by agent, with the agent's name and their number
    of places.
    """

    waiting: Sequence[Mapping[str, Any]]
    left: Sequence[Mapping[str, Any]]
    active: Sequence[tuple[str, int, int, Sequence[Mapping[str, Any]]]]
    agents: Sequence[Mapping[str, Any]]
    ended: Sequence[Mapping[str, Any]]


def now_for(user: User, *, since: datetime) -> Now:
    """What this agent may see of it; ended since a time, the beginning of their day. Five statements."""
    live = _rows("live", _LIVE, user, {})
    ended = _rows("ended", _ENDED, user, {"since": since})
    places = queueing.places()
    present = visitor_presence.of([row["id"] for row in live])
    for row in live:
        there = present.get(row["id"])
        row["presence"] = there.state if there else visitor_presence.LEFT
        place = places.get(row["id"])
        row["position"] = place.position if place else 0
    agents = agents_now()
    places_of = {agent["id"]: agent["capacity"] for agent in agents}
    held: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for row in live:
        if row["state"] == Chat.State.ACTIVE:
            held.setdefault((row["assignee"] or "", row["assignee_id"] or 0), []).append(row)
    active = [(name, pk, places_of.get(pk, 0), held[name, pk]) for name, pk in sorted(held)]
    waiting = [row for row in live if row["state"] == Chat.State.WAITING]
    left = [row for row in live if row["state"] == Chat.State.LEFT]
    return Now(waiting, left, active, agents, ended)


def agents_now() -> list[dict[str, Any]]:
    """Those who chat, the available ones first, with how many chats they have."""
    return _AGENTS.mappings()


def _rows(name: str, statement: str, user: User, given: dict[str, Any]) -> list[dict[str, Any]]:
    seen = visibility.condition(user, "c.team_id")
    prepared = Prepared(f"chats_{name}_for_{'admin' if user.is_admin else 'agent'}", statement.format(seen=seen))
    return prepared.mappings({"user": user.pk, **given})


def counted(visible: str) -> str:
    """SQL for the number beside the desk's "Chats": those who wait, of what a condition over `team.id` lets one see."""
    return f"""
SELECT 'chats', NULL::bigint, NULL::text, (SELECT count(*) FROM {Chat._meta.db_table} AS chat
    JOIN {Conversation._meta.db_table} AS c ON c.id = chat.conversation_id
    WHERE chat.state = 'waiting' AND chat.mode = 'chat' AND {visible})"""
